"""A gap index and its contract, operated together, call by call."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from spec.contract import IndexContract
from spec.model import U64_MAX, Allocator, Request
from vm_allocator.errors import BrokenInvariantError
from vm_allocator.lockstep import Call, DisagreementError
from vm_allocator.modelling import Range, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vm_allocator.gaps import GapIndex

_EVERY_START: Final = 64  # spaces up to this size have each of their starts tried


@dataclass
class IndexLockstep:
    """An index, and the state of the model that has the same live ranges.

    What the index should answer is said by `spec/contract.py` alone. In small spaces, the
    contract's own answers about room are compared with `Allocator.fits` at every start:
    completeness and optimality in so many words.

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
        self._both("add", start, end)

    def remove(self, start: int, end: int) -> None:
        """`remove` on both. The range must be live."""
        self._both("remove", start, end)

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Compare the lowest fits; return it. The window must lie in the space."""
        found: int | None = self._both("lowest_fit", span, align, first, last)
        self._try_every_start(found, min, Request(span + 1, align, Range(first, last)))
        return found

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        """Compare the highest fits; return it. The window must lie in the space."""
        found: int | None = self._both("highest_fit", span, align, first, last)
        self._try_every_start(found, max, Request(span + 1, align, Range(first, last)))
        return found

    def lowest_fits(
        self, count: int, span: int, align: int, first: int, last: int
    ) -> Sequence[int]:
        """Compare the lowest fits of several ranges; return them."""
        return self._both("lowest_fits", count, span, align, first, last)  # type: ignore[no-any-return]  # the contract's

    def highest_fits(
        self, count: int, span: int, align: int, first: int, last: int
    ) -> Sequence[int]:
        """Compare the highest fits of several ranges; return them."""
        return self._both("highest_fits", count, span, align, first, last)  # type: ignore[no-any-return]  # likewise

    def add_all(self, starts: Sequence[int], span: int) -> None:
        """`add_all` on both. All the ranges must be free."""
        self._both("add_all", list(starts), span)

    def overlapping(self, start: int, end: int) -> None:
        """Compare the lowest live ranges that meet the given one, which lies in the space."""
        self._both("overlapping", start, end)

    def is_live(self, start: int, end: int) -> None:
        """Compare whether exactly this range is live; it lies in the space."""
        self._both("is_live", start, end)

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

    def _both(self, method: str, *arguments: Any) -> Any:
        """Call a method of both, record and compare; return what the contract says."""
        contract = IndexContract(self.model, _demand)
        wanted = getattr(contract, method)(*arguments)
        try:
            actual = _show(getattr(self.index, method)(*arguments))
        except Exception as error:  # noqa: BLE001  # an index has no refusals: it is the finding
            actual = f"crashed: {error!r}"
        shown = ", ".join(map(_shown_argument, arguments))
        self.calls.append(Call(f"{self.name}.{method}({shown})", _show(wanted), actual))
        self.model = contract.state
        if _show(wanted) != actual:
            self._disagree(f"expected {_show(wanted)}, got {actual}")
        self.compare()
        return wanted

    def _try_every_start(
        self, found: int | None, best: Callable[[Iterable[int]], int], request: Request
    ) -> None:
        if self.last - self.base < _EVERY_START:
            starts = range(self.base, self.last + 1)
            fits = [start for start in starts if self.model.fits(request, start)]
            if found != (best(fits) if fits else None):
                self._disagree(f"the contract and the model contradict each other on {request}")

    def _disagree(self, difference: str) -> NoReturn:
        raise DisagreementError(self._setup, list(self.calls), difference) from None


def _demand(allowed: bool) -> None:  # noqa: FBT001  # the contract calls it so
    require(allowed, "outside the contract")


def _shown_argument(value: int | list[int]) -> str:
    """Write a number in hex, and a list of them as a list."""
    return f"[{_show(value)}]" if isinstance(value, list) else hex(value)


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
