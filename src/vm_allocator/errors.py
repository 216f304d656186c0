"""Typed errors: each is a class, carries the values that caused it, and says what to do.

An operation that raises any of these has changed nothing. `refusal` is the name
under which `spec/model.py` knows the reason, so that an oracle can compare *why*
an allocator declined and not only *that* it did.
"""

from __future__ import annotations

from typing import ClassVar

from .resource import MAX_ALIGNMENT, MAX_COUNT, Unit


class AllocatorError(Exception):
    """Root of every error that an allocator raises on purpose."""

    refusal: ClassVar[str] = ""

    def __init__(self, unit: Unit, *values: object) -> None:
        # The values are Exception.args too, which is what makes errors survive pickling.
        super().__init__(unit, *values)
        self.unit = unit

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """One sentence for people: the values, and what to do instead."""
        raise NotImplementedError  # pragma: no cover  # abstract: every leaf class describes itself


class InvalidRequestError(AllocatorError, ValueError):
    """The request makes no sense in any state; correct the call."""


class RefusedError(AllocatorError):
    """The request makes sense and cannot be granted in this state."""


class InvalidTypeError(InvalidRequestError, TypeError):
    """A value of another type stands where an int, a window or a policy is wanted."""

    refusal = "invalid-type"

    def __init__(self, unit: Unit, name: str, value: object, wanted: str) -> None:
        super().__init__(unit, name, value, wanted)
        self.name = name
        self.value = value
        self.wanted = wanted

    def describe(self) -> str:
        kind = type(self.value).__name__
        return f"{self.name} is {self.value!r}, a {kind}: pass {self.wanted}"


class InvalidSpaceError(InvalidRequestError):
    """The space of a new allocator does not lie in the values that exist."""

    refusal = "invalid-space"

    def __init__(self, unit: Unit, base: int, span: int) -> None:
        super().__init__(unit, base, span)
        self.base = base
        self.span = span

    @property
    def last(self) -> int:
        """Last unit of that space, itself included."""
        return self.base + self.span

    def describe(self) -> str:
        show = self.unit.show
        return (
            f"a space from {show(self.base)} to {show(self.last)} is not possible: "
            f"pass one that lies in {show(0)} to {show(self.unit.top)} and is not empty"
        )


class InvalidSizeError(InvalidRequestError):
    """A size below 1, or beyond everything that exists."""

    refusal = "invalid-size"

    def __init__(self, unit: Unit, size: int) -> None:
        super().__init__(unit, size)
        self.size = size

    def describe(self) -> str:
        show = self.unit.show
        return f"size {show(self.size)} is not possible: pass 1 to {show(self.unit.top + 1)}"


class InvalidCountError(InvalidRequestError):
    """A number of ranges below 1, or beyond what one call allocates."""

    refusal = "invalid-count"

    def __init__(self, unit: Unit, count: int) -> None:
        super().__init__(unit, count)
        self.count = count

    def describe(self) -> str:
        return f"{self.count} ranges at once are not possible: pass a count of 1 to {MAX_COUNT}"


class InvalidAlignmentError(InvalidRequestError):
    """An alignment that is no power of two."""

    refusal = "invalid-alignment"

    def __init__(self, unit: Unit, align: int) -> None:
        super().__init__(unit, align)
        self.align = align

    def describe(self) -> str:
        show = self.unit.show
        return (
            f"alignment {show(self.align)} is not possible: "
            f"pass a power of two, 1 to {show(MAX_ALIGNMENT)}"
        )


class InvalidRangeError(InvalidRequestError):
    """A range that ends before it starts, or starts below 0."""

    refusal = "invalid-range"

    def __init__(self, unit: Unit, start: object, end: object) -> None:
        super().__init__(unit, start, end)
        self.start = start
        self.end = end

    def describe(self) -> str:
        show = self.unit.show
        return (
            f"range {show(self.start)}-{show(self.end)} is empty: "
            "pass a start that is at most its end"
        )


class ConflictingRequestError(InvalidRequestError):
    """Two arguments of one call contradict each other."""

    refusal = "conflicting-request"

    def __init__(self, unit: Unit, what: str) -> None:
        super().__init__(unit, what)
        self.what = what

    def describe(self) -> str:
        return self.what


