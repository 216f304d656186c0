"""How runs of an action (`repeat`) are read symbolically: any number of times, by induction.

A symbolic count cannot be looped to. Instead, *any* state of the run stands for all of them:
the theorem says what holds before each time (`keeps`); that it holds at the start, and
holds after one time more if it held before, are claims of the theorem. What then is known of
the end is this and no more. On plain ints, and for counts that are written down, the loop
itself runs.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import spec.contract
from vm_allocator.modelling import Run, attempt, repeat
from vm_allocator.symbolic import SymInt, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spec.model import Allocator
    from spec.proofs.cases import AllocatorCase
    from vm_allocator.modelling import Step

    Act = Callable[[Allocator], Step[Allocator]]
    Keeps = Callable[[Allocator, int], bool]

ONE_MORE: Final = "one time more"
THE_END: Final = "the end"


class SomeStarts:
    """The starts of a run that nobody has counted: told apart from others, and never listed."""

    def __init__(self, times: int, after: Allocator) -> None:
        self.times = times
        self.after = after
        """The state in which all of them are live."""

    def __iter__(self) -> Iterator[int]:
        raise UnsupportedError("the starts of a run of any length cannot be listed")

    def __len__(self) -> int:
        raise UnsupportedError("the length of a run of any length is no plain int")

    def __getitem__(self, _: object) -> int:
        raise UnsupportedError("the starts of a run of any length cannot be listed")


class Runs:
    """The runs of one theorem. What stands in for `repeat` while the theorem is stated.

    A second run, with as many times and from a state with the same live ranges, is the same
    run, if the actions of both do the same in every state: the second thing that is shown by
    induction, and claimed here. So both must be actions that look at the space and at the
    live ranges alone.
    """

    def __init__(self, case: AllocatorCase, keeps: Keeps, *, refused: bool) -> None:
        self._case = case
        self._keeps = keeps
        self._refused = refused
        self._first: tuple[int, Allocator, Act] | None = None
        self.run: Run[Allocator] | None = None
        """The first run, once there was one: the starts of a symbolic one are `SomeStarts`."""

    def repeat(self, times: int, before: Allocator, act: Act) -> Run[Allocator]:
        """Return any run."""
        number: object = times  # symbolic ints only look like ints to a type checker
        if not isinstance(number, SymInt):
            run = repeat(times, before, act)
            self.run = self.run or run
            return run
        if self.run is not None:
            self._same(times, before, act)
            return self.run
        self._first = (times, before, act)
        self.run = self._any(times, before, act)
        return self.run

    def _any(self, times: int, before: Allocator, act: Act) -> Run[Allocator]:
        case = self._case
        case.claim(times >= 0)
        case.claim(self._keeps(before, 0))
        middle, done = self._some_state("middle", before), case.number("middle.times")
        case.assume(0 <= done <= times)
        case.assume(self._keeps(middle, done))
        if case.one_of("run", (ONE_MORE, THE_END)) == ONE_MORE:
            case.assume(done < times)
            step = attempt(middle, lambda: act(middle))
            case.assume(step.refusal is None)
            for predicate in type(before).invariants().values():
                case.claim(predicate(step.after))
            case.claim(_same_space(step.after, before))
            case.claim(self._keeps(step.after, done + 1))
            case.assume(False)  # noqa: FBT003  # this time has been looked at
        if self._refused and done < times:
            case.assume(attempt(middle, lambda: act(middle)).refusal is not None)
        starts: Any = SomeStarts(done, middle)
        return Run(middle, done, starts)

    def _same(self, times: int, before: Allocator, act: Act) -> None:
        if self._first is None:
            raise AssertionError("there was a run before")
        case, (other_times, other_before, other_act) = self._case, self._first
        case.claim(times == other_times)
        case.claim(_same_space(before, other_before))
        case.claim(before.live.same_as(other_before.live))
        if case.one_of("second run", (ONE_MORE, THE_END)) == ONE_MORE:
            state = self._some_state("anywhere", before)
            one = attempt(state, lambda: act(state))
            other = attempt(state, lambda: other_act(state))
            case.claim((one.refusal is None) == (other.refusal is None))
            case.claim(one.granted == other.granted)
            anything = case.range("anything")
            case.claim((anything in one.after.live) == (anything in other.after.live))
            case.assume(False)  # noqa: FBT003  # this time has been looked at

    def _some_state(self, name: str, like: Allocator) -> Allocator:
        state = self._case.state(name)
        self._case.assume(_same_space(state, like))
        return state


@contextmanager
def any_runs(
    case: AllocatorCase, keeps: Keeps = lambda _state, _done: True, *, refused: bool = False
) -> Iterator[Runs]:
    """Watch the runs in the model and in the contract, which are of any length in a symbolic case.

    `keeps` says of a state, and of how often the action was carried out until then, what is
    true there. With `refused`, it is also known that a run that ended early was refused more:
    what few theorems need, and costs all others paths.
    """
    runs = Runs(case, keeps, refused=refused)
    model: Any = case.model  # which may be a bent one, in a module of its own
    places = (model.allocate_many_first.__globals__, vars(spec.contract))
    saved = [place["repeat"] for place in places]
    for place in places:
        place["repeat"] = runs.repeat
    try:
        yield runs
    finally:
        for place, original in zip(places, saved, strict=True):
            place["repeat"] = original


def _same_space(one: Allocator, other: Allocator) -> bool:
    return one.top == other.top and one.base == other.base and one.last == other.last
