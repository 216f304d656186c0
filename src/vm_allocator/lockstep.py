"""An allocator and the model, operated together: the first difference is an error.

This is what the state machines and `replay` drive. Every operation is carried out on
both; they must grant the same start or refuse for the same reason, and afterwards have
the same live ranges and the same gaps.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, Literal, NoReturn, Self

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, Request, outside, overlaps

from .errors import AllocatorError, BrokenInvariantError, MovePendingError
from .modelling import Outcome, Range, Refused, attempt
from .policy import ExactMatch, LastMatch, Policy
from .resource import R, S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .address import RangeAllocator
    from .modelling import Step
    from .ranges import RangeInclusive


MOVE_PENDING: Final = MovePendingError.refusal
"""To the model, what a move has reserved is live; to everybody else, it is not."""


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
    pending: tuple[tuple[Range, Range, int], ...] = field(init=False, default=())
    """The moves that were begun, from where to where, and the alignment that was asked for."""

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
        found = self.model.live.lowest(lambda live: overlaps(live, point) and not self._holds(live))

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
            self._unless_held(
                lambda: self.model.free(int(resource), int(size)), int(resource), int(size)
            ),
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
            old, units = int(old_resource), int(old_size)
            return self._unless_held(
                lambda: self.model.update(old, units, request, start), old, units
            )()

        shown = ", ".join(map(self._show, (old_resource, old_size, new_resource, new_size)))
        return self._both(
            f"update({shown}{self._options(align=align, within=within)})",
            lambda: self.allocator.update(
                old_resource, old_size, new_resource, new_size, align=align, within=within
            ),
            act,
        )

    def update_many(
        self,
        changes: Sequence[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> Outcome[Allocator]:
        """`update_many` on both. Raises `DisagreementError`; a refusal is an outcome."""
        old, new = (
            [Range(int(one.start), int(one.end)) for one in side if one is not None]
            for side in ([change[0] for change in changes], [change[1] for change in changes])
        )
        granule = self.allocator.alignment if align is None else align
        window = self.allocator.space if within is None else within
        whole = Range(int(window.start), int(window.end))
        free = next((at for at, one in enumerate(old) if self._is_named(one)), len(old))

        def act() -> Step[Allocator]:
            if free < len(old):  # what comes before it in the list is refused before it
                self.model.update_many(old[:free], (), granule, whole)
                raise Refused(MOVE_PENDING)
            return self.model.update_many(old, new, granule, whole)

        expected = attempt(self.model, act)
        wanted = self._outcome(expected.refusal, None)

        def operate() -> str:
            self.allocator.update_many(changes, align=align, within=within)
            return self._outcome(None, None)

        options = self._options(align=align, within=within)
        self._observe(f"update_many({changes!r}{options})", wanted, operate, expected.after)
        return expected

    def begin_move(  # the arguments of `move`, for the model as they are
        self,
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> Outcome[Allocator]:
        """`move` on both. Raises `DisagreementError`; a refusal is an outcome."""
        request = self._request(new_size, align, within)
        units = int(old_size)
        old = Range(int(old_resource), int(old_resource) + units - 1)
        new = request.at(int(new_resource))

        def act() -> Step[Allocator]:
            self.model.update(old.start, units, request, new.start)  # refused for its reasons
            return self.model.begin_move(old, new, request.align, request.window)

        expected = attempt(self.model, self._unless_held(act, old.start, units))
        if expected.refusal is None:
            self.pending = (*self.pending, (old, new, request.align))

        def operate() -> str:
            self.allocator.move(
                old_resource,
                old_size,
                new_resource,
                new_size,
                align=align,
                within=within,
                owner=owner,
            )
            return self._outcome(None, None)

        ends: tuple[R | S, ...] = (old_resource, old_size, new_resource, new_size)
        shown = ", ".join(map(self._show, ends))
        options = self._options(align=align, within=within, owner=owner)
        wanted = self._outcome(expected.refusal, None)
        self._observe(f"move({shown}{options})", wanted, operate, expected.after)
        return expected

    def end_move(self, number: int, end: Literal["commit", "abort"]) -> None:
        """End one of the pending moves on both, if there are any. Raises `DisagreementError`."""
        if not self.pending:
            return
        number %= len(self.pending)
        old, new, align = self.pending[number]
        before = self.model
        expected = attempt(
            before,
            lambda: (
                before.commit_move(old, new, align)
                if end == "commit"
                else before.abort_move(old, new)
            ),
        )
        self.pending = (*self.pending[:number], *self.pending[number + 1 :])

        def operate() -> str:
            move = list(self.allocator.moves())[number]
            getattr(move, end)()
            return self._outcome(None, None)

        wanted = self._outcome(expected.refusal, None)
        text = f"list({self.name}.moves())[{number}].{end}()"
        self._observe(text, wanted, operate, expected.after, of="")

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
        self,
        text: str,
        wanted: str,
        real: Callable[[], str],
        after: Allocator | None = None,
        of: str | None = None,
    ) -> None:
        """Carry out one call, record it, and compare its outcome and the states after it."""
        try:
            actual = real()
        except AllocatorError as error:
            actual = self._outcome(error.refusal, None)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            actual = f"crashed: {error!r}"
        called = f"{self.name}." if of is None else of
        self.calls.append(Call(f"{called}{text}", wanted, actual))
        if after is not None:
            self.model = after
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self.compare()

    def compare(self) -> None:
        """Raise `DisagreementError` unless both have the same live ranges and the same gaps."""
        try:
            taken: list[Range] = list(self.model.live)  # type: ignore[call-overload]  # the oracle's sets are finite
            held = [one for one in taken if self._holds(one)]
            free = [one for one in taken if one not in held]
            self._compare("live ranges", list(self.allocator), free)
            reserved = [one for one, _ in self.allocator.reserved()]
            self._compare("reserved ranges", reserved, held)
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

    def _holds(self, one: Range) -> bool:
        """Whether a pending move has reserved exactly this range."""
        return any(one in (old, *outside(old, new)) for old, new, _ in self.pending)

    def _is_named(self, one: Range) -> bool:
        """Whether it is that, or the whole of a new range: what is refused as pending."""
        return self._holds(one) or any(one == new for _, new, _ in self.pending)

    def _unless_held(
        self, act: Callable[[], Step[Allocator]], start: int, size: int
    ) -> Callable[[], Step[Allocator]]:
        """Return what the model does; but what a move holds is no live range to anybody."""
        named = self._is_named(Range(start, start + size - 1))

        def guarded() -> Step[Allocator]:
            if not named:
                return act()
            outcome = attempt(self.model, act)
            nonsense = outcome.refusal in (INVALID_SIZE, INVALID_ALIGNMENT)
            raise Refused(outcome.refusal if nonsense and outcome.refusal else MOVE_PENDING)

        return guarded

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
