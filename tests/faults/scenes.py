"""Scenes that no machine plays: other people's allocators, whole systems, a fault that is caught.

Each is run once for every instruction of the library, with an exception there. What is left in
the end is what was there in the beginning, or what the scene leaves undisturbed.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vm_allocator import (
    AddressAllocator,
    DeviceNeeds,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    Need,
    RangeInclusive,
    ResourceMap,
    SystemAllocator,
    Transaction,
    atomically,
    one_id,
    transaction,
)

from .injecting import Injection, Place, first_protected

if TYPE_CHECKING:
    from collections.abc import Callable

UNPROTECTED: Final = first_protected(Transaction.__exit__.__code__)
"""Where `with` cannot be helped: before the first step of `__exit__` (docs/faults.md)."""

SIZE: Final = GuestUsize(16)


class OnPurposeError(Exception):
    """What ends a transaction that is to be rolled back."""


class Ports:
    """Somebody else's allocator: it knows the seed interface and no more."""

    def __init__(self) -> None:
        self.live: dict[GuestAddress, GuestUsize] = {GuestAddress(8): SIZE}

    def allocate(self, resource: GuestAddress | None, size: GuestUsize) -> GuestAddress:
        start = GuestAddress(max(self.live, default=0) + 64) if resource is None else resource
        self.live[start] = size
        return start

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        del size, self.live[resource]

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
    ) -> None:
        del old_size
        if old_resource is not None:
            del self.live[old_resource]
        self.live[new_resource] = new_size


@dataclass(frozen=True, eq=False)
class Board(SystemAllocator):
    """A system of two pools, and what else the scenes play with."""

    ids: IdAllocator = field(default_factory=lambda: IdAllocator(Id(0), Id(9)))
    mmio: AddressAllocator = field(
        default_factory=lambda: AddressAllocator(GuestAddress(0), GuestUsize(256))
    )
    ports: Ports = field(default_factory=Ports)
    notes: list[str] = field(default_factory=list)
    devices: ResourceMap[str] = field(default_factory=ResourceMap)

    def state(self) -> tuple[object, ...]:
        """Return all of it, after a look at the invariants of what is ours."""
        for pool in (self.ids, self.mmio):
            pool._check()
        held = {device: list(map(str, held)) for device, held in self.devices.items()}
        moves = [move.ends for move in self.ids.moves()]
        ours = (list(self.ids), list(self.mmio), moves)
        return *ours, dict(self.ports.live), list(self.notes), held


def board() -> Board:
    """Return a board with something live in each pool, and a device."""
    made = Board()
    made.ids.allocate(Id(3))
    made.mmio.allocate(GuestAddress(32), SIZE)
    made.devices.register("nic", needs(made))
    return made


def needs(made: Board) -> DeviceNeeds:
    """Return what any device needs here."""
    return DeviceNeeds(one_id(made.ids), mmio=[Need(made.mmio, SIZE), Need(made.ports, SIZE)])


def everything(made: Board) -> Callable[[Transaction], None]:
    """Return work that does all that a transaction can do, to our pools and to the other."""

    def work(tx: Transaction) -> None:
        for pool in (made.mmio, made.ports):
            start = tx.allocate(pool, None, SIZE)
            tx.update(pool, start, SIZE, GuestAddress(128), SIZE)
            tx.free(pool, GuestAddress(128), SIZE)
            tx.update(pool, None, None, GuestAddress(144), SIZE)
        tx.allocate_many(made.ids, 3, IdCount(1))
        old, new = RangeInclusive(Id(3), Id(3)), RangeInclusive(Id(8), Id(8))
        tx.update_many(made.ids, [(old, new), (None, old)])
        one = IdCount(1)
        tx.move(made.ids, Id(3), one, Id(9), one)  # left pending
        tx.move(made.ids, Id(8), one, Id(7), one).commit()
        tx.move(made.ids, Id(7), one, Id(6), one).abort()
        tx.undo_with(made.notes.clear)
        made.notes.append("mapped")

    return work


