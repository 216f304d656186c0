"""A campaign: units of work in a fixed order, done by any executor, and what came of them.

What a unit does depends on the target, the profile and the seed, and on nothing else. Results
are taken in the order of the plan, and the campaign ends after the unit with which a limit is
reached: so the same seed and `max_calls` give the same findings with any number of jobs. Where
`max_time` ends it, how far it gets is the machine's affair.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, count, islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, TypeAlias

from .calls import Failed, Failure, Space
from .drawn import Drawn, families
from .exhaustive import Tiny
from .findings import Finding, Group, Groups, as_found, found
from .pools import split
from .profile import TargetError
from .target import Target, not_started
from .trial import Bench, Tally, not_begun

if TYPE_CHECKING:
    from .profile import Profile

OpenTarget: TypeAlias = Callable[[], Target]
Unit: TypeAlias = Tiny | Drawn
Work: TypeAlias = tuple[Unit, ...]

_SHARE_FOR_SEARCH: Final = 0.8
"""Of the time; the rest makes traces small."""

_MOST_FAILURES: Final = 12
"""Crashes and hangs after which a unit gives its target up."""

_MOST_IN_VAIN: Final = 30
"""Units in a row without a single call, after which nothing more is to be expected."""

_MOST_SHRUNK: Final = 60
"""Groups that are made small and shown; the others are counted."""


@dataclass(frozen=True)
class Options:
    """How far to look. `max_calls` of 0 is no limit; `max_time` is in seconds.

    `patience` is how many hangs there may be, about, before the search ends; 0 is no limit.
    """

    seed: int = 0
    max_time: float = 60.0
    max_calls: int = 0
    jobs: int = 1
    patience: int = 0


@dataclass(frozen=True)
class UnitResult:
    """What came of a unit."""

    unit: Unit
    groups: Groups
    tally: Tally
    given_up: bool
    hangs: int = 0


@dataclass
class Coverage:
    """How much was looked at."""

    tally: Tally = field(default_factory=Tally)
    complete: dict[tuple[int, int], int] = field(default_factory=dict)
    """Exhausted depths: (units of the space, calls), and in how many spaces each."""
    parts: Counter[tuple[Space, int]] = field(default_factory=Counter)
    """Parts done, by space and calls: a depth is exhausted when none of its parts is missing."""
    drawn: dict[str, int] = field(default_factory=dict)
    """Units of random sequences by family."""
    units: int = 0
    given_up: int = 0


@dataclass(frozen=True)
class Report:
    """The outcome of a campaign."""

    profile: Profile
    options: Options
    findings: tuple[Finding, ...]
    coverage: Coverage
    seconds: float
    stopped_by: str
    """What ended the search: "time", "calls", "interrupt", or "failures" of the target."""
    more_groups: int = 0
    """Groups beyond those that are shown."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found in something that was looked at."""
        return not self.findings and self.coverage.tally.calls > 0


