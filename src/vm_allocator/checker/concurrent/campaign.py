"""A check of concurrent calls, and what came of it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vm_allocator.checker.profile import TargetError
from vm_allocator.checker.target import names_a_factory

from .remote import RemotePlayer
from .search import Bench, Tally, search
from .shrinking import shrunk
from .worker import Task, kept_to_shrink, search_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.checker.profile import Profile

    from .search import Found


@dataclass(frozen=True)
class Options:
    """How far to look. Times are in seconds; `max_calls` of 0 is no limit."""

    threads: int
    seed: int = 0
    max_time: float = 60.0
    max_calls: int = 0
    op_timeout: float = 2.0


@dataclass(frozen=True)
class Report:
    """The outcome. The tally is of the search, without what made the finding small."""

    profile: Profile
    options: Options
    tally: Tally
    found: Found | None
    number: int
    """Of the program that showed it, or of the one after the last."""
    seconds: float
    scheduled: bool
    """Whether switches were chosen: of a Python target, and not of an adapter."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found, and calls that overlapped were looked at."""
        return self.found is None and self.tally.overlapping > 0


def check(
    words: Sequence[str],
    options: Options,
    on_progress: Callable[[Tally], None] = lambda _tally: None,
) -> Report:
    """Check the target that the words name. Raises `TargetError`."""
    began = time.monotonic()
    if names_a_factory(words):
        task = Task(
            words[0],
            options.threads,
            options.seed,
            options.max_time,
            options.max_calls,
            options.op_timeout,
        )
        profile, last = search_elsewhere(task, on_progress)
        seconds = time.monotonic() - began
        return Report(
            profile, options, last.tally, last.found, last.number, seconds, scheduled=True
        )
    return _check_adapter(words, options, began, on_progress)


def _check_adapter(
    words: Sequence[str], options: Options, began: float, on_progress: Callable[[Tally], None]
) -> Report:
    end = began + options.max_time
    with closing(RemotePlayer(words, options.op_timeout, " ".join(words))) as player:
        if not player.profile.concurrent:
            problem = "its handshake does not say that it answers concurrent calls"
            raise TargetError(" ".join(words), problem, "see docs/protocol.md, 'Concurrent calls'")
        bench = Bench(player)

        def going_on(_number: int) -> bool:
            on_progress(bench.tally)
            left = end - time.monotonic() - kept_to_shrink(options.max_time)
            return left > 0 and not 0 < options.max_calls <= bench.tally.calls

        number, found = search(bench, options.threads, options.seed, going_on)
        tally = bench.tally
        if found is not None:
            bench.tally = Tally()
            found = shrunk(bench, found, lambda: time.monotonic() < end)
        seconds = time.monotonic() - began
        return Report(player.profile, options, tally, found, number, seconds, scheduled=False)
