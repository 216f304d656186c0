"""Transactions and the map of devices: the shipped source does what the specification says.

It runs over pools of which nothing is known (`any_pools`), so that every combination of grants
and refusals is gone through, a refusal at each place of every sequence. What is bounded is the
number of things at a time: transactions of two operations on two pools or three on one, sets of
up to three ranges. Longer ones are tried by the state machine `devices`.

A grant is compared with others and never computed with. `update_device` hashes those that a
device holds, which symbolic ints do not allow: there, these are plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import spec.devices
import vm_allocator.resource_map
import vm_allocator.transactions
from spec.devices import DEVICE_EXISTS, NOT_HELD, UNKNOWN_DEVICE, Held, Wish
from spec.model import Request
from spec.proofs.any_pools import AnyPool, ShippedPool, any_pools, taken_for_ours
from spec.proofs.summaries import standing_in
from vm_allocator.errors import AllocatorError
from vm_allocator.modelling import Range, Refused
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource_sets import DeviceNeeds, Grant, Need, ResourceSet
from vm_allocator.transaction_errors import (
    DeviceError,
    DeviceExistsError,
    NotHeldError,
    UnknownDeviceError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from spec.devices import Books
    from spec.proofs.cases import AllocatorCase

POOLS: Final = 2
OLD, NEW = "old", "new"

_REFUSALS: Final[dict[type[DeviceError], str]] = {
    DeviceExistsError: DEVICE_EXISTS,
    UnknownDeviceError: UNKNOWN_DEVICE,
    NotHeldError: NOT_HELD,
}


@dataclass(frozen=True)
class Shipped:
    """The modules under proof and the specification: the real ones, or mutated copies."""

    transactions: ModuleType = vm_allocator.transactions
    resource_map: ModuleType = vm_allocator.resource_map
    devices: ModuleType = spec.devices


class Plant:
    """Two pools, the map of the devices over them, and the specification in the same state."""

    def __init__(self, case: AllocatorCase, shipped: Shipped, held: Sequence[Held]) -> None:
        pools: Any = any_pools(case, POOLS)
        self.case = case
        self.made = [ShippedPool(pool) for pool in pools]
        self.books: Books = shipped.devices.Books(tuple(pools), (1,) * POOLS, {OLD: tuple(held)})
        begin = shipped.transactions.transaction
        self.map = shipped.resource_map.ResourceMap(begin)
        instance, *others = [self.grant(one) for one in held]
        self.map._sets[OLD] = ResourceSet(instance, (), (), tuple(others[:1]), tuple(others[1:]))

    def grant(self, held: Held) -> Grant[Any, Any]:
        """Return the grant that stands for what is held."""
        pool: Any = self.made[held.pool]
        start: Any = held.start
        size: Any = held.size
        return Grant(pool, start, size)

    def wish(self, wanted: Held | Wish) -> Any:
        """Return what the shipped code is asked for."""
        if isinstance(wanted, Held):
            return self.grant(wanted)
        pool: Any = self.made[wanted.pool]
        size: Any = wanted.size
        at: Any = wanted.at
        return Need(pool, size, at)

    def needs(self, wanted: Sequence[Held | Wish]) -> DeviceNeeds:
        """Return the needs of a device: an instance, and BARs of both kinds."""
        first, *others = [self.wish(one) for one in wanted]
        return DeviceNeeds(first, mmio=others[:1], pio=others[1:])

    def agrees(self, act: Callable[[], Books], call: Callable[[], object]) -> None:
        """Claim that the call does what the specification does."""
        after, wanted = self.books, None
        try:
            after = act()
        except Refused as refused:
            wanted = refused.refusal
        except Exception as error:  # noqa: BLE001  # a bent specification may crash
            wanted = f"crash of the specification: {error!r}"
        self.case.claim(_refusal_of(call) == wanted)
        for ours, theirs in zip(self.made, after.pools, strict=True):
            pool: Any = theirs
            self.case.claim(ours.pool.state == pool.state)
        self.case.claim(list(self.map) == list(after.devices))
        for name, held in after.devices.items():
            mine = list(self.map[name])
            self.case.claim(len(mine) == len(held))
            for grant, (pool_at, start, size) in zip(mine, held, strict=True):
                self.case.claim(grant.pool is self.made[pool_at])
                self.case.claim(grant.start == start)
                self.case.claim(grant.size == size)


def _refusal_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except AllocatorError as error:
        return error.refusal
    except DeviceError as error:
        return _REFUSALS[type(error)]
    except Exception as error:  # noqa: BLE001  # a crash is an outcome: nobody specified it
        return f"crash: {error!r}"
    return None


def _any_wish(case: AllocatorCase, name: str, pools: Sequence[int] = range(POOLS)) -> Wish:
    pool = case.one_of(f"pool of {name}", tuple(pools))
    size = case.number(f"size of {name}")
    at = case.number(f"place of {name}")
    anywhere = case.one_of(f"{name} is", ("anywhere", "at a place")) == "anywhere"
    return Wish(pool, size, None, None if anywhere else at)


def _any_held(case: AllocatorCase, count: int) -> list[Held]:
    held = [Held(0, case.number("instance"), 1)]
    for at in range(1, count):
        pool = case.one_of(f"pool of range {at}", tuple(range(POOLS)))
        held.append(Held(pool, case.number(f"range {at}"), case.number(f"size of range {at}")))
    return held


def registers(case: AllocatorCase, shipped: Shipped) -> None:
    """`register` of up to three ranges: all of them are allocated and noted, or nothing is."""
    plant = Plant(case, shipped, [Held(0, case.number("instance"), 1)])
    device = case.one_of("device", (NEW, OLD))
    count = case.one_of("ranges", (1, 2, 3))
    wanted: list[Any] = [
        _any_wish(case, f"wish {at}", range(POOLS) if at else (0,)) for at in range(count)
    ]
    if case.one_of("among them is", ("what is new", "what somebody holds")) != "what is new":
        wanted.append(plant.books.devices[OLD][0])
    needs = plant.needs(wanted)
    plant.agrees(
        lambda: plant.books.register(device, wanted), lambda: plant.map.register(device, needs)
    )


def unregisters(case: AllocatorCase, shipped: Shipped) -> None:
    """`unregister` of up to three ranges: all of them are freed and forgotten, or nothing is."""
    plant = Plant(case, shipped, _any_held(case, case.one_of("ranges", (1, 2, 3))))
    device = case.one_of("device", (OLD, NEW))
    plant.agrees(lambda: plant.books.unregister(device), lambda: plant.map.unregister(device))


def updates(case: AllocatorCase, shipped: Shipped) -> None:
    """`update_device`: what is kept stays, the rest is freed, what is new allocated; or nothing."""
    places = (case.one_of("pool of range 1", (0, 1)), case.one_of("pool of range 2", (0, 1)))
    held = [Held(0, 1, 1), *(Held(pool, 2 + at, 1) for at, pool in enumerate(places))]
    plant = Plant(case, shipped, held)
    device = case.one_of("device", (OLD, NEW))
    stranger = Held(1, 9, 1)
    keeping: dict[str, list[Held | Wish]] = {
        "all": [*held],
        "the instance": [*held[:1]],
        "the last": [held[0], held[2]],
        "the first": [held[0], held[1]],
        "one of them twice": [held[0], held[1], held[1]],
        "what it does not hold": [held[0], stranger],
    }
    wanted = keeping[case.one_of("keeps", tuple(keeping))]
    wanted += [_any_wish(case, "the new range")] * case.one_of("new ranges", (0, 1))
    needs = plant.needs(wanted)
    plant.agrees(
        lambda: plant.books.update_device(device, wanted),
        lambda: plant.map.update_device(device, needs),
    )


def moves(case: AllocatorCase, shipped: Shipped) -> None:
    """`move` of a BAR: the old range is freed and the new one allocated and noted, or nothing."""
    held = [Held(0, 1, 1), Held(1, 2, 1), Held(case.one_of("pool of range 2", (0, 1)), 3, 1)]
    plant = Plant(case, shipped, held)
    device = case.one_of("device", (OLD, NEW))
    bar = case.one_of("bar", ("the first", "the second", "of another"))
    moved = {"the first": held[1], "the second": held[2], "of another": Held(1, 9, 1)}[bar]
    start, grant = case.number("start"), plant.grant(moved)
    plant.agrees(
        lambda: plant.books.move_bar(device, moved, start),
        lambda: plant.map.move(device, grant, start),
    )


def goes_with_its_transaction(case: AllocatorCase, shipped: Shipped) -> None:
    """What a map did within a transaction stays with it, or is undone with it, its notes too."""
    held = [Held(0, 1, 1), Held(1, 2, 1)]
    plant = Plant(case, shipped, held)
    wish = _any_wish(case, "the new range", (1,))
    instance = Wish(0, 1, None, 5)
    fails = case.one_of("the block", ("ends", "fails at its end")) != "ends"
    what = case.one_of("operation", ("register", "unregister", "update_device"))

    def act() -> Books:
        if what == "register":
            after = plant.books.register(NEW, [instance, wish])
        elif what == "unregister":
            after = plant.books.unregister(OLD)
        else:
            after = plant.books.update_device(OLD, [held[0], wish])
        return plant.books if fails else after

    def call() -> None:
        try:
            with shipped.transactions.transaction() as tx:
                if what == "register":
                    plant.map.register(NEW, plant.needs([instance, wish]), tx=tx)
                elif what == "unregister":
                    plant.map.unregister(OLD, tx=tx)
                else:
                    plant.map.update_device(OLD, plant.needs([held[0], wish]), tx=tx)
                _end(fails=fails)
        except GoAwayError:
            case.claim(fails)

    plant.agrees(act, call)


# ---- transactions

ANYWHERE, EXACTLY, FREES, UPDATES, FROM_NOTHING = (
    "allocate anywhere",
    "allocate exactly",
    "free",
    "update",
    "update from nothing",
)


OURS, SOMEBODYS = "are ours", "are somebody's"
LEFT_AT_ITS_END: Final = "left at its end"
LEFT_BY_AN_EXCEPTION: Final = "left by an exception"


class GoAwayError(Exception):
    """What ends a block, so that everything is undone."""


@dataclass(frozen=True)
class Operation:
    """One operation of a transaction, with any numbers."""

    kind: str
    pool: int
    numbers: tuple[int, int, int, int]

    def specified(self, pool: AnyPool) -> AnyPool:
        """Return the pool after it. Raises `Refused`."""
        old, old_size, new, size = self.numbers
        request = Request(size, 1, Range(pool.base, pool.last))
        after: AnyPool
        if self.kind == ANYWHERE:
            after = pool.allocate_first(request).after
        elif self.kind in (EXACTLY, FROM_NOTHING):
            after = pool.allocate_exact(request, new).after
        elif self.kind == FREES:
            after = pool.free(old, old_size).after
        else:
            after = pool.update(old, old_size, request, new).after
        return after

    def shipped(self, tx: Any, pool: ShippedPool) -> None:
        """Carry it out. Raises `AllocatorError`."""
        old, old_size, new, size = self.numbers
        if self.kind == ANYWHERE:
            tx.allocate(pool, None, size)
        elif self.kind == EXACTLY:
            tx.allocate(pool, new, size)
        elif self.kind == FREES:
            tx.free(pool, old, old_size)
        elif self.kind == UPDATES:
            tx.update(pool, old, old_size, new, size)
        else:
            tx.update(pool, None, None, new, size)


def any_operation(
    case: AllocatorCase, name: str, kinds: tuple[str, ...], pools: tuple[int, ...]
) -> Operation:
    """Return any operation of these kinds on these pools."""
    numbers = [case.number(f"{name}, {what}") for what in ("old", "old size", "new", "size")]
    old, old_size, new, size = numbers
    kind = case.one_of(f"{name} is", kinds)
    return Operation(kind, case.one_of(f"pool of {name}", pools), (old, old_size, new, size))


def transacts(
    case: AllocatorCase,
    shipped: Shipped,
    count: int,
    kinds: tuple[str, ...],
    pools: tuple[int, ...],
) -> None:
    """Claim that a block that is left by an exception undid everything, and any other nothing."""
    before = any_pools(case, POOLS)
    made, wanted = [ShippedPool(pool) for pool in before], list(before)
    treated = {OURS: {"ours": taken_for_ours}, SOMEBODYS: {}}[
        case.one_of("pools", (OURS, SOMEBODYS))
    ]
    operations = [any_operation(case, f"operation {at}", kinds, pools) for at in range(count)]
    fails = case.one_of("the block", ("ends", "fails at its end")) != "ends"
    caught = case.one_of("a refusal", ("ends the block", "is caught in it")) != "ends the block"
    try:
        for one in operations:
            try:
                wanted[one.pool] = one.specified(wanted[one.pool])
            except Refused:
                if not caught:
                    raise
        ended = fails
    except Refused:
        ended = True

    def block() -> None:
        with shipped.transactions.transaction() as tx:
            _carry_out(tx, operations, made, caught=caught)
            _end(fails=fails)

    with standing_in(treated, shipped.transactions):
        case.claim(_end_of(block) == (LEFT_BY_AN_EXCEPTION if ended else LEFT_AT_ITS_END))
    for ours, kept, was in zip(made, wanted, before, strict=True):
        case.claim(ours.pool.state == (was if ended else kept).state)


def has_parts(case: AllocatorCase, shipped: Shipped) -> None:
    """A part that fails is undone alone; what the whole did before and after stays or goes, too."""
    before = any_pools(case, POOLS)
    made, wanted = [ShippedPool(pool) for pool in before], list(before)
    first, second, third = (
        any_operation(case, f"operation {at}", (EXACTLY, FREES), (0, 1) if at == 1 else (0,))
        for at in range(3)
    )
    part_fails = case.one_of("the part", ("ends", "fails at its end")) != "ends"
    fails = case.one_of("the block", ("ends", "fails at its end")) != "ends"
    for one, kept in ((first, True), (second, not part_fails), (third, True)):
        try:
            after = one.specified(wanted[one.pool])
        except Refused:
            case.assume(False)  # noqa: FBT003  # refusals are `transacts`
        if kept:
            wanted[one.pool] = after

    def block() -> None:
        with shipped.transactions.transaction() as tx:
            first.shipped(tx, made[first.pool])
            try:
                with tx.part() as part:
                    second.shipped(part, made[second.pool])
                    _end(fails=part_fails)
            except GoAwayError:
                case.claim(part_fails)
            third.shipped(tx, made[third.pool])
            _end(fails=fails)

    case.claim(_end_of(block) == (LEFT_BY_AN_EXCEPTION if fails else LEFT_AT_ITS_END))
    for ours, kept_pool, was in zip(made, wanted, before, strict=True):
        case.claim(ours.pool.state == (was if fails else kept_pool).state)


def _end_of(block: Callable[[], None]) -> str:
    try:
        block()
    except (AllocatorError, GoAwayError):
        return LEFT_BY_AN_EXCEPTION
    except Exception as error:  # noqa: BLE001  # a crash is an outcome: nobody specified it
        return f"crash: {error!r}"
    return LEFT_AT_ITS_END


def _end(*, fails: bool) -> None:
    if fails:
        raise GoAwayError


def _carry_out(
    tx: Any, operations: Sequence[Operation], made: Sequence[ShippedPool], *, caught: bool
) -> None:
    for one in operations:
        try:
            one.shipped(tx, made[one.pool])
        except AllocatorError:
            if not caught:
                raise


def devices_theorems(shipped: Shipped | None = None) -> list[Theorem]:
    """Return what is shown of the shipped modules, or of mutated copies of them."""
    modules = shipped or Shipped()
    two = partial(
        transacts,
        count=2,
        kinds=(ANYWHERE, EXACTLY, FREES, UPDATES, FROM_NOTHING),
        pools=(0, 1),
    )
    three = partial(transacts, count=3, kinds=(EXACTLY, FREES), pools=(0,))
    stated: dict[str, tuple[Callable[..., None], str]] = {
        "the_map_registers_all_or_nothing": (registers, registers.__doc__ or ""),
        "the_map_unregisters_all_or_nothing": (unregisters, unregisters.__doc__ or ""),
        "the_map_updates_a_device_or_leaves_it": (updates, updates.__doc__ or ""),
        "the_map_moves_a_bar_or_leaves_it": (moves, moves.__doc__ or ""),
        "the_map_goes_with_its_transaction": (
            goes_with_its_transaction,
            goes_with_its_transaction.__doc__ or "",
        ),
        "a_transaction_of_two_on_two_pools_is_whole": (two, transacts.__doc__ or ""),
        "a_transaction_of_three_on_one_pool_is_whole": (three, transacts.__doc__ or ""),
        "a_part_of_a_transaction_fails_alone": (has_parts, has_parts.__doc__ or ""),
    }
    return [
        Theorem(name, " ".join(claim.split()), __name__, partial(state, shipped=modules))
        for name, (state, claim) in stated.items()
    ]