class RangeRefusedError(RefusedError):
    """A refusal about one definite range: `span + 1` units from `start` on."""

    def __init__(self, unit: Unit, start: int, span: int, *more: object) -> None:
        super().__init__(unit, start, span, *more)
        self.start = start
        self.span = span

    @property
    def end(self) -> int:
        """Last unit of the range, itself included; it may lie beyond everything that exists."""
        return self.start + self.span

    def shown(self) -> str:
        """The range that was asked for, as people write it."""
        return self.unit.show_range(self.start, self.end)


class OutOfBoundsError(RangeRefusedError):
    """The range does not lie in the allocator's space."""

    refusal = "out-of-bounds"

    def __init__(self, unit: Unit, start: int, span: int, base: int, last: int) -> None:
        super().__init__(unit, start, span, base, last)
        self.base = base
        self.last = last

    def describe(self) -> str:
        space = self.unit.show_range(self.base, self.last)
        return f"{self.shown()} is not within the space {space}: choose a range inside it"


class OutsideWindowError(RangeRefusedError):
    """The range lies in the space and not in the window of the request."""

    refusal = "outside-window"

    def __init__(self, unit: Unit, start: int, span: int, first: int, last: int) -> None:
        super().__init__(unit, start, span, first, last)
        self.first = first
        self.last = last

    def describe(self) -> str:
        window = self.unit.show_range(self.first, self.last)
        return f"{self.shown()} is not within the window {window}: widen it or move the range"


class MisalignedError(RangeRefusedError):
    """The start is no multiple of the alignment."""

    refusal = "misaligned"

    def __init__(self, unit: Unit, start: int, span: int, align: int) -> None:
        super().__init__(unit, start, span, align)
        self.align = align

    def describe(self) -> str:
        align = self.unit.show(self.align)
        return f"{self.shown()} does not start at a multiple of {align}: pass an aligned start"


class OverlapError(RangeRefusedError):
    """A live range is in the way; `conflict_start` to `conflict_end` is the lowest such.

    `owner` is the tag that it was allocated with, if any.
    """

    refusal = "overlap"

    def __init__(  # noqa: PLR0917  # pickling hands the values back by position
        self,
        unit: Unit,
        start: int,
        span: int,
        conflict_start: int,
        conflict_end: int,
        owner: str | None = None,
    ) -> None:
        super().__init__(unit, start, span, conflict_start, conflict_end, owner)
        self.conflict_start = conflict_start
        self.conflict_end = conflict_end
        self.owner = owner

    def shown_conflict(self) -> str:
        """What is in the way, as people write it."""
        return self.unit.show_range(self.conflict_start, self.conflict_end)

    def describe(self) -> str:
        of = f" of {self.owner}" if self.owner else ""
        return (
            f"{self.shown()} overlaps live {self.shown_conflict()}{of}: "
            "free that first or choose another range"
        )


class HeldByPlatformError(OverlapError):
    """What is in the way is reserved for firmware or the platform: `owner` says for whom."""

    def describe(self) -> str:
        return (
            f"{self.shown()} overlaps {self.shown_conflict()}, reserved for {self.owner}: "
            "choose another range"
        )


class NotAllocatedError(RangeRefusedError):
    """Exactly this range is not live; a part of a live range is not a live range."""

    refusal = "not-allocated"

    def describe(self) -> str:
        return f"{self.shown()} is not a live range: pass exactly what was allocated"


class NotYoursError(RangeRefusedError):
    """The range is reserved for firmware or the platform: freeing or moving it is a mistake."""

    refusal = "reserved"

    def __init__(self, unit: Unit, start: int, span: int, owner: str) -> None:
        super().__init__(unit, start, span, owner)
        self.owner = owner

    def describe(self) -> str:
        return (
            f"{self.shown()} is reserved for {self.owner}: leave it alone, "
            "or give it back by `unreserve` if it is yours"
        )


class NotReservedError(RangeRefusedError):
    """Exactly this range is not reserved; a part of a reserved range is not that range."""

    refusal = "not-reserved"

    def describe(self) -> str:
        return f"{self.shown()} is not a reserved range: pass exactly what was reserved"


