"""The scenarios: each runs a number of operations on a subject, and times them.

What is random is drawn before the clock starts. Every slice leaves as many live ranges as
it found. It returns the nanoseconds, the number of operations, and the sum of the starts that
were granted, or of the addresses that were found live: subjects that answer alike have the same
sum. The clock is the thread's own, so that a neighbour who takes the processor away in the
middle of a slice does not count.
"""

from __future__ import annotations

from collections import deque
from time import thread_time_ns
from typing import TYPE_CHECKING, Final

from .workloads import BASE, BLOCK_POWERS, CHURN_SIZES, PAGE, Ranges, SplitMix64

if TYPE_CHECKING:
    from collections.abc import Callable

    from .subjects import Subject

FEW: Final = 25  # so many that the clock does not matter

Timed = tuple[int, int, int]
"""Nanoseconds, operations, and the sum of the starts modulo 2^64."""


def append(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """First fit of a page behind all others, a few times; then these go, untimed; and again.

    A few are a tenth of a large state: n neighbours are to stay about n.
    """
    del seed
    fit, free = subject.first_fit, subject.free
    assert fit is not None  # noqa: S101  # the subject offers it, or the slice is not run
    batch = max(FEW, len(live) // 10)
    took, granted = 0, 0
    for done in range(0, count, batch):
        few = range(min(batch, count - done))
        began = thread_time_ns()
        starts = [fit(PAGE, align=PAGE) for _ in few]
        took += thread_time_ns() - began
        for start in reversed(starts):
            free(start, PAGE)
        granted += sum(starts)
    return took, count, granted


def _pairs(
    subject: Subject, live: Ranges, picks: list[tuple[int, int]], aligned: Callable[[int], int]
) -> Timed:
    """Free the picked range, and allocate one of the picked size, for each pick.

    A subject that looks for no room puts back what it has freed.
    """
    free, fit, exact = subject.free, subject.first_fit, subject.exact
    granted = 0
    if fit is None or not subject.refits:
        assert exact is not None  # noqa: S101  # as above
        began = thread_time_ns()
        for which, _ in picks:
            start, size = live[which]
            free(start, size)
            exact(start, size)
        return thread_time_ns() - began, len(picks), 0
    began = thread_time_ns()
    for which, size in picks:
        free(*live[which])
        start = fit(size, align=aligned(size))
        live[which] = (start, size)
        granted += start
    return thread_time_ns() - began, len(picks), granted


def churn(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """Free a random range, then first fit of a random size aligned to itself."""
    drawn = SplitMix64(seed).draw(2 * count)
    picks = [
        (which % len(live), CHURN_SIZES[kind % len(CHURN_SIZES)])
        for which, kind in zip(drawn[::2], drawn[1::2], strict=True)
    ]
    return _pairs(subject, live, picks, int)


def smallest_id(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """Free a random id, then allocate the smallest."""
    picks = [(which % len(live), 1) for which in SplitMix64(seed).draw(count)]
    return _pairs(subject, live, picks, int)


def id_blocks(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """Free a random block, then allocate one of a random power of two aligned to itself."""
    drawn = SplitMix64(seed).draw(2 * count)
    picks = [
        (which % len(live), 1 << kind % BLOCK_POWERS)
        for which, kind in zip(drawn[::2], drawn[1::2], strict=True)
    ]
    return _pairs(subject, live, picks, int)


def exact(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """Allocate exactly a random hole of the comb, and free it."""
    take, free = subject.by_end or (subject.exact, subject.free)
    assert take is not None  # noqa: S101  # as above
    starts = [BASE + (2 * (drawn % len(live)) + 1) * PAGE for drawn in SplitMix64(seed).draw(count)]
    holes = [(start, start + PAGE - 1 if subject.by_end else PAGE) for start in starts]
    began = thread_time_ns()
    for start, size_or_end in holes:
        take(start, size_or_end)
        free(start, size_or_end)
    return thread_time_ns() - began, count, sum(starts)


def _fit_and_free(subject: Subject, count: int, align: int) -> Timed:
    free, fit = subject.free, subject.first_fit
    assert fit is not None  # noqa: S101  # as above
    granted = 0
    began = thread_time_ns()
    for _ in range(count):
        start = fit(2 * PAGE, align=align)
        free(start, 2 * PAGE)
        granted += start
    return thread_time_ns() - began, count, granted


def skip(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """First fit past all holes, which are too small, and free."""
    del live, seed
    return _fit_and_free(subject, count, PAGE)


def misaligned(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """First fit past all gaps, which are large enough but misaligned, and free."""
    del live, seed
    return _fit_and_free(subject, count, 2 * PAGE)


def lookup(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """Ask for the live range at a random address; half of them are free. Sums up the hits."""
    find = subject.lookup
    assert find is not None  # noqa: S101  # as above
    places = [BASE + drawn % (2 * len(live) * PAGE) for drawn in SplitMix64(seed).draw(count)]
    hits = 0
    began = thread_time_ns()
    for place in places:
        if find(place):
            hits += place
    return thread_time_ns() - began, count, hits


def iterate(subject: Subject, live: Ranges, count: int, seed: int) -> Timed:
    """Go through all live ranges, `count` of them or all of them at least once."""
    del seed
    ranges = subject.iterate
    assert ranges is not None  # noqa: S101  # as above
    rounds = max(1, count // len(live))
    began = thread_time_ns()
    for _ in range(rounds):
        deque(ranges(), maxlen=0)
    return thread_time_ns() - began, rounds * len(live), 0


SLICES: Final[dict[str, Callable[[Subject, Ranges, int, int], Timed]]] = {
    "append": append,
    "churn": churn,
    "exact": exact,
    "skip": skip,
    "misaligned": misaligned,
    "lookup": lookup,
    "iterate": iterate,
    "smallest-id": smallest_id,
    "id-blocks": id_blocks,
}

NEEDS: Final[dict[str, str]] = {
    "append": "first_fit",
    "churn": "exact",
    "exact": "exact",
    "skip": "first_fit",
    "misaligned": "first_fit",
    "lookup": "lookup",
    "iterate": "iterate",
    "smallest-id": "first_fit",
    "id-blocks": "first_fit",
}
"""What a subject has to offer for a scenario."""


def offers(subject: Subject, scenario: str) -> bool:
    """Whether the subject can run the scenario at all."""
    return getattr(subject, NEEDS[scenario]) is not None
