"""Calls that are about several ranges, or about a range for longer than a moment.

Each knows how it is written down, shown, and made smaller: what reads calls asks it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from vm_allocator.modelling import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Fields: TypeAlias = dict[str, Any]
Change: TypeAlias = tuple[Range | None, Range | None]


@dataclass(frozen=True, slots=True)
class Wide(ABC):
    """A call whose ranges are in its fields, alone or in tuples."""

    kind: ClassVar[str]
    """The operation as reports and groups name it, and as messages do."""

    operation: ClassVar[str]
    """The operation of the handshake that it belongs to."""

    @property
    def align(self) -> int | None:
        """The alignment that is asked for, if any."""
        return None

    @property
    def within(self) -> Range | None:
        """The window that is asked for, if any."""
        return None

    @abstractmethod
    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md, `op` included."""

    @abstractmethod
    def words(self) -> str:
        """Write the call as a program would."""

    @abstractmethod
    def places(self) -> list[tuple[str, Range]]:
        """Return the ranges that it names, each with what it is: old, asked or window."""

    @abstractmethod
    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call with each of its ranges changed."""

    def simpler(self) -> Iterator[Self]:
        """Yield the call without one of its parts, each time another one."""
        for name in ("align", "within"):
            if getattr(self, name, None) is not None:
                yield replace(self, **{name: None})

    def smaller(self) -> Iterator[Self]:
        """Yield the call with a number smaller that is in none of its ranges."""
        return iter(())

    def moved(self, before: tuple[Range, ...]) -> tuple[Range, ...]:
        """Return what is live after it, as far as the call alone tells."""
        gone = self.old()
        return (*(one for one in before if one not in gone), *self.asked())

    def old(self) -> list[Range]:
        """Return what it frees or moves: ranges that have to be live."""
        return [one for what, one in self.places() if what == "old"]

    def asked(self) -> list[Range]:
        """Return what is to be live after it."""
        return [one for what, one in self.places() if what == "asked"]

    def numbers(self) -> list[int]:
        """Return every number of it."""
        found = [number for _, one in self.places() for number in one]
        align = getattr(self, "align", None)
        return found if align is None else [*found, align]

    def options(self) -> int:
        """Return how many parts it has that it could do without."""
        return sum(getattr(self, one.name) is not None for one in fields(self)) - 1


@dataclass(frozen=True, slots=True)
class UpdateMany(Wide):
    """Move, free and allocate ranges at once: all of the changes, or none."""

    kind: ClassVar[str] = "update_many"
    operation: ClassVar[str] = "update_many"

    changes: tuple[Change, ...]
    align: int | None = None
    within: Range | None = None

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        changes = [[_listed(old), _listed(new)] for old, new in self.changes]
        return {"op": self.kind, "changes": changes, **_options(self.align, self.within)}

    def words(self) -> str:
        """Write the call as a program would."""
        changes = ", ".join(f"{_named(old)} -> {_named(new)}" for old, new in self.changes)
        return f"update_many([{changes}]{shown_options(self.align, self.within)})"

    def places(self) -> list[tuple[str, Range]]:
        """Return the ranges that it names."""
        found = [("old", old) for old, _ in self.changes if old is not None]
        found += [("asked", new) for _, new in self.changes if new is not None]
        return found if self.within is None else [*found, ("window", self.within)]

    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call with each of its ranges changed."""
        changes = tuple(
            (None if old is None else change(old), None if new is None else change(new))
            for old, new in self.changes
        )
        within = None if self.within is None else change(self.within)
        return replace(self, changes=changes, within=within)

    def simpler(self) -> Iterator[Self]:
        """Yield the call with a change or a side of one left out."""
        yield from Wide.simpler(self)
        for at, (old, new) in enumerate(self.changes):
            others: list[tuple[Change, ...]] = [()]
            if old is not None and new is not None:
                others += [((old, None),), ((None, new),)]
            for other in others:
                yield replace(self, changes=(*self.changes[:at], *other, *self.changes[at + 1 :]))

    def options(self) -> int:
        """Return how many parts it has that it could do without: each side of a change is one."""
        sides = sum(side is not None for change in self.changes for side in change)
        return sides + (self.align is not None) + (self.within is not None)