class _MoveInTheWayError(RangeRefusedError):
    """What names the pending move that is to blame: from where, to where, and whose it is."""

    move_old: tuple[int, int]
    move_new: tuple[int, int]
    owner: str | None

    def shown_move(self) -> str:
        """The move, as people write it."""
        old, new = (self.unit.show_range(*ends) for ends in (self.move_old, self.move_new))
        return f"pending move{f' of {self.owner}' if self.owner else ''} from {old} to {new}"


class MovePendingError(_MoveInTheWayError):
    """The range is reserved by a pending move, and no live range until that has ended."""

    refusal = "move-pending"

    def __init__(  # noqa: PLR0917  # pickling hands the values back by position
        self,
        unit: Unit,
        start: int,
        span: int,
        old_start: int,
        old_end: int,
        new_start: int,
        new_end: int,
        owner: str | None = None,
    ) -> None:
        super().__init__(unit, start, span, old_start, old_end, new_start, new_end, owner)
        self.move_old = (old_start, old_end)
        self.move_new = (new_start, new_end)
        self.owner = owner

    def describe(self) -> str:
        return f"{self.shown()} is held by the {self.shown_move()}: commit or abort that first"


class ReservedError(_MoveInTheWayError, OverlapError):
    """What is in the way is reserved by a pending move."""

    def __init__(  # noqa: PLR0917  # pickling hands the values back by position
        self,
        unit: Unit,
        start: int,
        span: int,
        conflict_start: int,
        conflict_end: int,
        old_start: int,
        old_end: int,
        new_start: int,
        new_end: int,
        owner: str | None = None,
    ) -> None:
        RangeRefusedError.__init__(
            self,
            unit,
            start,
            span,
            conflict_start,
            conflict_end,
            old_start,
            old_end,
            new_start,
            new_end,
            owner,
        )
        self.conflict_start = conflict_start
        self.conflict_end = conflict_end
        self.move_old = (old_start, old_end)
        self.move_new = (new_start, new_end)
        self.owner = owner

    def describe(self) -> str:
        conflict = self.unit.show_range(self.conflict_start, self.conflict_end)
        return (
            f"{self.shown()} overlaps reserved {conflict} of the {self.shown_move()}: "
            "choose another range, or wait until that move has ended"
        )


class MoveEndedError(InvalidRequestError):
    """The move was committed or aborted before: there is nothing left of it to end."""

    refusal = "move-ended"

    def __init__(self, unit: Unit, ending: str) -> None:
        super().__init__(unit, ending)
        self.ending = ending

    def describe(self) -> str:
        return f"this move was {self.ending} before: begin another one"


class NoSpaceError(RefusedError):
    """No aligned gap within the window is large enough: for one range, or for `count` of them.

    `fitting` of these would fit.
    """

    refusal = "no-space"

    def __init__(  # noqa: PLR0917  # pickling hands the values back by position
        self,
        unit: Unit,
        span: int,
        align: int,
        first: int,
        last: int,
        count: int = 1,
        fitting: int = 0,
    ) -> None:
        super().__init__(unit, span, align, first, last, count, fitting)
        self.span = span
        self.align = align
        self.first = first
        self.last = last
        self.count = count
        self.fitting = fitting

    @property
    def size(self) -> int:
        """Units that were asked for: 1 to 2^64."""
        return self.span + 1

    def describe(self) -> str:
        show = self.unit.show
        window = self.unit.show_range(self.first, self.last)
        request = f"{show(self.size)} aligned to {show(self.align)} within {window}"
        if self.count == 1:
            return f"no room for {request}: free something, or ask for less"
        return (
            f"no room for {self.count} times {request}, only for {self.fitting} of them: "
            "free something, or ask for fewer"
        )


class BrokenInvariantError(AssertionError):
    """An allocator found its own state damaged: a defect of this library, never of the caller."""


def hold(invariant: str, holds: bool, state: object) -> None:  # noqa: FBT001  # reads as a sentence
    """Raise `BrokenInvariantError` with the name of the invariant and the state unless it holds."""
    if not holds:
        raise BrokenInvariantError(f"broken invariant: {invariant}; {state}")
