"""The slowest single operation that we know how to provoke.

Each sequence is made to hurt one kind of index: a first search after many changes, a first
search with an alignment under which nothing is aligned, a search after each change.
"""

from __future__ import annotations

import gc
from time import thread_time_ns
from typing import TYPE_CHECKING, Any, Final

from .subjects import ID_SUBJECTS, SUBJECTS
from .workloads import (
    CHURN_SIZES,
    PAGE,
    Ranges,
    SplitMix64,
    comb,
    dense_ids,
    misaligned,
    mixed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .subjects import Subject

    Adversary = Callable[[Subject, Ranges], Iterator["Step"]]

PATIENCE_NS: Final = 20_000_000_000

Step = tuple[str, "Callable[[], object]"]


def _fit(subject: Subject, size: int, align: int) -> Step:
    fit = subject.first_fit
    assert fit is not None  # noqa: S101  # all subjects here have one

    def step() -> None:
        subject.free(fit(size, align=align), size)

    return f"first fit of {size:#x} aligned to {align:#x} + free", step


def _holes_too_small(subject: Subject, live: Ranges) -> Iterator[Step]:
    """First searches after the load, then after each of many changes."""
    del live
    for _ in range(3):
        yield _fit(subject, 2 * PAGE, PAGE)
    for power in range(13, 32):
        yield _fit(subject, 2 * PAGE, 1 << power)


def _nothing_aligned(subject: Subject, live: Ranges) -> Iterator[Step]:
    """Ever larger alignments, under each of which every gap is too small."""
    del live
    yield _fit(subject, 3 * PAGE, PAGE)
    for power in range(13, 32):
        yield _fit(subject, 2 * PAGE, 1 << power)


def _every_other_one_freed(subject: Subject, live: Ranges) -> Iterator[Step]:
    """Half of the ranges go, in random order; then come searches that none of it serves."""
    for start, size in live[: len(live) // 2]:
        yield "free", lambda start=start, size=size: subject.free(start, size)  # type: ignore[misc]  # bound now
    for power in range(12, 24):
        yield _fit(subject, 64 << power, 1 << power)
    rest = live[len(live) // 2 :][:2000]
    for (start, size), kind in zip(rest, SplitMix64(1).draw(len(rest)), strict=True):
        yield "free", lambda start=start, size=size: subject.free(start, size)  # type: ignore[misc]  # bound now
        wanted = CHURN_SIZES[kind % len(CHURN_SIZES)]
        yield _fit(subject, wanted, wanted)


def _every_other_id_freed(subject: Subject, live: Ranges) -> Iterator[Step]:
    """Every second id goes; then come searches for blocks, for which there is no room."""
    for start, size in live[::2]:
        yield "free", lambda start=start, size=size: subject.free(start, size)  # type: ignore[misc]  # bound now
    for power in range(1, 12):
        yield _fit(subject, 1 << power, 1 << power)
    for power in range(1, 12):
        yield _fit(subject, 1 << power, 1)


def _one_id_a_chunk(subject: Subject, live: Ranges) -> Iterator[Step]:
    """Searches for room that no gap between far-off ids has."""
    del live
    yield _fit(subject, 4096, 1)
    for power in range(1, 6):
        yield _fit(subject, 4096 - (1 << power) + 1, 1 << power)


def _far_off_ids(count: int) -> Ranges:
    return [(at * 4096, 1) for at in range(min(count, 1 << 20))]


ADVERSARIES: Final[dict[str, tuple[Callable[[int], Ranges], Adversary]]] = {
    "all holes too small": (comb, _holes_too_small),
    "nothing aligned": (misaligned, _nothing_aligned),
    "half of a churned state freed": (mixed, _every_other_one_freed),
}
ID_ADVERSARIES: Final[dict[str, tuple[Callable[[int], Ranges], Adversary]]] = {
    "every other id freed": (dense_ids, _every_other_id_freed),
    "ids 4096 apart": (_far_off_ids, _one_id_a_chunk),
}


def worst_of(name: str, size: int) -> dict[str, Any]:
    """Run each adversary on fresh subjects; return its slowest operation.

    Everything happens twice, and the faster time of each operation counts: the machine's own
    interruptions do not strike the same one again.
    """
    rows = {}
    for label, (state, adversary) in (
        ID_ADVERSARIES if name in ID_SUBJECTS else ADVERSARIES
    ).items():
        live = state(size)
        first, second = (_timed(name, live, adversary) for _ in range(2))
        both = [(min(one[0], two[0]), one[1]) for one, two in zip(first, second, strict=False)]
        slowest, what = max(both)
        rows[label] = {"ns": slowest, "operation": what, "operations": len(both)}
    return rows


def _timed(name: str, live: Ranges, adversary: Adversary) -> list[tuple[int, str]]:
    """Return how long each step took on a fresh subject, and what it was."""
    subject = SUBJECTS[name]()
    for start, units in live:
        subject.load(start, units)
    gc.collect()
    gc.disable()
    times, spent = [], 0
    for described, step in adversary(subject, live):
        began = thread_time_ns()
        step()
        took = thread_time_ns() - began
        times.append((took, described))
        spent += took
        if spent > PATIENCE_NS:
            break  # what is linear has shown it
    gc.enable()
    return times