@dataclass(frozen=True, slots=True)
class BeginMove(Wide):
    """Begin a move in two phases: both ranges are reserved until it ends."""

    kind: ClassVar[str] = "move_begin"
    operation: ClassVar[str] = "move"

    old_range: Range
    new_range: Range
    align: int | None = None
    within: Range | None = None

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        new = {"start": self.new_range.start, "size": _size(self.new_range)}
        options = _options(self.align, self.within)
        return {"op": self.kind, **_old(self.old_range), **new, **options}

    def words(self) -> str:
        """Write the call as a program would."""
        options = shown_options(self.align, self.within)
        return f"move_begin({_sized(self.old_range)}, {_sized(self.new_range)}{options})"

    def places(self) -> list[tuple[str, Range]]:
        """Return the ranges that it names."""
        found = [("old", self.old_range), ("asked", self.new_range)]
        return found if self.within is None else [*found, ("window", self.within)]

    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call with each of its ranges changed."""
        within = None if self.within is None else change(self.within)
        old, new = change(self.old_range), change(self.new_range)
        return replace(self, old_range=old, new_range=new, within=within)

    def moved(self, before: tuple[Range, ...]) -> tuple[Range, ...]:
        """Return what is live after it: neither of the two."""
        return tuple(one for one in before if one != self.old_range)


@dataclass(frozen=True, slots=True)
class EndMove(Wide):
    """End a move that was begun, told by its old range."""

    operation: ClassVar[str] = "move"

    old_range: Range

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        return {"op": self.kind, **_old(self.old_range)}

    def words(self) -> str:
        """Write the call as a program would."""
        return f"{self.kind}({_sized(self.old_range)})"

    def places(self) -> list[tuple[str, Range]]:
        """Return the range that it names."""
        return [("pending", self.old_range)]

    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call with its range changed."""
        return replace(self, old_range=change(self.old_range))


@dataclass(frozen=True, slots=True)
class CommitMove(EndMove):
    """End it with the old range free and the new one live."""

    kind: ClassVar[str] = "move_commit"


@dataclass(frozen=True, slots=True)
class AbortMove(EndMove):
    """End it with the old range live, as before."""

    kind: ClassVar[str] = "move_abort"

    def moved(self, before: tuple[Range, ...]) -> tuple[Range, ...]:
        """Return what is live after it: the old range again."""
        return (*before, self.old_range)


@dataclass(frozen=True, slots=True)
class Reload(Wide):
    """Save the state, and go on with what is restored of it: nothing may have changed."""

    kind: ClassVar[str] = "reload"
    operation: ClassVar[str] = "snapshot"

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        return {"op": self.kind}

    def words(self) -> str:
        """Write the call as a program would."""
        return "restore(save())"

    def places(self) -> list[tuple[str, Range]]:
        """Return the ranges that it names: none."""
        return []

    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call as it is."""
        del change
        return self

    def options(self) -> int:
        """Return how many parts it has that it could do without: none."""
        return 0


# ---- words


def shown(number: int) -> str:
    """Write a number as people read it: hex where a digit does not do."""
    return str(number) if -10 < number < 10 else hex(number)  # noqa: PLR2004  # one digit is one digit


def shown_range(one: Range) -> str:
    """Write an inclusive range."""
    start, end = one
    return shown(start) if start == end else f"{shown(start)}-{shown(end)}"


def shown_options(align: int | None, within: Range | None) -> str:
    """Write what else is asked of a range."""
    options = "" if align is None else f", align={shown(align)}"
    return options if within is None else f"{options}, within={shown_range(within)}"


def shown_space(base: int, last: int, pools: tuple[tuple[str, Range], ...]) -> str:
    """Write a space: of several pools the name and the space of each."""
    if not pools:
        return shown_range(Range(base, last))
    return ", ".join(f"{name} {shown_range(one)}" for name, one in pools)


def _named(one: Range | None) -> str:
    return "nothing" if one is None else shown_range(one)


def _sized(one: Range) -> str:
    return f"{shown(one.start)}, {shown(_size(one))}"


def _size(one: Range) -> int:
    return one.end - one.start + 1


def _old(one: Range) -> Fields:
    return {"old_start": one.start, "old_size": _size(one)}


def _listed(one: Range | None) -> list[int] | None:
    return None if one is None else list(one)


def _options(align: int | None, within: Range | None) -> Fields:
    found: Fields = {} if align is None else {"align": align}
    return found if within is None else {**found, "within": list(within)}
