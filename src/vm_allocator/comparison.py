"""An allocator beside the model: what was called, what came of it, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NoReturn

from spec.model import Allocator, Request
from spec.moves import Moving

from .errors import AllocatorError, BrokenInvariantError
from .modelling import Outcome, Range, Refused, attempt
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
class Beside(Generic[R, S]):
    """An allocator with its oracle beside it, and how the two are compared after each call."""

    allocator: RangeAllocator[R, S]
    name: str = "allocator"
    state: Moving = field(init=False)
    """The oracle, with the moves that are pending and what the platform holds."""
    calls: list[Call] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        space = self.allocator.space
        top = self.allocator._unit.top  # noqa: SLF001  # the unit is what tells 32 bits from 64
        self.state = Moving(Allocator.initial(top, int(space.start), int(space.end)))
        self._setup = f"{self.name} = {self.allocator!r}"
        self._empty = self.allocator._index.copy()  # noqa: SLF001  # an index just like it
        self.compare()

    @property
    def model(self) -> Allocator:
        """The state of the oracle, where what is reserved counts as live."""
        return self.state.allocator

    # ---- the comparison

    def _granted(
        self,
        text: str,
        real: Callable[[], R],
        act: Callable[[Allocator], Step[Allocator]],
        size: int,
        owner: str | None,
    ) -> Outcome[Allocator]:
        """Allocate on both, and compare."""
        expected = attempt(self.model, lambda: act(self.model))
        wanted = self._outcome(
            expected.refusal, None if expected.granted is None else expected.granted.start
        )
        after = self.state
        if expected.refusal is None:
            after = self.state.grant(act, size, owner)[0]
        self._observe(text, wanted, lambda: self._outcome(None, int(real())), after)
        return expected

    def _changed(
        self, text: str, real: Callable[[], object], act: Callable[[], Moving]
    ) -> Outcome[Allocator]:
        """Carry out on both what grants nothing that is returned, and compare."""
        after, refusal = self.state, None
        try:
            after = act()
        except Refused as refused:
            refusal = refused.refusal

        def operate() -> str:
            real()
            return self._outcome(None, None)

        self._observe(text, self._outcome(refusal, None), operate, after)
        return Outcome(self.model, None, refusal)

    def _observe(
        self,
        text: str,
        wanted: str,
        real: Callable[[], str],
        after: Moving | None = None,
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
            self.state = after
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self.compare()

    def compare(self) -> None:
        """Raise `DisagreementError` unless both have the same live ranges and the same gaps."""
        try:
            live, held = list(self.state.live()), sorted(self.state.reserved())
            self._compare("live ranges", list(self.allocator), live)
            reserved = [one for one, _ in self.allocator.reserved()]
            self._compare("reserved ranges", reserved, held)
            self._compare_owners([*live, *held])
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

    def _compare_owners(self, ranges: list[Range]) -> None:
        if not (self.state.owners or self.state.moves or self.state.holds):
            ranges = ranges[:1]  # nobody's: one stands for all
        for one in ranges:
            first: R = one.start  # type: ignore[assignment]  # NewTypes are ints; R is one of them
            found, wanted = self.allocator.owner_of(first), self.state.owner_of(one)
            if found != wanted:
                self._disagree(f"expected {show_all([one])} to be {wanted}'s, and it is {found}'s")

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
