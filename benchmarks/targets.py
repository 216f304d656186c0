"""What the numbers were meant to be, next to what they are: `python -m benchmarks.targets FILE`.

A table for people. No test asserts a time: machines differ, and neighbours make noise.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .results import Results, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CRATE: Final = "vm-allocator 0.1.4 (Rust)"
PAIR: Final = "SortedDict pair"
SIZES: Final = (100, 1000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Build:
    """One of our two builds, and what is asked of it."""

    suffix: str
    ahead_of_the_crate: dict[int, float]  # size -> the most of the crate's time
    exact: float  # times the pair's
    churn: float  # times the pair's
    worst_ms: float


BUILDS: Final = (
    Build("", {**dict.fromkeys(SIZES[1:5], 1.0), SIZES[4]: 0.001}, 2.5, 8, 5),
    Build(" (compiled)", dict.fromkeys(SIZES, 1.0), 1.3, 3.5, 1),
)
GROWTH: Final = 3.0
BYTES: Final = 120.0
BYTES_PER_DENSE_ID: Final = 2.0
MANY_IDS: Final = 10_000  # a chunk takes as much for a single id as for a thousand


@dataclass(frozen=True)
class Target:
    """One line of the table. `measured` is `None` where the run has no such number."""

    subject: str
    what: str
    limit: float
    measured: float | None
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """Say whether it is met."""
        if self.measured is None:
            return "not measured"
        return "met" if self.measured <= self.limit else "NOT MET"


def targets(results: Results) -> Iterator[Target]:
    """Yield every target, build by build: of the allocator, of its index alone, and of ids."""
    measured = {row["subject"] for row in results.rows}
    for build in BUILDS:
        for name in ("GapTree", "GapTree index"):
            subject = f"{name}{build.suffix}"
            if subject in measured:
                yield from _against_rivals(results, build, subject)
                yield from _growth(results, subject)
                yield from _the_rest(results, build, subject)
        bitmap = f"ids by IdBitmap{build.suffix}"
        if bitmap in measured:
            yield from _growth(results, bitmap)
            yield from _the_rest(results, build, bitmap)


def _against_rivals(results: Results, build: Build, subject: str) -> Iterator[Target]:
    for size, limit in build.ahead_of_the_crate.items():
        ratio = results.ratio("churn", subject, CRATE, size)
        yield Target(subject, f"churn at {size:,} / crate", limit, ratio)
    for scenario, limit in (("exact", build.exact), ("churn", build.churn)):
        for size in SIZES:
            ratio = results.ratio(scenario, subject, PAIR, size)
            yield Target(subject, f"{scenario} at {size:,} / pair", limit, ratio)


def _growth(results: Results, subject: str) -> Iterator[Target]:
    for scenario in results.scenarios():
        if subject in results.subjects(scenario):
            what = f"growth of {scenario}, 10^3 to 10^5"
            yield Target(subject, what, GROWTH, results.growth(scenario, subject))


def _the_rest(results: Results, build: Build, subject: str) -> Iterator[Target]:
    for row in results.memory:
        if row["subject"] == subject:
            dense = row["state"] == "dense-ids"
            if dense and row["size"] < MANY_IDS:
                continue
            what = f"memory per range, {row['state']} at {row['size']:,}"
            limit = BYTES_PER_DENSE_ID if dense else BYTES
            yield Target(subject, what, limit, row["bytes"], " bytes")
    for row in results.worst:
        if row["subject"] == subject:
            what = f"slowest operation, {row['case']} at {row['size']:,}"
            yield Target(subject, what, build.worst_ms, row["ns"] / 1e6, " ms")


def table(results: Results) -> list[str]:
    """Return the lines of the table, in Markdown."""
    lines = ["| subject | target | at most | measured | |", "| --- | --- | --- | --- | --- |"]
    for target in targets(results):
        measured = "-" if target.measured is None else f"{target.measured:.3g}{target.unit}"
        limit = f"{target.limit:g}{target.unit}"
        lines.append(
            f"| {target.subject} | {target.what} | {limit} | {measured} | {target.verdict} |"
        )
    return lines


def main(arguments: Sequence[str]) -> int:
    """Print the table of a results file. Always 0, unless there is no such file."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("usage: python -m benchmarks.targets RESULTS.json", file=sys.stderr)
        return 2
    print("\n".join(table(read(Path(arguments[0])))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