def plan(profile: Profile, seed: int) -> Iterator[Work]:
    """Yield the work: tiny spaces first, by growing depth, then random sequences for ever."""
    spaces = _tiny_spaces(profile)
    kinds = len(families(profile.top))
    drawn = (
        (Drawn(number % kinds, seed * 1_000_003 + number, careful=number // kinds % 2 == 1),)
        for number in count()
    )
    everywhere = [space for size in spaces for space in spaces[size]]
    yield tuple(Tiny(space, 1) for space in everywhere)
    for size in spaces:
        if profile.pools and size > 1:  # there are very many states
            yield from _tiny(spaces[size], 2, 8)
        else:
            yield tuple(Tiny(space, 2) for space in spaces[size])
        if size == 1:  # long sequences early: most bugs fall at once
            yield from islice(drawn, 2 * kinds)
    yield from islice(drawn, 4 * kinds)
    for size, depth, parts in ((2, 3, 1), (2, 4, 2), (3, 3, 2)):
        yield from _tiny(spaces.get(size, []), depth, parts)
    yield from islice(drawn, 4 * kinds)
    for size, depth, parts in ((4, 3, 8), (2, 5, 8)):
        yield from _tiny(spaces.get(size, [])[:2], depth, parts)
    yield from drawn


def _tiny(spaces: Sequence[Space], depth: int, parts: int) -> Iterator[Work]:
    return ((Tiny(space, depth, part, parts),) for space in spaces for part in range(parts))


def run(
    open_target: OpenTarget,
    options: Options,
    executor: Executor | None = None,
    on_unit: Callable[[UnitResult, int], None] = lambda _result, _groups: None,
) -> Report:
    """Check the target. Raises `TargetError` if it cannot be started.

    With an executor, units run there (`open_target` is pickled); otherwise with one job they
    run here, and with more in processes. `on_unit` is told of each unit, with the number of
    groups so far.
    """
    with closing(open_target()) as target:
        profile = target.profile
    if executor is not None:
        return _run(open_target, profile, options, executor, on_unit)
    if options.jobs == 1:
        return _run(open_target, profile, options, None, on_unit)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        return _run(open_target, profile, options, pool, on_unit)


def _run(
    open_target: OpenTarget,
    profile: Profile,
    options: Options,
    executor: Executor | None,
    on_unit: Callable[[UnitResult, int], None],
) -> Report:
    began = time.monotonic()
    groups, coverage = Groups(), Coverage()
    stopped_by, in_vain, hangs = "time", 0, 0
    until = began + options.max_time * _SHARE_FOR_SEARCH
    results = _in_order(open_target, plan(profile, options.seed), executor, options.jobs, until)
    try:
        for result in results:
            groups.merge(result.groups, coverage.tally.calls)
            _cover(coverage, result)
            on_unit(result, len(groups.by_key))
            if options.max_calls and coverage.tally.calls >= options.max_calls:
                stopped_by = "calls"
                break
            in_vain = 0 if result.tally.calls else in_vain + 1
            hangs += result.hangs
            if in_vain >= _MOST_IN_VAIN or 0 < options.patience <= hangs:
                stopped_by = "failures"
                break
    except KeyboardInterrupt:
        stopped_by = "interrupt"
    finally:
        results.close()
    chosen = list(groups.by_key.values())[:_MOST_SHRUNK]
    return Report(
        profile,
        options,
        _findings(open_target, chosen, executor),
        coverage,
        time.monotonic() - began,
        stopped_by,
        len(groups.by_key) - len(chosen) + bool(groups.dropped),
    )


def _in_order(
    open_target: OpenTarget,
    work: Iterator[Work],
    executor: Executor | None,
    jobs: int,
    until: float,
) -> Generator[UnitResult]:
    """Yield results in the order of the plan, until the time has passed."""
    if executor is None:
        while time.monotonic() < until:
            yield from do_work(open_target, next(work))
        return
    waiting: deque[Future[list[UnitResult]]] = deque()
    try:
        while time.monotonic() < until:
            while len(waiting) < 2 * jobs:
                waiting.append(executor.submit(do_work, open_target, next(work)))
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def do_work(open_target: OpenTarget, work: Work) -> list[UnitResult]:
    """Do some units of work on a target of their own, which is let go of afterwards."""
    try:
        target = open_target()
    except TargetError as error:
        groups = Groups()
        groups.add(not_begun(not_started(error)), work[0].title, 0)
        return [UnitResult(work[0], groups, Tally(), given_up=True)]
    with closing(target):
        return [_do_unit(target, unit) for unit in work]


def _do_unit(target: Target, unit: Unit) -> UnitResult:
    groups, bench = Groups(), Bench(target)
    failures, hangs, given_up = 0, 0, False
    if not isinstance(unit, Tiny) or bench.profile.takes_space(unit.space):
        for trial in unit.trials(bench):
            groups.add(trial, unit.title, bench.tally.calls)
            last = trial.steps[-1].answer.reply if trial.steps else trial.begun
            if isinstance(last, Failed):
                failures += 1
                hangs += last.how is Failure.HANG
            if failures >= _MOST_FAILURES:
                given_up = True
                break
    return UnitResult(unit, groups, bench.tally, given_up, hangs)


def _findings(
    open_target: OpenTarget, groups: list[Group], executor: Executor | None
) -> tuple[Finding, ...]:
    """Make every group small; two that turn out to be the same become one."""
    if executor is None:
        lists = [shrink_group(open_target, group) for group in groups]
    else:
        lists = [
            future.result()
            for future in [executor.submit(shrink_group, open_target, group) for group in groups]
        ]
    by_key: dict[object, Finding] = {}
    for one in chain.from_iterable(lists):
        other = by_key.get(one.key)
        if other is None or len(one.steps) < len(other.steps):
            by_key[one.key] = one
    return tuple(sorted(by_key.values(), key=lambda one: (len(one.steps), one.key)))


def shrink_group(open_target: OpenTarget, group: Group) -> list[Finding]:
    """Return the findings of a group, with their traces made small."""
    try:
        target = open_target()
    except TargetError as error:
        return [as_found(group, f"it could not be played again: {error}")]
    with closing(target):
        return found(Bench(target), group)


def _cover(coverage: Coverage, result: UnitResult) -> None:
    coverage.tally.add(result.tally)
    coverage.units += 1
    coverage.given_up += result.given_up
    unit = result.unit
    if isinstance(unit, Drawn):
        coverage.drawn[unit.title] = coverage.drawn.get(unit.title, 0) + 1
    elif not result.given_up and result.tally.sequences:
        coverage.parts[unit.space, unit.depth] += 1
        if coverage.parts[unit.space, unit.depth] == unit.parts:
            depth = (unit.space.size, unit.depth)
            coverage.complete[depth] = coverage.complete.get(depth, 0) + 1


def _tiny_spaces(profile: Profile) -> dict[int, list[Space]]:
    """Return tiny spaces by size: at 0, at 1, at the end of the numbers, and one before it."""
    top = min(profile.top, profile.limit)
    if profile.pools:
        # The units of one pool; few, since the pools are several.
        spaces = {
            size: [split(profile.pools, base, size) for base in (0, 1, 16)] for size in (1, 2)
        }
    else:
        spaces = {
            size: [
                Space(base, base + size - 1)
                for base in dict.fromkeys((0, 1, top - size + 1, top - size, 16))
            ]
            for size in (1, 2, 3, 4)
        }
    return {
        size: [space for space in found if space.base >= 0 and profile.takes_space(space)]
        for size, found in spaces.items()
    }
