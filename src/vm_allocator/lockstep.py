"""An allocator and the model, operated together: the first difference is an error.

This is what the state machines and `replay` drive. Every operation is carried out on
both; they must grant the same start or refuse for the same reason, and afterwards have
the same live ranges and the same gaps.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NoReturn, Self

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, Request, overlaps

from .errors import AllocatorError, BrokenInvariantError
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
    """An allocator together with its oracle. Public attributes are for reading only.

    Whatever the allocator raises that is no `AllocatorError` is a disagreement too: the
    specification knows grants and refusals, and no crashes.
    """

    allocator: RangeAllocator[R, S]
    name: str = "allocator"
    model: Allocator = field(init=False)
    calls: list[Call] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        space = self.allocator.space
        top = self.allocator._unit.top  # noqa: SLF001  # the unit is what tells 32 bits from 64
        self.model = Allocator.initial(top, int(space.start), int(space.end))
        self._setup = f"{self.name} = {self.allocator!r}"
        self.compare()

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
        return self._both(
            f"allocate({self._show(resource)}, {self._show(size)}"
            f"{self._options(align=align, policy=policy, within=within)})",
            lambda: self.allocator.allocate(
                resource, size, align=align, policy=policy, within=within
            ),
            self._allocation(resource, size, align, policy, within),
        )

    def allocate_many(
        self,
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`allocate_many` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(size, align, within)
        act = (
            self.model.allocate_many_last if policy is LastMatch else self.model.allocate_many_first
        )
        expected = attempt(self.model, lambda: act(count, request))

        def operate() -> str:
            granted = self.allocator.allocate_many(
                count, size, align=align, policy=policy, within=within
            )
            return ", ".join(self._show(start) for start in granted)

        wanted = ", ".join(map(self.allocator._unit.show, expected.starts))  # noqa: SLF001  # hex
        if expected.refusal is not None:
            wanted = self._outcome(expected.refusal, None)
        options = self._options(align=align, policy=policy, within=within)
        text = f"allocate_many({count}, {self._show(size)}{options})"
        self._observe(text, wanted, operate, expected.after)
        return expected

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """Compare what `available` answers with what the model would grant; nothing changes.

        A refusal that depends on the state is the answer `None`; a request that makes no
        sense is refused by both.
        """
        would = attempt(self.model, self._allocation(None, size, align, policy, within))

        def ask() -> str:
            found = self.allocator.available(size, align=align, policy=policy, within=within)
            return self._show(found)

        if would.refusal in (INVALID_SIZE, INVALID_ALIGNMENT):
            wanted = self._outcome(would.refusal, None)
        else:
            wanted = "None" if would.granted is None else self._outcome(None, would.granted.start)
        options = self._options(align=align, policy=policy, within=within)
        self._observe(f"available({self._show(size)}{options})", wanted, ask)

    def lookup(self, resource: R) -> None:
        """Compare what both find live at `resource`; nothing changes."""
        point = Range(int(resource), int(resource))
        found = self.model.live.lowest(lambda live: overlaps(live, point))

        def ask() -> str:
            live = self.allocator.lookup(resource)
            return "None" if live is None else _show_all([Range(int(live.start), int(live.end))])

        wanted = "None" if found is None else _show_all([found])
        self._observe(f"lookup({self._show(resource)})", wanted, ask)

    def free(self, resource: R, size: S) -> Outcome[Allocator]:
        """`free` on both. Raises `DisagreementError`; a refusal is an outcome."""
        return self._both(
            f"free({self._show(resource)}, {self._show(size)})",
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
            f"update({shown}{self._options(align=align, within=within)})",
            lambda: self.allocator.update(
                old_resource, old_size, new_resource, new_size, align=align, within=within
            ),
            act,
        )

    def fork(self, name: str) -> Self:
        """Return a copy of the allocator beside its oracle; the two share one trace.

        Raises `DisagreementError` unless the copy equals the original, both ways.
        """
        twin = copy(self)
        twin.allocator = self.allocator.copy()
        twin.name = name
        self.calls.append(Call(f"{name} = {self.name}.copy()", "done", "done"))
        if self.allocator != twin.allocator or twin.allocator != self.allocator:
            self._disagree(f"{name} is not equal to {self.name}")
        twin.compare()
        return twin

    # ---- the comparison

    def _allocation(
        self,
        resource: R | None,
        size: S,
        align: int | None,
        policy: Policy[R] | None,
        within: RangeInclusive[R] | None,
    ) -> Callable[[], Step[Allocator]]:
        """Return the model's action that stands for this call of `allocate`."""
        request = self._request(size, align, within)
        start = policy.start if isinstance(policy, ExactMatch) else resource

        def act() -> Step[Allocator]:
            if start is not None:
                return self.model.allocate_exact(request, int(start))
            if policy is LastMatch:
                return self.model.allocate_last(request)
            return self.model.allocate_first(request)

        return act

    def _both(
        self, text: str, real: Callable[[], R | None], act: Callable[[], Step[Allocator]]
    ) -> Outcome[Allocator]:
        expected = attempt(self.model, act)
        wanted_start = None if expected.granted is None else expected.granted.start

        def operate() -> str:
            granted = real()
            # An update grants without a return value: what it did is in the live ranges.
            return self._outcome(None, wanted_start if granted is None else int(granted))

        self._observe(text, self._outcome(expected.refusal, wanted_start), operate, expected.after)
        return expected

    def _observe(
        self, text: str, wanted: str, real: Callable[[], str], after: Allocator | None = None
    ) -> None:
        """Carry out one call, record it, and compare its outcome and the states after it."""
        try:
            actual = real()
        except AllocatorError as error:
            actual = self._outcome(error.refusal, None)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            actual = f"crashed: {error!r}"
        self.calls.append(Call(f"{self.name}.{text}", wanted, actual))
        if after is not None:
            self.model = after
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self.compare()

    def compare(self) -> None:
        """Raise `DisagreementError` unless both have the same live ranges and the same gaps."""
        try:
            self._compare("live ranges", list(self.allocator), list(self.model.live))  # type: ignore[call-overload]  # the oracle's sets are finite
            self._compare("gaps", list(self.allocator.gaps()), list(self.model.gaps()))  # type: ignore[call-overload]  # likewise
            self.allocator._check()  # noqa: SLF001  # there for this caller
        except DisagreementError:
            raise
        except BrokenInvariantError as error:
            self._disagree(f"{self.name}: {error}")
        except Exception as error:  # noqa: BLE001  # a state that cannot even be read
            self._disagree(f"the state of {self.name} cannot be read: {error!r}")

    def _compare(self, what: str, actual: list[RangeInclusive[R]], wanted: list[Range]) -> None:
        found = [Range(int(r.start), int(r.end)) for r in actual]
        if found != wanted:
            self._disagree(
                f"expected the {what} of {self.name} to be {_show_all(wanted)}, "
                f"got {_show_all(found)}"
            )

    def _disagree(self, difference: str) -> NoReturn:
        raise DisagreementError(self._setup, list(self.calls), difference) from None

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
