"""What the specification expects of a call. Asked of `spec.model`, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from spec.model import (
    INVALID_ALIGNMENT,
    INVALID_COUNT,
    INVALID_SIZE,
    MAX_ALIGNMENT,
    U64_MAX,
    Allocator,
    Request,
)
from vm_allocator.errors import ConflictingRequestError
from vm_allocator.modelling import (
    FiniteRanges,
    Outcome,
    Range,
    Step,
    attempt,
    is_power_of_two,
    require,
)
from vm_allocator.policy import ExactMatch, LastMatch
from vm_allocator.resource import Unit

from .recording import CONSTRUCTOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.policy import Policy
    from vm_allocator.ranges import RangeInclusive

    from .recording import Call

CONFLICT: Final = ConflictingRequestError.refusal
"""The one refusal that the model has no word for: it has no arguments that contradict."""

FITS: Final = "every sum and difference fits 64 bits"
"""What is expected of a call whose theorem watches the numbers on the way."""


@dataclass(frozen=True)
class Expected:
    """How a call ends: a refusal, or what it returns; and the state that it leaves."""

    refusal: str | None
    returned: int | list[int] | str | None
    after: Allocator | None
    """`None` only if there is no allocator: its constructor refused."""

    @property
    def outcome(self) -> str:
        """The ending, as a program shows it."""
        if self.refusal is not None:
            return f"refuses: {self.refusal}"
        return f"returns {hex(self.returned) if isinstance(self.returned, int) else self.returned}"

    @property
    def live(self) -> str:
        """The live ranges afterwards, as a program shows them."""
        return show_ranges(members(self.after)) if self.after else "nothing"


def members(state: Allocator) -> list[Range]:
    """Return the live ranges of a state on plain ints, lowest first."""
    assert isinstance(state.live, FiniteRanges)  # noqa: S101  # for the type checker
    return list(state.live)


def show_ranges(ranges: list[Range]) -> str:
    """Return ranges as a program shows them."""
    return ", ".join(f"{start:#x}-{end:#x}" for start, end in ranges) or "nothing"


def expected_of(call: Call) -> Expected:
    """Return what the specification says of the call."""
    if call.before is None or call.method == CONSTRUCTOR:
        return _made(call)
    wanted: Expected = getattr(_Specified(call.before, call.alignment), call.method)(
        *call.arguments, **call.options
    )
    return wanted


def _made(call: Call) -> Expected:
    """Make a space as the constructor of addresses (base, size, alignment) or ids does."""
    by_size = call.unit is Unit.ADDRESS
    base, extent, align, *_ = (*call.arguments, 1)
    assert isinstance(base, int)  # noqa: S101  # for the type checker
    assert isinstance(extent, int)  # noqa: S101  # likewise
    assert isinstance(align, int)  # noqa: S101  # likewise

    def make() -> Step[Allocator]:
        require(not by_size or 1 <= extent <= U64_MAX + 1, INVALID_SIZE)
        new = Allocator.initial(call.unit.top, base, base + extent - 1 if by_size else extent)
        require(1 <= align <= MAX_ALIGNMENT and is_power_of_two(align), INVALID_ALIGNMENT)
        return Step(new)

    nothing = Allocator.initial(call.unit.top, 0, 0)
    made = attempt(nothing, make)
    return Expected(made.refusal, None, made.after if made.refusal is None else None)


class _Specified:
    """The methods of an allocator, with the model in their place."""

    def __init__(self, before: Allocator, alignment: int) -> None:
        self._before = before
        self._alignment = alignment

    def allocate(
        self,
        resource: int | None,
        size: int,
        *,
        align: int | None = None,
        policy: Policy[int] | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return how `allocate` ends."""
        exact = policy.start if isinstance(policy, ExactMatch) else resource
        if resource is not None and policy is not None and exact != resource:
            return self._conflict()
        if resource is not None and policy is not None and not isinstance(policy, ExactMatch):
            return self._conflict()
        outcome = self._allocated(self._request(size, align, within), policy, exact)
        return Expected(outcome.refusal, outcome.granted and outcome.granted.start, outcome.after)

    def allocate_many(
        self,
        count: int,
        size: int,
        *,
        align: int | None = None,
        policy: Policy[int] | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return how `allocate_many` ends."""
        before, request = self._before, self._request(size, align, within)
        act = before.allocate_many_last if policy is LastMatch else before.allocate_many_first
        outcome = attempt(before, lambda: act(count, request))
        senseless = outcome.refusal in (INVALID_COUNT, INVALID_SIZE, INVALID_ALIGNMENT)
        if isinstance(policy, ExactMatch) and not senseless:
            return self._conflict()
        returned = None if outcome.refusal is not None else list(outcome.starts)
        return Expected(outcome.refusal, returned, outcome.after)

    def allocate_block(
        self,
        count: int,
        *,
        policy: Policy[int] | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return how `allocate_block` ends."""
        return self.allocate(None, count, align=count, policy=policy, within=within)

    def available(
        self,
        size: int,
        *,
        align: int | None = None,
        policy: Policy[int] | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return what `available` answers: what `allocate` would, and a refusal is no answer."""
        would = self.allocate(None, size, align=align, policy=policy, within=within)
        senseless = would.refusal in (INVALID_SIZE, INVALID_ALIGNMENT)
        return Expected(would.refusal if senseless else None, would.returned, self._before)

    def free(self, resource: int, size: int) -> Expected:
        """Return how `free` ends."""
        outcome = attempt(self._before, lambda: self._before.free(resource, size))
        return Expected(outcome.refusal, None, outcome.after)

    def update(
        self,
        old_resource: int | None,
        old_size: int | None,
        new_resource: int,
        new_size: int,
        *,
        align: int | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return how `update` ends."""
        if (old_resource is None) != (old_size is None):
            return self._conflict()
        request = self._request(new_size, align, within)
        if old_resource is None or old_size is None:
            outcome = self._allocated(request, None, new_resource)
        else:
            outcome = attempt(
                self._before,
                lambda: self._before.update(old_resource, old_size, request, new_resource),
            )
        return Expected(outcome.refusal, None, outcome.after)

    def update_many(
        self,
        changes: Sequence[tuple[RangeInclusive[int] | None, RangeInclusive[int] | None]],
        *,
        align: int | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return how `update_many` ends."""
        sides = ([change[0] for change in changes], [change[1] for change in changes])
        old, new = ([Range(r.start, r.end) for r in side if r is not None] for side in sides)
        before, request = self._before, self._request(1, align, within)
        outcome = attempt(
            before, lambda: before.update_many(old, new, request.align, request.window)
        )
        if (None, None) in changes and outcome.refusal != INVALID_ALIGNMENT:
            return self._conflict()
        return Expected(outcome.refusal, None, outcome.after)

    def move(
        self,
        old_resource: int,
        old_size: int,
        new_resource: int,
        new_size: int,
        *,
        align: int | None = None,
        within: RangeInclusive[int] | None = None,
    ) -> Expected:
        """Return how `move` ends: what it has reserved is not live to whoever looks."""
        before, request = self._before, self._request(new_size, align, within)
        old, new = Range(old_resource, old_resource + old_size - 1), request.at(new_resource)
        outcome = attempt(
            before, lambda: before.begin_move(old, new, request.align, request.window)
        )
        if outcome.refusal is not None:
            return Expected(outcome.refusal, None, outcome.after)
        show = (Unit.ADDRESS if before.top == U64_MAX else Unit.ID).show_range
        returned = f"<Move from {show(*old)} to {show(*new)}: pending>"
        return Expected(None, returned, replace(before, live=before.live.without(old)))

    def _allocated(
        self, request: Request, policy: Policy[int] | None, exact: int | None
    ) -> Outcome[Allocator]:
        before = self._before
        if exact is not None:
            return attempt(before, lambda: before.allocate_exact(request, exact))
        action = before.allocate_last if policy is LastMatch else before.allocate_first
        return attempt(before, lambda: action(request))

    def _request(self, size: int, align: int | None, within: RangeInclusive[int] | None) -> Request:
        space = Range(self._before.base, self._before.last)
        window = space if within is None else Range(within.start, within.end)
        return Request(size, self._alignment if align is None else align, window)

    def _conflict(self) -> Expected:
        return Expected(CONFLICT, None, self._before)
