"""`python -m tests.faults`: interrupt everything, and print what came of it.

It exits with 1 if anything is lost, and says how to see it again.
"""

from __future__ import annotations

import argparse
import dis
import sys
from typing import TYPE_CHECKING

from .campaign import ENTRIES, Campaign
from .scenes import SCENES, play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .injecting import Place

ENOUGH = 10_000
LINE = "{:22} {:16} {:>10} {:>9} {:>9} {:>9} {:>5}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--seeds", type=int, default=2, help="how many of them, one after another")
    parser.add_argument("--steps", type=int, default=8, help="of each machine, for each seed")
    parser.add_argument("--visits", type=int, default=1, help="of each instruction, per operation")
    parser.add_argument("--only", default="", help="what contains this")
    chosen = parser.parse_args(arguments)
    print(LINE.format("what", "operation", "operations", "injected", "old", "new", "lost"))
    campaign = Campaign(chosen.visits)
    report = campaign.report
    for name, entry in ENTRIES.items():
        if chosen.only not in name:
            continue
        for seed in range(chosen.seed, chosen.seed + chosen.seeds):
            campaign.run(entry, seed, chosen.steps)
        for (of, operation), n in sorted(report.counts.items()):
            if of == name and n.injected:
                print(LINE.format(of, operation, n.operations, n.injected, n.old, n.new, n.lost))
        sys.stdout.flush()
    injected, lost = report.injected, [str(one) for one in report.lost]
    places = set(report.places)
    for scene in SCENES:
        if chosen.only not in scene.__name__:
            continue
        played = play(scene, visits=chosen.visits)
        injected += played.old + played.new + len(played.lost)
        lost += played.lost
        places |= set(played.places)
        count = played.old + played.new + len(played.lost)
        row = ("a scene", scene.__name__[:16], 1, count, played.old, played.new, len(played.lost))
        print(LINE.format(*row), flush=True)
    print()
    for one in lost:
        print(one, file=sys.stderr)
    functions, instructions = _all_of(places)
    print(f"{injected} exceptions were raised, {len(lost)} of them lost something.")
    print(
        f"{len(places)} instructions of {functions} functions had one; "
        f"these functions have {instructions} in all, handlers included."
    )
    print(f"{report.left_out} were left out: before the first step of __exit__ (docs/faults.md).")
    if lost:
        print(f"To see it again: python -m tests.faults --seed {chosen.seed}", file=sys.stderr)
    return 1 if lost or (not chosen.only and injected < ENOUGH) else 0


def _all_of(places: set[Place]) -> tuple[int, int]:
    """Return how many functions these are of, and how many instructions those have in all."""
    codes = {code for code, _ in places}
    return len(codes), sum(1 + len(list(dis.get_instructions(code))) for code in codes)


if __name__ == "__main__":
    sys.exit(main())
