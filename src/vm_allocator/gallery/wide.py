"""Correct allocators that do several things at once, or in two phases; and bugs of such.

All bend `ListAllocator`. The docstring of a class that is a bug is the cause.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from vm_allocator.ranges import RangeInclusive

from .ranges import DeclinedError, Gap, ListAllocator, Options, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vm_allocator.policy import Order

    Inclusive: TypeAlias = RangeInclusive[int]
    Changes: TypeAlias = Sequence[tuple[Inclusive | None, Inclusive | None]]


class Listing(ListAllocator):
    """A `ListAllocator` that tells what is live."""

    profile: ClassVar[dict[str, object]] = {"operations": ["allocate", "free", "update", "live"]}

    def live(self) -> list[Inclusive]:
        """Return the live ranges, lowest first."""
        return [
            RangeInclusive(start, start + size - 1) for start, size in sorted(self.held.items())
        ]


# ---- many at once


class ManyAllocator(Listing):
    """Changes of many ranges at once: all old ones are freed before a new one is taken. Correct."""

    profile: ClassVar[dict[str, object]] = {
        "operations": ["allocate", "free", "update", "update_many", "live"]
    }

    def update_many(
        self, changes: Changes, *, align: int = 1, within: Inclusive | None = None
    ) -> None:
        """Make all of the changes, or none. Raises `DeclinedError`."""
        self.check(1, align)
        before = list(self.gaps), dict(self.held)
        try:
            self.change(changes, {"align": align, "within": within})
        except DeclinedError:
            self.gaps, self.held = before
            raise

    def change(self, changes: Changes, options: Options) -> None:
        """Free all old ranges, then take all new ones; it may be declined half-way."""
        for old, _ in changes:
            if old is not None:
                self.free(old.start, old.size)
        for _, new in changes:
            if new is not None:
                self.allocate(new.start, new.size, **options)


class SwapRefused(ManyAllocator):
    """Ranges are moved one after the other: two that change places are in each other's way."""

    def change(self, changes: Changes, options: Options) -> None:
        """Make one change after the other."""
        for change in changes:
            super().change([change], options)


# ---- two phases


class PendingMove:
    """A move that was begun."""

    def __init__(self, allocator: MovingAllocator, old: Place, new: Place) -> None:
        self.allocator = allocator
        self.old, self.new = old, new
        self.ended = False

    def parts(self) -> list[Place]:
        """Return the parts of the new range that lie outside of the old one."""
        first, last = self.old[0], sum(self.old) - 1
        start, end = self.new[0], sum(self.new) - 1
        parts = [Gap(start, min(end, first - 1)), Gap(max(start, last + 1), end)]
        return [
            (part.first, part.last - part.first + 1) for part in parts if part.first <= part.last
        ]

    def commit(self) -> None:
        """Free the old range, and let the new one be live. Raises `DeclinedError`."""
        self.end()
        self.allocator.committed(self)

    def abort(self) -> None:
        """Let the old range be live again. Raises `DeclinedError`."""
        self.end()
        self.allocator.aborted(self)

    def end(self) -> None:
        """Note that it ends, once."""
        if self.ended:
            raise DeclinedError("ended before")
        self.ended = True


class MovingAllocator(Listing):
    """Moves in two phases: while one is pending, both ranges are out of reach. Correct."""

    profile: ClassVar[dict[str, object]] = {
        "operations": ["allocate", "free", "update", "move", "live"]
    }

    def move(
        self,
        old_resource: int,
        old_size: int,
        new_resource: int,
        new_size: int,
        *,
        align: int = 1,
        within: Inclusive | None = None,
    ) -> PendingMove:
        """Begin a move. Raises `DeclinedError`."""
        old, new = (old_resource, old_size), (new_resource, new_size)
        before = list(self.gaps), dict(self.held)
        self.relocate(old, new, {"align": align, "within": within})
        self.gaps, self.held = before
        move = PendingMove(self, old, new)
        self.begun(move)
        return move

    def begun(self, move: PendingMove) -> None:
        """Reserve both ranges: what is in no gap and not held is out of reach."""
        del self.held[move.old[0]]
        for start, size in move.parts():
            self.take(start, size)
            del self.held[start]

    def committed(self, move: PendingMove) -> None:
        """Give back what is reserved, and take the new range."""
        for start, size in (move.old, *move.parts()):
            self.give_back(Gap(start, start + size - 1))
        self.take(*move.new)

    def aborted(self, move: PendingMove) -> None:
        """Give back what is reserved beside the old range."""
        for start, size in move.parts():
            self.give_back(Gap(start, start + size - 1))
        self.held[move.old[0]] = move.old[1]


