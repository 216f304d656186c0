"""Every sequence in a tiny space, up to a depth.

At depth d: every sequence of up to d - 1 calls that the model grants, and after each of them
every call of the alphabet. Those that the model refuses change nothing, so that all of them are
put to one allocator, one after the other: what a refused call breaks, a later one sees. If a
call shows something from which nobody can go on, the calls after it are tried again without it.

Nothing is left out as equivalent: two histories that lead to the same live ranges are two.
Only what does several things at once (`is_compound`) is tried first, and last, and not between.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from .alphabet import alphabet, is_compound
from .judge import live_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .calls import Call, Space
    from .judge import Judge
    from .profile import Profile
    from .state import State
    from .trial import Bench, Trial

_MOST_IN_A_ROW: Final = 60

_MOST_WITH_COMPOUNDS: Final = 1
"""The place in a sequence, counted from 1, up to which calls that do several things at once are
tried that others follow. Of these there are hundreds, in each state."""


@dataclass(frozen=True)
class Tiny:
    """All sequences of exactly this depth in this space; one of `parts` shares of them."""

    space: Space
    depth: int
    part: int = 0
    parts: int = 1

    @property
    def title(self) -> str:
        """What reports call it."""
        return f"every sequence of {self.depth} calls in {self.space.size} units"

    def trials(self, bench: Bench) -> Iterator[Trial]:
        """Run it."""
        judge = bench.judge(self.space)
        prefixes = _granted(bench.profile, judge, judge.initial, self.depth - 1)
        for prefix, state in islice(prefixes, self.part, None, self.parts):
            yield from _after(bench, judge, prefix, state)


def _granted(
    profile: Profile, judge: Judge, state: State, depth: int
) -> Iterator[tuple[tuple[Call, ...], State]]:
    """Yield every sequence of that many calls, each of which the model grants."""
    if depth == 0:
        yield (), state
        return
    for prefix, reached in _granted(profile, judge, state, depth - 1):
        for call in alphabet(profile, judge.space, reached):
            if depth > _MOST_WITH_COMPOUNDS and is_compound(call):
                continue
            outcome = judge.expect(reached, call)
            if outcome.refusal is None:
                yield (*prefix, call), outcome.after


def _after(bench: Bench, judge: Judge, prefix: tuple[Call, ...], state: State) -> Iterator[Trial]:
    refused: list[Call] = []
    for call in alphabet(bench.profile, judge.space, state):
        if judge.expect(state, call).refusal is None:
            yield bench.try_calls(judge.space, (*prefix, call))
        else:
            refused.append(call)
    yield from _in_a_row(bench, judge.space, prefix, refused)
    bench.tally.tiny_states.add((judge.space, live_ranges(state)))


def _in_a_row(
    bench: Bench, space: Space, prefix: tuple[Call, ...], calls: Sequence[Call]
) -> Iterator[Trial]:
    """Try calls that change nothing on as few allocators as possible."""
    while calls:
        row, calls = calls[:_MOST_IN_A_ROW], calls[_MOST_IN_A_ROW:]
        trial = bench.try_calls(space, (*prefix, *row))
        yield trial
        done = len(trial.steps) - len(prefix)
        if done <= 0:
            return  # what goes before is broken already, and is a finding of a smaller depth
        calls = [*row[done:], *calls]
