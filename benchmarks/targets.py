"""What the numbers were meant to be, next to what they are: `python -m benchmarks.targets FILE`.

A table for people. No test asserts a time: machines differ, and neighbours make noise.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .results import Results, read
from .workloads import ABOUT_IDS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CRATE: Final = "vm-allocator 0.1.4 (Rust)"
PAIR: Final = "SortedDict pair"
SIZES: Final = (100, 1000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Build:
    """One of our two builds, and what is asked of it."""

    name: str
    suffix: str
    ahead_of_the_crate: dict[int, float]  # size -> the most of the crate's time
    exact: float  # times the pair's
    churn: float  # times the pair's
    worst_ms: float


BUILDS: Final = (
    Build("pure", "", {**dict.fromkeys(SIZES[1:5], 1.0), SIZES[4]: 0.001}, 2.5, 8, 5),
    Build("compiled", " (compiled)", dict.fromkeys(SIZES, 1.0), 1.3, 3.5, 1),
)
GROWTH: Final = 3.0
BYTES: Final = 120.0
BYTES_PER_DENSE_ID: Final = 2.0
MANY_IDS: Final = 10_000  # a chunk takes as much for a single id as for a thousand


@dataclass(frozen=True)
class Target:
    """One line of the table. `measured` is `None` where the run has no such number."""

    build: str
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
    """Yield every target, build by build."""
    for build in BUILDS:
        tree, bitmap = f"GapTree{build.suffix}", f"ids by IdBitmap{build.suffix}"
        if any(row["subject"] in (tree, bitmap) for row in results.rows):
            yield from _against_rivals(results, build, tree)
            for scenario in results.scenarios():
                mine = bitmap if SCENARIOS[scenario] in ABOUT_IDS else tree
                what = f"growth of {scenario}, 10^3 to 10^5"
                yield Target(build.name, what, GROWTH, results.growth(scenario, mine))
            yield from _memory(results, build, tree, bitmap)
            for row in results.worst:
                if row["subject"] in (tree, bitmap):
                    what = f"worst operation, {row['case']} at {row['size']}"
                    yield Target(build.name, what, build.worst_ms, row["ns"] / 1e6, " ms")


def _against_rivals(results: Results, build: Build, tree: str) -> Iterator[Target]:
    for size, limit in build.ahead_of_the_crate.items():
        ratio = results.ratio("churn", tree, CRATE, size)
        yield Target(build.name, f"churn at {size} / crate", limit, ratio)
    for scenario, limit in (("exact", build.exact), ("churn", build.churn)):
        for size in SIZES:
            ratio = results.ratio(scenario, tree, PAIR, size)
            yield Target(build.name, f"{scenario} at {size} / pair", limit, ratio)


def _memory(results: Results, build: Build, tree: str, bitmap: str) -> Iterator[Target]:
    for row in results.memory:
        size, held = row["size"], row["bytes"]
        if row["subject"] == tree:
            yield Target(build.name, f"memory per range at {size}", BYTES, held, " bytes")
        if row["subject"] == bitmap and row["state"] == "dense-ids" and size >= MANY_IDS:
            what = f"memory per dense id at {size}"
            yield Target(build.name, what, BYTES_PER_DENSE_ID, held, " bytes")


def table(results: Results) -> list[str]:
    """Return the lines of the table, in Markdown."""
    lines = ["| build | target | at most | measured | |", "| --- | --- | --- | --- | --- |"]
    for target in targets(results):
        measured = "-" if target.measured is None else f"{target.measured:.3g}{target.unit}"
        limit = f"{target.limit:g}{target.unit}"
        lines.append(
            f"| {target.build} | {target.what} | {limit} | {measured} | {target.verdict} |"
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
