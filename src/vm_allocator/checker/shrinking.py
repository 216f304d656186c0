"""Make a trace small: fewer calls, fewer options, fewer addresses, smaller numbers.

Every candidate is played on the target anew, and is kept if it breaks the same property in the
same way (`Violation.key`) at its last call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .calls import Allocate, Done, Refused, Space
from .profile import numbers
from .smaller import lower, mapped, options_of, placed, plainer, ranges_of, smaller_numbers
from .trial import frees, may_ask
from .wide import Wide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vm_allocator.modelling import Range

    from .calls import Call, Reply
    from .trial import Bench, Trial

MOST_PLAYS: Final = 2_000
"""Where shrinking stops at the latest: a count and no clock, so that it ends the same way."""

Candidate = tuple[Space, tuple["Call", ...]]


def shrunk(
    bench: Bench,
    trial: Trial,
    key: tuple[str, str, str, str],
    most_plays: int = MOST_PLAYS,
    *,
    calm: bool = False,
) -> Trial | None:
    """Return the smallest trial found that ends in a violation of that key.

    If `calm`, no call before the last one may be refused. `None` if the trial itself, played
    again, is not so.
    """
    position = trial.first(key)
    if position is None:
        return None
    calls = tuple(step.call for step in trial.steps[:position])
    search = _Search(bench, key, trial, most_plays, calm=calm)
    if not search.begin((trial.space, calls)):
        return None
    progress = True
    while progress:
        progress = False
        for candidates in _PASSES:
            progress = search.exhaust(candidates) or progress
    return search.best


class _Search:
    """The smallest trial so far, and what was tried. No candidate is played twice."""

    def __init__(
        self,
        bench: Bench,
        key: tuple[str, str, str, str],
        best: Trial,
        most_plays: int,
        *,
        calm: bool,
    ) -> None:
        self.best = best
        self._calm = calm
        self._bench = bench
        self._key = key
        self._tried: set[Candidate] = set()
        self._left = most_plays

    def begin(self, candidate: Candidate) -> bool:
        """Play the first trial again. Returns whether it still shows what it is about."""
        found = self._play(candidate)
        if found is not None:
            self.best = found
        return found is not None

    def exhaust(self, candidates: Callable[[Trial], Iterator[Candidate]]) -> bool:
        """Take candidates of one kind until none is better. Returns whether any was.

        After one that is better the search goes on where it was, since what failed before it
        mostly fails again; it ends with a round from the top.
        """
        progress, begin = False, 0
        while True:
            for number, candidate in enumerate(candidates(self.best)):
                if number >= begin and self._take(candidate):
                    progress, begin = True, number
                    break
            else:
                if begin == 0:
                    return progress
                begin = 0

    def _take(self, candidate: Candidate) -> bool:
        """Play a candidate; keep it if it is better than the best."""
        if self._left <= 0 or candidate in self._tried:
            return False
        self._tried.add(candidate)
        before = self._bench.tally.sequences
        found = self._play(candidate)
        self._left -= self._bench.tally.sequences - before
        if found is None or measure(found) >= measure(self.best):
            return False
        self.best = found
        return True

    def _play(self, candidate: Candidate) -> Trial | None:
        found = _replay(self._bench, candidate, self._key)
        if found is None or not self._calm:
            return found
        refused = any(isinstance(step.answer.reply, Refused) for step in found.steps[:-1])
        return None if refused else found


def _replay(bench: Bench, candidate: Candidate, key: tuple[str, str, str, str]) -> Trial | None:
    """Play a candidate; return it up to the violation, if it is there."""
    space, calls = candidate
    profile = bench.profile
    if space.base < 0 or space.last < space.base or not profile.takes_space(space):
        return None
    if not all(profile.takes(call) for call in calls):
        return None
    trial = bench.try_calls(space, calls)
    position = trial.first(key)
    if position is None:
        return None
    steps = trial.steps[:position]
    if not all(may_ask(profile, step.before, step.call) for step in steps):
        return None
    return replace(trial, steps=steps)


def measure(trial: Trial) -> tuple[int, int, int, int]:
    """Return what is to become smaller, the most important first."""
    calls = _calls(trial)
    options = sum(map(options_of, calls))
    total = sum(number for call in calls for number in numbers(call))
    return len(trial.steps), options, trial.space.size, total + trial.space.base


def _fewer(trial: Trial) -> Iterator[Candidate]:
    """Drop half of the calls, a quarter, ..., one, two that are apart; the last one stays."""
    space, calls = trial.space, _calls(trial)
    last = len(calls) - 1
    size = len(calls) // 2
    while size > 0:
        for start in range(0, last, size):
            yield space, calls[:start] + calls[min(start + size, last) :]
        size //= 2
    if last <= 12:  # noqa: PLR2004  # pairs of more are too many
        for one in range(last):
            for other in range(one + 1, last):
                yield space, calls[:one] + calls[one + 1 : other] + calls[other + 1 :]


def _narrower(trial: Trial) -> Iterator[Candidate]:
    """Make the space alone smaller, or move everything down."""
    space = trial.space
    touched = [r for step in trial.steps for r in ranges_of(step.call, step.answer.reply)]
    low = max(space.base, min((r.start for r in touched), default=0))
    high = min(space.last, max((r.end for r in touched), default=space.last))
    if not space.pools:
        for narrow in (Space(low, high), Space(space.base, high), Space(low, space.last)):
            yield narrow, _calls(trial)
        for width in _widths(space.size):
            yield Space(space.base, space.last - width), _calls(trial)
            yield Space(space.base + width, space.last), _calls(trial)
    for width in _widths(space.base + 1):
        yield from _moved(space, _calls(trial), -width)


def _cut(trial: Trial) -> Iterator[Candidate]:
    """Cut an interval out of the line of addresses: all that is above it moves down."""
    space = trial.space
    edges = {space.base, space.last + 1, space.base + 1, space.last}
    for step in trial.steps:
        for r in ranges_of(step.call, step.answer.reply):
            edges |= {r.start, r.start + 1, r.end, r.end + 1}
    places = sorted(edge for edge in edges if space.base <= edge <= space.last)
    for width in _widths(space.size):
        for place in places:
            for smaller, calls in _without(trial, place, width):
                yield smaller, calls
                if space.base > space.size:  # what is at the end of the numbers stays there
                    yield from _moved(smaller, calls, space.last - smaller.last)


def _widths(size: int) -> Iterator[int]:
    width = size // 2
    while width > 0:
        yield width
        width //= 2


def _without(trial: Trial, place: int, width: int) -> Iterator[Candidate]:
    """Cut out `width` addresses from `place` on.

    A request without a place keeps its size, or loses what was cut out of what it was granted,
    or is made to fit the space.
    """

    def f(address: int) -> int:
        return address if address <= place else max(place, address - width)

    space = trial.space.mapped(f)
    if space is None:
        return

    ways = []
    for size_of in (_kept, _as_granted, _fitted):
        calls = [mapped(step.call, f) for step in trial.steps]
        for position, (call, step) in enumerate(zip(calls, trial.steps, strict=True)):
            if isinstance(call, Allocate) and call.start is None:
                size = size_of(call.size, step.answer.reply, f, space)
                calls[position] = replace(call, size=size)
        ways.append(tuple(calls))
    for found in dict.fromkeys(ways):
        yield space, found


def _kept(size: int, _reply: Reply, _f: Callable[[int], int], _space: Space) -> int:
    return size


def _as_granted(size: int, reply: Reply, f: Callable[[int], int], space: Space) -> int:
    start = reply.start if isinstance(reply, Done) else None
    if start is None:
        return _fitted(size, reply, f, space)
    return max(1, f(start + size) - f(start))


def _fitted(size: int, _reply: Reply, _f: Callable[[int], int], space: Space) -> int:
    return max(1, min(size, space.size))


def _moved(space: Space, calls: Sequence[Call], by: int) -> Iterator[Candidate]:
    moved = space.mapped(lambda address: address + by)
    if moved is not None:
        yield moved, tuple(mapped(call, lambda address: max(0, address + by)) for call in calls)


def _plainer(trial: Trial) -> Iterator[Candidate]:
    """Drop an option of a call, or ask for the very place that was granted."""
    for position, step in enumerate(trial.steps):
        for call in plainer(step.call, step.answer.reply):
            yield _with(trial, position, call)


def _lower(trial: Trial) -> Iterator[Candidate]:
    """Make a number of a call smaller."""
    for position, call in enumerate(_calls(trial)):
        for changed in lower(call):
            yield _with(trial, position, changed)


def _together(trial: Trial) -> Iterator[Candidate]:
    """Make a range that is freed or moved smaller or lower, in every call that is about it."""
    ranges = dict.fromkeys(
        (one.start, one.end - one.start + 1)
        for call in _calls(trial)
        for one in (frees(call) or _ends(call))
    )
    for old in ranges:
        start, size = old
        places = [(start, smaller) for smaller in smaller_numbers(size) if size > 1]
        places += [(lower, size) for lower in smaller_numbers(start) if start > 0]
        for new in places:
            calls = tuple(placed(step.call, step.answer.reply, old, new) for step in trial.steps)
            yield trial.space, calls


def _ends(call: Call) -> list[Range]:
    return (
        [one for what, one in call.places() if what == "pending"] if isinstance(call, Wide) else []
    )


def _calls(trial: Trial) -> tuple[Call, ...]:
    return tuple(step.call for step in trial.steps)


def _with(trial: Trial, position: int, call: Call) -> Candidate:
    """Return the trial with another call at that position."""
    calls = _calls(trial)
    return trial.space, (*calls[:position], call, *calls[position + 1 :])


_PASSES: Final = (_fewer, _plainer, _narrower, _cut, _lower, _together)
