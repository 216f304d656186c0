"""A system of allocators, the map of its devices, and their oracle, operated together."""

from __future__ import annotations

from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from spec.devices import (
    DEVICE_EXISTS,
    NOT_HELD,
    ON_PURPOSE,
    UNKNOWN_DEVICE,
    Books,
    Held,
    Wish,
)
from spec.model import NOT_ALLOCATED, Allocator
from vm_allocator.address import AddressAllocator
from vm_allocator.errors import AllocatorError, BrokenInvariantError
from vm_allocator.ids import IdAllocator
from vm_allocator.lockstep import Call, DisagreementError
from vm_allocator.modelling import Refused
from vm_allocator.resource import GuestAddress, GuestUsize, Id
from vm_allocator.resource_map import ResourceMap
from vm_allocator.resource_sets import DeviceNeeds, Grant, Need
from vm_allocator.snapshots.errors import SnapshotStateError
from vm_allocator.snapshots.text import dump_snapshot, load_snapshot
from vm_allocator.system import SystemAllocator
from vm_allocator.transaction_errors import (
    DeviceError,
    DeviceExistsError,
    NotHeldError,
    RollBackError,
    UnaccountedError,
    UnknownDeviceError,
)
from vm_allocator.transactions import Transaction, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SLOTS, IRQS, VECTORS, MMIO, PIO = range(5)
BARS: Final = (MMIO, PIO)

REFUSALS: Final[dict[type[DeviceError], str]] = {
    DeviceExistsError: DEVICE_EXISTS,
    UnknownDeviceError: UNKNOWN_DEVICE,
    NotHeldError: NOT_HELD,
}

Step = tuple[Any, ...]
"""The name of an operation, and its arguments."""


class OnPurposeError(Exception):
    """What ends a transaction that is to be rolled back."""


@dataclass(frozen=True, eq=False)
class Board(SystemAllocator):
    """Pools so small that devices soon get in each other's way."""

    slots: IdAllocator
    irqs: IdAllocator
    vectors: IdAllocator
    mmio: AddressAllocator
    pio: AddressAllocator


@dataclass
class Plant:
    """What is driven: the pools, the map of the devices, and how a transaction begins."""

    board: Board
    devices: ResourceMap[str]
    begin: Callable[[], Transaction] = transaction


def plant(first: int, last: int, alignment: int) -> Plant:
    """Return a plant whose MMIO space is the given one."""
    board = Board(
        slots=IdAllocator(Id(0), Id(4)),
        irqs=IdAllocator(Id(5), Id(9)),
        vectors=IdAllocator(Id(32), Id(47)),
        mmio=AddressAllocator(GuestAddress(first), GuestUsize(last - first + 1), alignment),
        pio=AddressAllocator(GuestAddress(0xCF0), GuestUsize(16)),
    )
    return Plant(board, ResourceMap())


