"""An allocator beside the model: what was called, what came of it, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, NoReturn

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, Allocator, Request, outside

from .errors import AllocatorError, BrokenInvariantError, MovePendingError
from .modelling import Outcome, Range, Refused, attempt
from .resource import R, S

if TYPE_CHECKING:
    from collections.abc import Callable

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
class Beside(Generic[R, S]):
    """An allocator with its oracle beside it, and how the two are compared after each call."""

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

    # ---- the comparison

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
                f"expected the {what} of {self.name} to be {show_all(wanted)}, "
                f"got {show_all(found)}"
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


def show_all(ranges: list[Range]) -> str:
    """Return the ranges as the traces write them."""
    return ", ".join(f"{start:#x}-{end:#x}" for start, end in ranges) or "none"
