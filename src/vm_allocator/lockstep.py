"""An allocator and the model, operated together: the first difference is an error.

This is what the state machines and `replay` drive. Every operation is carried out on
both; they must grant the same start or refuse for the same reason, and afterwards have
the same live ranges and the same gaps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from spec.model import Allocator, Request

from .errors import AllocatorError
from .modelling import Outcome, Range, attempt
from .policy import ExactMatch, LastMatch, Policy
from .resource import R, S

if TYPE_CHECKING:
    from collections.abc import Callable

    from .address import RangeAllocator
    from .modelling import Step
    from .ranges import RangeInclusive


@dataclass(frozen=True)
class Call:
    """One operation as it was called, and what the allocator and the model made of it."""

    text: str
    expected: str
    actual: str

    def __str__(self) -> str:
        if self.expected == self.actual:
            return f"{self.text}  # {self.actual}"
        return f"{self.text}  # {self.actual}; the specification says: {self.expected}"


class DisagreementError(AssertionError):
    """The allocator did something else than the model; carries the calls that led there."""

    def __init__(self, setup: str, calls: list[Call], difference: str) -> None:
        super().__init__(setup, calls, difference)
        self.setup = setup
        self.calls = calls
        self.difference = difference

    def __str__(self) -> str:
        return "\n".join([self.difference, "", self.setup, *map(str, self.calls)])


@dataclass
class Lockstep(Generic[R, S]):
    """An allocator together with its oracle. Public attributes are for reading only."""

    allocator: RangeAllocator[R, S]
    model: Allocator = field(init=False)
    calls: list[Call] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        space = self.allocator.space
        top = self.allocator._unit.top  # noqa: SLF001  # the unit is what tells 32 bits from 64
        self.model = Allocator.initial(top, int(space.start), int(space.end))
        self._setup = f"allocator = {self.allocator!r}"
        self._compare_states()

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`allocate` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(size, align, within)
        start = policy.start if isinstance(policy, ExactMatch) else resource

        def act() -> Step[Allocator]:
            if start is not None:
                return self.model.allocate_exact(request, int(start))
            if policy is LastMatch:
                return self.model.allocate_last(request)
            return self.model.allocate_first(request)

        return self._both(
            f"allocator.allocate({self._show(resource)}, {self._show(size)}"
            f"{self._options(align=align, policy=policy, within=within)})",
            lambda: self.allocator.allocate(
                resource, size, align=align, policy=policy, within=within
            ),
            act,
        )

    def free(self, resource: R, size: S) -> Outcome[Allocator]:
        """`free` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._both(
            f"allocator.free({self._show(resource)}, {self._show(size)})",
            lambda: self.allocator.free(resource, size),
            lambda: self.model.free(int(resource), int(size)),
        )

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`update` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(new_size, align, within)
        start = int(new_resource)

        def act() -> Step[Allocator]:
            if old_resource is None or old_size is None:
                return self.model.allocate_exact(request, start)
            return self.model.update(int(old_resource), int(old_size), request, start)

        shown = ", ".join(map(self._show, (old_resource, old_size, new_resource, new_size)))
        return self._both(
            f"allocator.update({shown}{self._options(align=align, within=within)})",
            lambda: self.allocator.update(
                old_resource, old_size, new_resource, new_size, align=align, within=within
            ),
            act,
        )

    # ---- the comparison

    def _both(
        self, text: str, real: Callable[[], R | None], act: Callable[[], Step[Allocator]]
    ) -> Outcome[Allocator]:
        expected = attempt(self.model, act)
        granted: R | None = None
        refusal: str | None = None
        try:
            granted = real()
        except AllocatorError as error:
            refusal = error.refusal
        wanted_start = None if expected.granted is None else expected.granted.start
        wanted = self._outcome(expected.refusal, wanted_start)
        # An update grants without a return value: what it did is in the live ranges.
        actual = self._outcome(refusal, wanted_start if granted is None else int(granted))
        self.calls.append(Call(text, wanted, actual))
        self.model = expected.after
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self._compare_states()
        return expected

    def _compare_states(self) -> None:
        for what, actual, expected in (
            ("live ranges", self.allocator, self.model.live),
            ("gaps", self.allocator.gaps(), self.model.gaps()),
        ):
            found = [Range(int(r.start), int(r.end)) for r in actual]
            wanted = list(expected)  # type: ignore[call-overload]  # the oracle's sets are finite
            if found != wanted:
                self._disagree(f"expected the {what} {_show_all(wanted)}, got {_show_all(found)}")
        try:
            self.allocator._check()  # noqa: SLF001  # there for this caller
        except AssertionError as error:
            self._disagree(str(error))

    def _disagree(self, difference: str) -> None:
        raise DisagreementError(self._setup, self.calls, difference)

    # ---- words

    def _request(self, size: S, align: int | None, within: RangeInclusive[R] | None) -> Request:
        window = self.allocator.space if within is None else within
        return Request(
            int(size),
            self.allocator.alignment if align is None else align,
            Range(int(window.start), int(window.end)),
        )

    def _show(self, value: R | S | None) -> str:
        return self.allocator._unit.show(value)  # noqa: SLF001  # hex for addresses

    @staticmethod
    def _options(**options: object) -> str:
        return "".join(f", {key}={value!r}" for key, value in options.items() if value is not None)

    def _outcome(self, refusal: str | None, start: int | None) -> str:
        if refusal is not None:
            return f"refused: {refusal}"
        return "done" if start is None else self.allocator._unit.show(start)  # noqa: SLF001  # hex


def _show_all(ranges: list[Range]) -> str:
    return ", ".join(f"{start:#x}-{end:#x}" for start, end in ranges) or "none"