def rolled_back(made: Board) -> Callable[[Transaction], None]:
    """Return the same work, which fails in the end."""

    def work(tx: Transaction) -> None:
        everything(made)(tx)
        raise OnPurposeError

    return work


def all_of_it(made: Board) -> None:
    """A transaction that ends well."""
    atomically(transaction(), everything(made))


def none_of_it(made: Board) -> None:
    """A transaction that is rolled back."""
    with suppress(OnPurposeError):
        atomically(transaction(), rolled_back(made))


def in_a_with_statement(made: Board) -> None:
    """The same in a `with` statement, which ends well."""
    with transaction() as tx:
        everything(made)(tx)


def undone_in_a_with_statement(made: Board) -> None:
    """The same in a `with` statement, which fails."""
    with suppress(OnPurposeError), transaction() as tx:
        rolled_back(made)(tx)


def a_part(made: Board) -> None:
    """A part of a transaction fails, whatever with; the whole goes on, and ends well."""
    with transaction() as tx:
        with suppress(BaseException):
            atomically(tx.part(), rolled_back(made))
        tx.allocate(made.ids, None)


def allocate_set(made: Board) -> None:
    """All that a device needs, past a map."""
    made.allocate_set(needs(made))


def free_set(made: Board) -> None:
    """All that a device holds, past the map."""
    made.free_set(made.devices["nic"])


def replug(made: Board) -> None:
    """A device goes and comes back, in one transaction."""

    def work(tx: Transaction) -> None:
        made.devices.unregister("nic", tx=tx)
        made.devices.register("nic", needs(made), tx=tx)
        made.devices.move("nic", made.devices["nic"].mmio[0], GuestAddress(200), tx=tx)

    atomically(transaction(), work)


def look(made: Board) -> None:
    """Everything that can be asked and changes nothing."""
    for pool in (made.ids, made.mmio):
        asked: Any = pool
        repr(asked), len(asked), list(asked), list(asked.gaps()), list(asked.reserved())
        for name in ("base", "last", "space", "size", "live_size", "free_size", "largest_gap"):
            getattr(asked, name)
        asked.copy() == asked, 3 in asked, asked.space in asked, list(asked.moves())
        asked.available(1), asked.lookup(3)
    repr(made.devices), list(made.devices.grants()), made.picture(), list(made.pools())


SCENES: Final = (
    all_of_it,
    none_of_it,
    in_a_with_statement,
    undone_in_a_with_statement,
    a_part,
    allocate_set,
    free_set,
    replug,
    look,
)


@dataclass
class Played:
    """What came of a scene: for each instruction in turn, the state that was left."""

    places: Counter[Place] = field(default_factory=Counter)
    old: int = 0
    new: int = 0
    lost: list[str] = field(default_factory=list)


def play(
    scene: Callable[[Board], None], *, visits: int, focus: str = "", one_in: int = 1
) -> Played:
    """Run a scene with an exception at each instruction in turn, at the first visits to it.

    The first loss ends it.
    `focus` names a function outside of which there is none; Of the rest, it is one
    instruction in so many.
    """
    before, undisturbed = board().state(), board()
    whole = Injection(focus=focus)
    whole.run(lambda: scene(undisturbed))
    after = undisturbed.state()
    played = Played()
    for at, place in list(enumerate(whole.places, start=1))[::one_in]:
        if played.places[place] == visits:
            continue
        played.places[place] += 1
        if place in UNPROTECTED and scene is undone_in_a_with_statement:
            continue
        made = board()
        injection = Injection(at, focus)
        injection.run(lambda made=made: scene(made))  # type: ignore[misc]  # bound now
        try:
            left: object = made.state()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            left = error
        expected = injection.raised in (None, injection.injected)
        if expected and left == after:
            played.new += 1
        elif expected and left == before and injection.raised is not None:
            played.old += 1
        else:
            code, offset = place
            where = f"{scene.__name__}: {code.co_qualname} + {offset}, instruction {at}"
            played.lost.append(f"{where}: {injection.raised!r}, {left}")
            break
    return played
