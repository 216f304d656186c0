"""`python -m benchmarks`: run, write, and print the ratios."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import targets
from .machine import described
from .processes import BUILD, Kind, WorkerDiedError, other_python, rust, this_python
from .report import draw, markdown, ratios, renew
from .results import Results
from .run import Plan, Run
from .workloads import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

FULL: Final = Plan(
    sizes=(100, 1000, 10_000, 100_000, 1_000_000),
    scenarios=tuple(SCENARIOS),
    rounds=15,
    slice_ns=20_000_000,
    warm_ns=300_000_000,
    load_ns=40_000_000_000,
    operation_ns=1_000_000_000,
    memory_sizes=(1000, 10_000, 100_000),
    worst_size=1_000_000,
)
QUICK: Final = replace(
    FULL,
    sizes=(100, 1000, 10_000, 100_000),
    rounds=4,
    slice_ns=2_000_000,
    warm_ns=20_000_000,
    load_ns=4_000_000_000,
    operation_ns=100_000_000,
    memory_sizes=(1000,),
    worst_size=0,
)

WORST_OF: Final = ("GapTree", "ids by IdBitmap")
"""Whose slowest operation is looked for: the others are linear, and known to be."""


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; write the results; print the ratios."""
    options = _parser().parse_args(arguments)
    plan = QUICK if options.quick else FULL
    sizes = tuple(options.sizes or plan.sizes)
    plan = replace(
        plan,
        sizes=sizes,
        subjects=tuple(options.subjects),
        memory_sizes=tuple(size for size in plan.memory_sizes if size in sizes),
        worst_size=min(plan.worst_size, max(sizes)),
        scenarios=tuple(options.scenarios or plan.scenarios),
        rounds=options.rounds or plan.rounds,
    )
    kinds = [this_python(), *(other_python(python, label) for label, python in options.also)]
    notes = []
    rivals = rust()
    if isinstance(rivals, Kind):
        kinds.append(rivals)
    else:
        notes.append(f"no Rust rivals: {rivals}")
        print(notes[-1], file=sys.stderr)
    machine = described()  # before the run makes it busy
    try:
        run = Run(plan, kinds)
        rows = run.results()
        memory, worst = run.memory(), run.worst(WORST_OF)
    except (OSError, WorkerDiedError) as error:
        print(f"a worker cannot run: {error}", file=sys.stderr)
        return 2
    results = Results(machine, asdict(plan), rows, memory, worst, [*notes, *run.notes])
    results.write(options.out / "results.json")
    draw(results, options.out)
    (options.out / "results.md").write_text(markdown(results, "."))
    print(ratios(results))
    for disagreement in results.disagreements():
        print(f"placed differently: {disagreement}")
    if not options.quick:
        print("\n".join(targets.table(results)))
    if options.page:
        renew(options.page, results)
    print(f"written to {options.out}", file=sys.stderr)
    return 0


def _pair(text: str) -> tuple[str, str]:
    label, equals, python = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("LABEL=PYTHON is wanted")
    return label, python


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes, up to 10^5")
    parser.add_argument(
        "--also",
        type=_pair,
        action="append",
        default=[],
        metavar="LABEL=PYTHON",
        help="our subjects under another Python take turns with the others",
    )
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N")
    parser.add_argument("--scenarios", nargs="+", choices=tuple(SCENARIOS), metavar="NAME")
    parser.add_argument("--subjects", nargs="+", default=(), metavar="NAME", help="these alone")
    parser.add_argument("--rounds", type=int, metavar="N", help="slices of each subject")
    parser.add_argument("--out", type=Path, default=BUILD, help="default: build/benchmarks")
    parser.add_argument(
        "--page", type=Path, metavar="MD", help="put the results into a page, too, and beside it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
