"""Every sequence in a tiny space, up to a depth.

At depth d: every sequence of up to d - 1 calls that the model grants, and after each of them
every call of the alphabet. Those that the model refuses change nothing, so that all of them are
put to one allocator, one after the other: what a refused call breaks, a later one sees. If a
call shows something from which nobody can go on, the calls after it are tried again without it.

Nothing is left out as equivalent: two histories that lead to the same live ranges are two.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from vm_allocator.modelling import Range

from .calls import Allocate, Free, Space, Update
from .judge import Judge, live_ranges
from .trial import Bench, Trial, may_ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spec.model import Allocator

    from .calls import Call
    from .profile import Profile

_MOST_IN_A_ROW: Final = 60


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


def alphabet(profile: Profile, space: Space, state: Allocator) -> list[Call]:
    """Return every call that is tried in a state of a tiny space, and that may be asked."""
    base, last = space.base, space.last
    live = live_ranges(state)
    sizes = range(space.size + 2)
    # One unit below and one above: outside is as interesting as inside.
    starts = [start for start in range(base - 1, last + 2) if 0 <= start <= profile.top]
    ranges = [
        (start, size) for start in starts for size in range(1, last - start + 3) if size in sizes
    ]
    aligns = (None, 2, 4, 3) if profile.align else (None,)
    calls: list[Call] = [
        Allocate(size, pick=pick, align=align)
        for pick in profile.picks
        for align in aligns
        for size in sizes
    ]
    calls += [Allocate(size, start) for start, size in ranges]
    calls += [Allocate(1, start, align=2) for start in starts]
    calls += [Free(start, size) for start, size in ranges]
    if profile.within and space.size > 1:
        window = Range(base + 1, last)
        calls += [
            Allocate(size, pick=pick, within=window) for pick in profile.picks for size in sizes
        ]
    olds = [(one.start, one.end - one.start + 1) for one in live]
    olds += [(base, space.size)] if (base, space.size) not in olds else []
    calls += [Update(*old, start, size) for old in olds for start, size in ranges]
    return [call for call in calls if may_ask(profile, live, call)]


def _granted(
    profile: Profile, judge: Judge, state: Allocator, depth: int
) -> Iterator[tuple[tuple[Call, ...], Allocator]]:
    """Yield every sequence of that many calls, each of which the model grants."""
    if depth == 0:
        yield (), state
        return
    for prefix, reached in _granted(profile, judge, state, depth - 1):
        for call in alphabet(profile, judge.space, reached):
            outcome = judge.expect(reached, call)
            if outcome.refusal is None:
                yield (*prefix, call), outcome.after


def _after(
    bench: Bench, judge: Judge, prefix: tuple[Call, ...], state: Allocator
) -> Iterator[Trial]:
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
