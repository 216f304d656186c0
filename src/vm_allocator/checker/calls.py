"""What a target is asked to do: calls, as plain data.

A call is what goes over the wire (docs/protocol.md), and what a trace consists of. All numbers
are plain ints, ranges are inclusive, sizes count units (bytes, or ids).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from vm_allocator.modelling import Range

from .wide import Wide, shown_space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Pick(enum.Enum):
    """Where the target may put what is allocated without a start."""

    FIRST = "first"
    LAST = "last"
    ANY = "any"

    @property
    def meaning(self) -> str:
        """The policy in words."""
        return {
            Pick.FIRST: "the lowest start that fits",
            Pick.LAST: "the highest start that fits",
            Pick.ANY: "any start that fits",
        }[self]


@dataclass(frozen=True, slots=True)
class Allocate:
    """Allocate `size` units: exactly at `start` if given, else where `pick` says."""

    size: int
    start: int | None = None
    pick: Pick = Pick.FIRST
    align: int | None = None
    within: Range | None = None

    @property
    def kind(self) -> str:
        """The operation as reports and groups name it."""
        return f"allocate {'exact' if self.start is not None else self.pick.value}"


@dataclass(frozen=True, slots=True)
class Free:
    """Free the range of `size` units at `start`."""

    start: int
    size: int

    @property
    def kind(self) -> str:
        """The operation as reports and groups name it."""
        return "free"


@dataclass(frozen=True, slots=True)
class Update:
    """Free the old range and allocate exactly the new one, or change nothing."""

    old_start: int
    old_size: int
    start: int
    size: int
    align: int | None = None
    within: Range | None = None

    @property
    def kind(self) -> str:
        """The operation as reports and groups name it."""
        return "update"


@dataclass(frozen=True, slots=True)
class Batch:
    """Do these calls one after the other, all of them; if one is refused, undo those before it."""

    calls: tuple[Allocate | Free | Update, ...]

    @property
    def kind(self) -> str:
        """The operation as reports and groups name it."""
        return "batch"


Plain: TypeAlias = Allocate | Free | Update
"""The calls that are about one range, and that a batch consists of."""

Call: TypeAlias = Plain | Batch | Wide


@dataclass(frozen=True, slots=True)
class Space:
    """The interval that a target is to manage, both ends included."""

    base: int
    last: int
    pools: tuple[tuple[str, Range], ...] = ()
    """Of a target with several pools the name and the space of each, lowest first. No two of
    these share a number, so that a range tells which pool it is of; `base` and `last` are the ends
    of them all."""

    @property
    def size(self) -> int:
        """Units in it: 1 to 2^64."""
        return self.last - self.base + 1

    @property
    def range(self) -> Range:
        """The same as a range of the model."""
        return Range(self.base, self.last)

    @classmethod
    def of(cls, pools: Mapping[str, Range]) -> Space:
        """Return the space of several pools."""
        ordered = tuple(sorted(pools.items(), key=lambda pool: pool[1]))
        return cls(ordered[0][1].start, ordered[-1][1].end, ordered)

    def mapped(self, f: Callable[[int], int]) -> Space | None:
        """Return the space with its ends moved, each by its own; `None` if nothing is left."""
        ranges = [self.range, *(one for _, one in self.pools)]
        moved = [Range(f(one.start), f(one.end + 1) - 1) for one in ranges]
        if any(one.start < 0 or one.end < one.start for one in moved):
            return None
        names = [name for name, _ in self.pools]
        return Space(*moved[0], tuple(zip(names, moved[1:], strict=True)))

    def message(self) -> dict[str, list[int]]:
        """Return the pools as messages and files have them."""
        return {name: list(one) for name, one in self.pools}

    def __str__(self) -> str:
        """Write it for people."""
        return shown_space(self.base, self.last, self.pools)


# ---- replies


@dataclass(frozen=True, slots=True)
class Done:
    """The operation was carried out; `start` is where, if it was an allocation.

    `starts` is of operations that allocate several ranges: where each is, in order; `None` for
    what is no allocation.
    """

    start: int | None = None
    starts: tuple[int | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The operation was declined; `reason` is the target's own name for why.

    `at` is which call of a batch was, counted from 0, if the target tells.
    """

    reason: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The target cannot be asked this; it does not count."""

    why: str


class Failure(enum.Enum):
    """How a target can fail to answer at all."""

    CRASH = "crash"
    HANG = "hang"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer: the target is gone, or has to be given up.

    `name` is short and the same for the same defect: findings are grouped by it. `detail` is
    for people.
    """

    how: Failure
    name: str
    detail: str = ""


Reply: TypeAlias = Done | Refused | Skipped | Failed