class OldIsFreeAtOnce(MovingAllocator):
    """The old range is free from the beginning: the hypervisor has still to let go of it."""

    def begun(self, move: PendingMove) -> None:
        """Reserve the new range only."""
        old_start, old_size = move.old
        del self.held[old_start]
        self.give_back(Gap(old_start, old_start + old_size - 1))
        self.take(*move.new)
        del self.held[move.new[0]]

    def committed(self, move: PendingMove) -> None:
        """Let the new range be live."""
        self.held[move.new[0]] = move.new[1]

    def aborted(self, move: PendingMove) -> None:
        """Give the new range back, and take the old one again."""
        start, size = move.new
        self.give_back(Gap(start, start + size - 1))
        self.take(*move.old)


# ---- snapshots


class SavingAllocator(Listing):
    """Saves what is live, and replays it into a fresh allocator. Correct."""

    def save(self) -> dict[str, Any]:
        """Return what is live, and the space, as plain data."""
        return {"space": self.space, "held": sorted(self.held.items())}

    @classmethod
    def restore(cls, data: dict[str, Any]) -> SavingAllocator:
        """Return an allocator in which all of that is live."""
        first, last = data["space"]
        made = cls(first, last - first + 1)
        for start, size in made.replayed(data["held"]):
            made.allocate(start, size)
        return made

    def replayed(self, held: list[Place]) -> list[Place]:
        """Return what is allocated again."""
        return held


class SomeAreNotReplayed(SavingAllocator):
    """Some allocations are not replayed on restore: what comes next collides with them."""

    def replayed(self, held: list[Place]) -> list[Place]:
        """Return all but the last."""
        return held[:-1]


class StaleStateIsUsed(SavingAllocator):
    """The first state that was saved is kept, and restored again later on."""

    saved: dict[str, Any] | None = None

    def save(self) -> dict[str, Any]:
        """Return what was saved before, if anything was."""
        if self.saved is None:
            self.saved = super().save()
        return self.saved

    @classmethod
    def restore(cls, data: dict[str, Any]) -> SavingAllocator:
        """Return the allocator, which remembers what it was made of."""
        made = super().restore(data)
        if isinstance(made, cls):
            made.saved = data
        return made


# ---- transactions


class Log:
    """The operations of one transaction, each with what undoes it."""

    def __init__(self, allocator: BatchAllocator) -> None:
        self.allocator = allocator
        self.undos: list[Callable[[], object]] = []

    def allocate(
        self,
        resource: int | None,
        size: int,
        *,
        align: int = 1,
        policy: Order | None = None,
        within: Inclusive | None = None,
    ) -> int:
        """Allocate, and note how to undo it."""
        chosen = {} if policy is None else {"policy": policy}
        start = self.allocator.allocate(resource, size, align=align, within=within, **chosen)
        self.undos.append(lambda: self.allocator.free(start, size))
        return start

    def free(self, resource: int, size: int) -> None:
        """Free, and note how to undo it."""
        self.allocator.free(resource, size)
        self.undos.append(lambda: self.allocator.take(resource, size))

    def update(
        self,
        old_resource: int,
        old_size: int,
        new_resource: int,
        new_size: int,
        *,
        align: int = 1,
        within: Inclusive | None = None,
    ) -> None:
        """Move, and note how to undo it."""
        old, new = (old_resource, old_size), (new_resource, new_size)
        self.allocator.relocate(old, new, {"align": align, "within": within})
        undo: Options = {"align": 1, "within": None}
        self.undos.append(lambda: self.allocator.relocate(new, old, undo))


class BatchAllocator(Listing):
    """Transactions: what was done is undone, the last first, if the block is left. Correct."""

    profile: ClassVar[dict[str, object]] = {
        "operations": ["allocate", "free", "update", "batch", "live"]
    }

    @contextmanager
    def transaction(self) -> Iterator[Log]:
        """Begin a transaction."""
        log = self.log()
        try:
            yield log
        except BaseException:
            self.roll_back(log)
            raise

    def log(self) -> Log:
        """Return what a transaction is noted in."""
        return Log(self)

    def roll_back(self, log: Log) -> None:
        """Undo what was done."""
        for undo in reversed(log.undos):
            undo()


class _NotesTheAttempt(Log):
    def allocate(self, resource: int | None, size: int, **options: Any) -> int:
        """Note first what is to be released, then allocate."""
        if resource is None:
            return super().allocate(resource, size, **options)
        self.undos.append(lambda: self.release(resource))
        return self.allocator.allocate(resource, size, **options)

    def release(self, start: int) -> None:
        """Free what is there."""
        if start in self.allocator.held:
            self.allocator.free(start, self.allocator.held[start])


class RollBackReleasesTheRefused(BatchAllocator):
    """A reservation that fails is cleaned up like those that did not: its holder loses it."""

    def log(self) -> Log:
        """Return what notes an operation before it is done."""
        return _NotesTheAttempt(self)


class RollBackReleasesEverything(BatchAllocator):
    """The roll-back gives up all that is claimed, and not only what this caller has claimed."""

    def roll_back(self, log: Log) -> None:
        """Forget everything."""
        del log
        self.gaps, self.held = [self.space], {}
