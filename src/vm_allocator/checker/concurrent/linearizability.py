"""Is there an order of the calls that explains every answer? The algorithm of Wing and Gong.

A history is linearizable if each call can be taken to happen at one moment between its
beginning and its end, such that the calls, in the order of these moments, are what the
specification does. The search goes through such orders, and remembers, as Lowe and porcupine
do, which calls were placed with which state as the result: it never tries those twice.

What a call must answer in a state is asked of `spec/model.py`, through the judge. The
specification is not split into parts that could be looked at apart: where the first
fit is depends on all of the space.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vm_allocator.checker.judge import live_ranges
from vm_allocator.checker.words import asked, shown_ranges

from .history import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vm_allocator.checker.judge import Judge
    from vm_allocator.checker.state import State
    from vm_allocator.modelling import Range

BUDGET: Final = 200_000
"""Steps of a search after which its outcome is unknown."""


_MOST_LISTED: Final = 4
"""Calls of an order that are written out in a sentence."""


class Verdict(enum.Enum):
    """What is known of a history."""

    LINEARIZABLE = "linearizable"
    NOT_LINEARIZABLE = "not linearizable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Placed:
    """A call in an order, and what is live after it."""

    event: int
    live: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Linearization:
    """A verdict, and the longest order that was found to explain answers.

    Events are positions in the history.
    """

    verdict: Verdict
    order: tuple[Placed, ...] = ()
    steps: int = 0
    state: State | None = None
    """The state after the order."""


@dataclass(frozen=True, slots=True)
class Illegal:
    """Why a history is not linearizable.

    `history` ends with the first answer that cannot be explained any more, that of `event`;
    `event` is `None` if all answers can, and what is live in the end cannot. `order` explains
    all other answers, or as many as were found to fit in one order; `words` say what it needs.
    """

    history: History
    event: int | None
    order: tuple[Placed, ...]
    words: str


class _Search:
    """A depth-first search for an order."""

    def __init__(self, judge: Judge, history: History, budget: int) -> None:
        self._judge = judge
        self._events = history.events
        self._live = history.live
        self._budget = budget
        self._everything = sum(
            1 << position for position, event in enumerate(self._events) if event.ended is not None
        )
        self._seen: set[tuple[int, tuple[object, ...]]] = set()
        self._best: list[Placed] = []
        self._best_state = judge.initial
        self.steps = 0

    def run(self) -> Linearization:
        """Search until an order was found, or there is none."""
        state = self._judge.initial
        path: list[Placed] = []
        # Of each call on the path, which calls were placed up to it, and what is still to try.
        waiting = [(0, state, self._next(0, state))]
        while waiting:
            placed, state, candidates = waiting[-1]
            if self._complete(placed, state):
                return Linearization(Verdict.LINEARIZABLE, tuple(path), self.steps, state)
            step = next(candidates, None)
            if step is None:
                waiting.pop()
                if path:
                    path.pop()
                continue
            position, after = step
            placed |= 1 << position
            reached = placed, after.key
            if reached in self._seen:
                continue
            if self.steps >= self._budget:
                return Linearization(Verdict.UNKNOWN, steps=self.steps)
            self._seen.add(reached)
            self.steps += 1
            path.append(Placed(position, live_ranges(after)))
            waiting.append((placed, after, self._next(placed, after)))
            if len(path) > len(self._best):
                self._best, self._best_state = list(path), after
        return Linearization(
            Verdict.NOT_LINEARIZABLE, tuple(self._best), self.steps, self._best_state
        )

    def _complete(self, placed: int, state: State) -> bool:
        return placed & self._everything == self._everything and (
            self._live is None or live_ranges(state) == self._live
        )

    def _may_be_next(self, placed: int) -> Iterator[int]:
        """Yield the calls that began before every call that is not placed had ended."""
        left = [position for position in range(len(self._events)) if not placed >> position & 1]
        ends = [self._events[position].ended for position in left]
        first = min((end for end in ends if end is not None), default=None)
        for position in left:
            if first is None or self._events[position].began < first:
                yield position

    def _next(self, placed: int, state: State) -> Iterator[tuple[int, State]]:
        """Yield the calls that can be placed next, and the state after each."""
        for position in self._may_be_next(placed):
            event = self._events[position]
            if event.reply is None:
                yield position, self._judge.expect(state, event.call).after
                continue
            judged = self._judge.judge(state, event.call, event.reply)
            if judged.violation is None and judged.after is not None:
                yield position, judged.after


def linearize(judge: Judge, history: History, budget: int = BUDGET) -> Linearization:
    """Search for an order that explains every answer, and what is live in the end.

    The time grows with the number of sets of calls that can have happened at a moment, times
    the states that they can have led to; in the worst case exponentially with the threads.
    """
    return _Search(judge, history, budget).run()


def explain(judge: Judge, history: History, whole: Linearization, budget: int = BUDGET) -> Illegal:
    """Return why the history is not linearizable. `whole` is the outcome of the search for that."""
    ends = sorted(event.ended for event in history.events if event.ended is not None)
    # If the history up to some moment fits, so does every shorter one.
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        found = linearize(judge, history.until(ends[middle]), budget)
        if found.verdict is Verdict.NOT_LINEARIZABLE:
            high = middle
        else:
            low = middle + 1
    if low == len(ends):
        wanted = shown_ranges(whole.order[-1].live if whole.order else ())
        live = shown_ranges(history.live or ())
        words = f"in the end {live} is live, and no order of the calls leads there"
        return Illegal(history, None, whole.order, f"{words}; the one shown leads to {wanted}")
    part = history.until(ends[low])
    event = next(place for place, one in enumerate(part.events) if one.ended == ends[low])
    return _explained(judge, part, event, budget)


def _explained(judge: Judge, history: History, event: int, budget: int) -> Illegal:
    """Return why the answer of the event, with which the history ends, fits nowhere."""
    guilty = history.events[event]
    places = [place for place in range(len(history.events)) if place != event]
    others = History(history.space, tuple(history.events[place] for place in places))
    found = linearize(judge, others, budget)
    order = tuple(Placed(places[one.event], one.live) for one in found.order)
    if found.verdict is Verdict.LINEARIZABLE and guilty.reply is not None:
        state = found.state or judge.initial
        judged = judge.judge(state, guilty.call, guilty.reply)
        if judged.violation is not None:
            words = f"no order of the calls has these answers: after {_listed(history, order)}, "
            return Illegal(history, event, order, words + judged.violation.words)
    # The others need what this call did: they fit an order in which it does what it must.
    events = list(history.events)
    events[event] = replace(guilty, ended=None, reply=None)
    order = linearize(judge, History(history.space, tuple(events)), budget).order
    before = order[: next((n for n, placed in enumerate(order) if placed.event == event), 0)]
    state = judge.initial
    for placed in before:
        one = events[placed.event]
        after: State | None = judge.expect(state, one.call).after
        if one.reply is not None:
            after = judge.judge(state, one.call, one.reply).after
        state = state if after is None else after
    words = f"no order of the calls has these answers: after {_listed(history, before)}, "
    if guilty.reply is not None:
        violation = judge.judge(state, guilty.call, guilty.reply).violation
        words += "which the others need" if violation is None else violation.words
    return Illegal(history, event, order, words)


def _listed(history: History, order: tuple[Placed, ...]) -> str:
    """Return an order in words."""
    if not order:
        return "nothing"
    if len(order) > _MOST_LISTED:
        return f"{len(order)} of them in an order that explains their answers"
    events = (history.events[placed.event] for placed in order)
    return ", ".join(
        f"{asked(event.call)} {f'of thread {event.thread}' if event.thread else 'before them'}"
        for event in events
    )