@dataclass
class DeviceLockstep:
    """A plant and its books. Every method raises `DisagreementError`; refusals are returned."""

    plant: Plant
    name: str = "plant"
    books: Books = field(init=False)
    calls: list[Call] = field(init=False, default_factory=list)
    _loose_now: list[Held] = field(init=False, default_factory=list)
    """What nobody in particular holds, in the middle of a transaction."""

    def __post_init__(self) -> None:
        self.books = Books(
            tuple(
                Allocator.initial(pool._unit.top, int(pool.base), int(pool.last))  # noqa: SLF001  # 32 bits or 64
                for pool in self.pools
            ),
            tuple(pool.alignment for pool in self.pools),
        )
        self._setup = f"{self.name} = {self.plant.board!r}"
        self.compare()

    @property
    def pools(self) -> tuple[Any, ...]:
        """The allocators: `Any`, since plain numbers are drawn for all of them."""
        return tuple(pool.allocator for pool in self.plant.board.pools())

    @property
    def model(self) -> Allocator:
        """The oracle of the MMIO space, which numbers are drawn for."""
        return self.books.pools[MMIO]

    # ---- the operations

    def do(self, *step: Any) -> str | None:
        """Carry out one operation by itself; return why it was refused, if it was."""
        return self._both(_show(step), lambda: self._act(step, None), [step], fails=False)

    def transact(self, steps: Sequence[Step], *, fails: bool | None = None) -> str | None:
        """Carry out the steps as one, and at the end fail on purpose if so wished."""

        def act() -> None:
            with self.plant.begin() as tx:
                self._run(tx, steps)
                if fails:
                    raise OnPurposeError

        shown = ", ".join(map(_show, steps)) + (", fail" if fails else "")
        return self._both(f"transaction({shown})", act, steps, fails=bool(fails))

    def fork(self, name: str) -> Self:
        """Return a copy that shares the trace and nothing else."""
        twin = copy(self)
        twin.plant, twin.name = deepcopy(self.plant), name
        self.calls.append(Call(f"{name} = {self.name}.copy()", "done", "done"))
        twin.compare()
        return twin

    def through_a_snapshot(self) -> None:
        """Go on with what is restored of the text of what is saved.

        That is refused exactly while there is something that no device holds.
        """
        board, devices = self.plant.board, self.plant.devices
        wanted = "refused" if self.books.loose else "done"
        actual = "done"
        try:
            text = dump_snapshot(board.save(devices))
            restored, (map_of_it,) = board.restore(load_snapshot(text))
            if dump_snapshot(restored.save(map_of_it)) != text:
                actual = "something else"
            self.plant = copy(self.plant)
            self.plant.board, self.plant.devices = restored, map_of_it
        except SnapshotStateError:
            actual = "refused"
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            actual = f"crashed: {error!r}"
        self.calls.append(Call(f"{self.name} = restored {self.name}", wanted, actual))
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self.compare()

    # ---- on the plant

    def _run(self, tx: Transaction, steps: Sequence[Step]) -> None:
        for name, *rest in steps:
            if name == "part":
                loose = list(self._loose_now)
                with suppress(OnPurposeError), tx.part() as part:
                    self._run(part, rest)
                    raise OnPurposeError
                self._loose_now = loose
            else:
                self._act((name, *rest), tx)

    def _act(self, step: Step, tx: Transaction | None) -> None:
        devices, (name, *rest) = self.plant.devices, step
        match name:
            case "register":
                device, wishes = rest
                devices.register(device, self._needs(wishes), tx=tx)
            case "unregister":
                devices.unregister(*rest, tx=tx)
            case "update_device":
                device, kept, wishes = rest
                held = devices.get(device)
                wanted: list[Any] = [Wish(SLOTS, 1)] if held is None else _kept(list(held), kept)
                devices.update_device(device, self._needs([*wanted, *wishes]), tx=tx)
            case "move":
                device, which, start = rest
                bars = [*devices[device].mmio, *devices[device].pio]
                if not bars:
                    raise NotHeldError(device, "any BAR")
                devices.move(device, bars[which % len(bars)], start, align=1, tx=tx)
            case _ if tx is not None:
                self._act_past_the_map(tx, step)

    def _act_past_the_map(self, tx: Transaction, step: Step) -> None:
        loose = self._loose_now
        match step:
            case "allocate", wish:
                pool = self.pools[wish.pool]
                start = tx.allocate(pool, wish.at, wish.size, align=wish.align)
                loose.append(Held(wish.pool, int(start), wish.size))
            case "free", which:
                held = self._find(loose, which)
                tx.free(self.pools[held.pool], held.start, held.size)
                loose.remove(held)
            case "update", which, start:
                held = self._find(loose, which)
                old = (held.start, held.size)
                tx.update(self.pools[held.pool], *old, start, held.size)
                loose.remove(held)
                loose.append(held._replace(start=start))

    def _find(self, loose: list[Held], which: int) -> Held:
        if not loose:
            raise Refused(NOT_ALLOCATED)  # there is nothing to ask the allocator about
        return loose[which % len(loose)]

    def _needs(self, wishes: Sequence[Any]) -> DeviceNeeds:
        pools = self.pools
        sorted_: list[list[Any]] = [[] for _ in pools]
        for wish in wishes:
            if isinstance(wish, Grant):
                position = next(at for at, pool in enumerate(pools) if pool is wish.pool)
                sorted_[position].append(wish)
            else:
                need = Need(pools[wish.pool], wish.size, wish.at, align=wish.align)
                sorted_[wish.pool].append(need)
        (instance,), irqs, vectors, mmio, pio = sorted_
        return DeviceNeeds(instance, irqs, vectors, mmio, pio)

    # ---- in the books

    def _expect(self, books: Books, steps: Sequence[Step]) -> Books:
        for name, *rest in steps:
            match name:
                case "part":
                    # A refusal ends the whole; otherwise the part fails on purpose, by itself.
                    self._expect(books, rest)
                case "register":
                    device, wishes = rest
                    books = books.register(device, _in_order(wishes))
                case "unregister":
                    books = books.unregister(*rest)
                case "update_device":
                    device, kept, wishes = rest
                    wanted = _kept(list(books.held_by(device)), kept)
                    books = books.update_device(device, _in_order([*wanted, *wishes]))
                case "move":
                    device, which, start = rest
                    books = books.move(device, which, BARS, start)
                case "allocate":
                    books = books.allocate_loose(*rest)
                case "free":
                    books = books.free_loose(*rest)
                case "update":
                    books = books.update_loose(*rest)
        return books

    # ---- the comparison

    def _both(
        self, text: str, act: Callable[[], None], steps: Sequence[Step], *, fails: bool
    ) -> str | None:
        refusal, after = None, self.books
        try:
            after = self._expect(self.books, steps)
        except Refused as refused:
            refusal = refused.refusal
        if refusal is None and fails:
            refusal, after = ON_PURPOSE, self.books
        self._loose_now = list(self.books.loose)
        actual = _outcome(act)
        self.books = after
        wanted = "done" if refusal is None else f"refused: {refusal}"
        self.calls.append(Call(f"{self.name}.{text}", wanted, actual))
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self.compare()
        return refusal

    def compare(self) -> None:
        """Raise `DisagreementError` unless pools, map and books agree, and nothing has leaked."""
        board = self.plant.board
        for pool, model in zip(board.pools(), self.books.pools, strict=True):
            live = [(int(each.start), int(each.end)) for each in pool.live()]
            self._compare(f"live ranges of {pool.name}", live, [tuple(r) for r in model.live])  # type: ignore[attr-defined]  # the oracle's sets are finite
        places = {id(pool): at for at, pool in enumerate(self.pools)}
        held = {
            device: tuple(
                Held(places[id(each.pool)], int(each.start), int(each.size)) for each in one
            )
            for device, one in self.plant.devices.items()
        }
        self._compare("holdings of the devices", held, dict(self.books.devices))
        try:
            board.check(self.plant.devices)
            leaked = 0
        except UnaccountedError as error:
            self._compare("ranges that are held and not live", list(error.missing), [])
            leaked = len(error.leaked)
        except BrokenInvariantError as error:
            self._disagree(f"{self.name}: {error}")
        self._compare("number of ranges that no device holds", leaked, len(self.books.loose))

    def _compare(self, what: str, actual: object, wanted: object) -> None:
        if actual != wanted:
            self._disagree(f"expected the {what} of {self.name} to be {wanted}, got {actual}")

    def _disagree(self, difference: str) -> NoReturn:
        raise DisagreementError(self._setup, list(self.calls), difference) from None


def _outcome(act: Callable[[], None]) -> str:
    """Return what came of it, in the words of the oracle."""
    try:
        act()
    except (AllocatorError, Refused) as error:
        found = f"refused: {error.refusal}"
    except OnPurposeError:
        found = f"refused: {ON_PURPOSE}"
    except DeviceError as error:
        found = f"refused: {REFUSALS[type(error)]}"
    except RollBackError as error:
        found = f"not rolled back: {error.message}"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
        found = f"crashed: {error!r}"
    else:
        found = "done"
    return found


def _kept(held: list[Any], kept: Sequence[int]) -> list[Any]:
    """Return what is kept of it: the instance always, of the others those at these positions."""
    return [one for at, one in enumerate(held) if at == 0 or at in kept]


def _in_order(wanted: Sequence[Any]) -> list[Any]:
    """Return it in the order in which a set lists it."""
    return sorted(wanted, key=lambda one: one.pool)


def _show(step: object) -> str:
    """Write a step as a call."""
    if not isinstance(step, tuple) or not step or not isinstance(step[0], str):
        return repr(step)
    name, *rest = step
    return f"{name}({', '.join(map(_show, rest))})"
