"""A gap index and the specification, operated together, call by call of its contract."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn, Self

from spec.model import U64_MAX, Allocator, Request, overlaps
from vm_allocator.errors import BrokenInvariantError
from vm_allocator.lockstep import Call, DisagreementError
from vm_allocator.modelling import Range, attempt, is_power_of_two, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex

_EVERY_START: Final = 64  # spaces up to this size have each of their starts tried


@dataclass
class IndexLockstep:
    """An index, and the model that has the same live ranges.

    What the index should answer is said by the model alone: where `allocate_first` and
    `allocate_last` would grant a request, what is live, what the gaps are. In small
    spaces the grants are compared with `fits` at every start, too: completeness and
    optimality in so many words.

    Every call raises `DisagreementError` if the answers or the states differ, and
    `Refused` if the contract does not allow it in this state.
    """

    index: GapIndex
    base: int
    last: int
    name: str = "index"
    model: Allocator = field(init=False)
    calls: list[Call] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.model = Allocator.initial(U64_MAX, self.base, self.last)
        self._setup = f"index = {type(self.index).__name__}({self.base:#x}, {self.last:#x})"
        self.compare()

    def add(self, start: int, end: int) -> None:
        """`add` on both. The range must be free."""
        _require_contract(start <= end)
        request = Request(end - start + 1, 1, Range(self.base, self.last))
        after = self.model.allocate_exact(request, start).after
        self._change(f"add({start:#x}, {end:#x})", lambda: self.index.add(start, end), after)

    def remove(self, start: int, end: int) -> None:
        """`remove` on both. The range must be live."""
        after = self.model.free(start, end - start + 1).after
        self._change(f"remove({start:#x}, {end:#x})", lambda: self.index.remove(start, end), after)

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Compare the lowest fits; return it. The window must lie in the space."""
        return self._fit("lowest_fit", Request(span + 1, align, Range(first, last)))

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Compare the highest fits; return it. The window must lie in the space."""
        return self._fit("highest_fit", Request(span + 1, align, Range(first, last)))

    def overlapping(self, start: int, end: int) -> None:
        """Compare the lowest live ranges that meet the given one, which is not empty."""
        _require_contract(start <= end)
        wanted = self.model.live.lowest(lambda live: overlaps(live, Range(start, end)))
        self._ask(
            f"overlapping({start:#x}, {end:#x})", wanted, lambda: self.index.overlapping(start, end)
        )

    def is_live(self, start: int, end: int) -> None:
        """Compare whether exactly this range is live."""
        wanted = Range(start, end) in self.model.live
        self._ask(f"is_live({start:#x}, {end:#x})", wanted, lambda: self.index.is_live(start, end))

    def fork(self, name: str) -> Self:
        """Return a copy of the index beside its oracle; the two share one trace."""
        twin = copy(self)
        twin.name = name
        self.calls.append(Call(f"{name} = {self.name}.copy()", "done", "done"))
        try:
            twin.index = self.index.copy()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            self._disagree(f"{self.name}.copy() crashed: {error!r}")
        twin.compare()
        return twin

    def compare(self) -> None:
        """Raise `DisagreementError` unless live ranges, gaps and count are the model's."""
        live, gaps = list(self.model.live), list(self.model.gaps())  # type: ignore[call-overload]  # the oracle's sets are finite
        try:
            for what, found, wanted in (
                ("live ranges", list(self.index.live()), live),
                ("gaps", list(self.index.gaps()), gaps),
                ("count", len(self.index), len(live)),
            ):
                if found != wanted:
                    self._disagree(
                        f"expected the {what} of {self.name} to be {_show(wanted)}, "
                        f"got {_show(found)}"
                    )
            self.index._check()  # noqa: SLF001  # part of the contract
        except DisagreementError:
            raise
        except BrokenInvariantError as error:
            self._disagree(f"{self.name}: {error}")
        except Exception as error:  # noqa: BLE001  # a state that cannot even be read
            self._disagree(f"the state of {self.name} cannot be read: {error!r}")

    # ---- the comparison

    def _fit(self, method: str, request: Request) -> int | None:
        (first, last), span = request.window, request.size - 1
        _require_contract(
            self.base <= first <= last <= self.last and span >= 0 and is_power_of_two(request.align)
        )
        if method == "lowest_fit":
            action, ask, best = self.model.allocate_first, self.index.lowest_fit, min
        else:
            action, ask, best = self.model.allocate_last, self.index.highest_fit, max
        granted = attempt(self.model, lambda: action(request)).granted
        wanted = None if granted is None else granted.start
        if self.last - self.base < _EVERY_START:
            starts = range(self.base, self.last + 1)
            fits = [start for start in starts if self.model.fits(request, start)]
            if wanted != best(fits, default=None):
                self._disagree(f"the specification contradicts itself on {request}")
        self._ask(
            f"{method}({span:#x}, {request.align:#x}, {first:#x}, {last:#x})",
            wanted,
            lambda: ask(span, request.align, first, last),
        )
        return wanted

    def _change(self, text: str, real: Callable[[], None], after: Allocator) -> None:
        self._record(text, "done", real)
        self.model = after
        self.compare()

    def _ask(self, text: str, wanted: object, real: Callable[[], object]) -> None:
        self._record(text, _show(wanted), real)
        self.compare()

    def _record(self, text: str, wanted: str, real: Callable[[], object]) -> None:
        try:
            answer = real()
            actual = wanted if answer is None and wanted == "done" else _show(answer)
        except Exception as error:  # noqa: BLE001  # an index has no refusals: it is the finding
            actual = f"crashed: {error!r}"
        self.calls.append(Call(f"{self.name}.{text}", wanted, actual))
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")

    def _disagree(self, difference: str) -> NoReturn:
        raise DisagreementError(self._setup, list(self.calls), difference) from None


def _require_contract(allowed: bool) -> None:  # noqa: FBT001  # reads as a sentence
    require(allowed, "outside the contract")


def _show(value: object) -> str:
    """Write numbers in hex, and ranges as two of them."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, tuple):
        return "-".join(map(_show, value))
    if isinstance(value, list):
        return ", ".join(map(_show, value)) or "none"
    return repr(value)
