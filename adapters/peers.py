"""Checks the peers: released crates through their adapters, and the Python targets.

`make peers` builds the adapters and prints a table of what was found; the exit code is 0 when
every bug that is known was found, and nothing in the targets that are correct.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vm_allocator.checker.campaign import Options, Report, run
from vm_allocator.checker.judge import Property
from vm_allocator.checker.profile import TargetError
from vm_allocator.checker.remote import RemoteTarget
from vm_allocator.checker.words import answered, asked, shown_range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.checker.findings import Finding
    from vm_allocator.checker.target import Target

_WIDTH_OF_A_LOG: Final = 160
BUILT: Final = Path(__file__).parent / "target" / "release"
_SERVE: Final = (sys.executable, "-m", "vm_allocator.checker.serve")
_OP_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Known:
    """A bug that is known: the group that it shows as, and the most calls of its trace."""

    broken: Property
    operation: str
    expected: str
    actual: str
    calls: int
    note: str = ""
    """What a note of the finding has to say."""

    def is_shown_by(self, one: Finding) -> bool:
        """Whether a finding is this bug, shown well enough."""
        key = (self.broken.value, self.operation, self.expected, self.actual)
        noted = not self.note or any(self.note in note for note in one.notes)
        return one.key == key and len(one.steps) <= self.calls and noted


@dataclass(frozen=True)
class Peer:
    """A target, and what is known of it. `correct`: nothing may be found."""

    name: str
    command: tuple[str, ...]
    known: tuple[Known, ...] = ()
    correct: bool = False


_GRANTED: Final = "granted"
_NOTHING_FITS: Final = "refused: ResourceNotAvailable"
_LOST: Final = "lost: it can neither be freed again nor allocated again"

DOUBLE_FREE: Final = Known(Property.EXACT_FREE, "free", "refused: not-allocated", _GRANTED, calls=1)
CRATE: Final = (
    Known(Property.COMPLETENESS, "allocate exact", _GRANTED, _NOTHING_FITS, calls=1),
    Known(Property.COMPLETENESS, "allocate last", _GRANTED, _NOTHING_FITS, calls=1),
    Known(Property.COMPLETENESS, "allocate first", _GRANTED, _NOTHING_FITS, calls=3),
    Known(Property.EXACT_FREE, "free", _GRANTED, "refused: Overflow", calls=2, note=_LOST),
    Known(Property.EXACT_FREE, "free", _GRANTED, "refused: Underflow", calls=2, note=_LOST),
    Known(Property.NO_OVERLAP, "allocate exact", "refused: overlap", _GRANTED, calls=2),
    DOUBLE_FREE,
)
"""Of vm-allocator 0.1.4: an exact unit at the end of a gap, the last match of a gap from 0 on,
neighbours of size 1 that stay apart, ranges lost at both ends, overlap, double free."""

TWICE: Final = Known(Property.NO_OVERLAP, "allocate first", _GRANTED, "granted elsewhere", calls=3)
"""One id handed out twice."""


def _crate(patch: int, kind: str, *known: Known, correct: bool = False) -> Peer:
    command = (str(BUILT / f"vm-allocator-0-1-{patch}"), kind)
    return Peer(f"vm-allocator 0.1.{patch} {kind}", command, known, correct)


def _python(factory: str, *known: Known, correct: bool = False) -> Peer:
    return Peer(factory, (*_SERVE, f"adapters.python.{factory}"), known, correct)


def _gallery(name: str, *known: Known) -> Peer:
    return Peer(name, (*_SERVE, f"vm_allocator.gallery.monitors:{name}"), known)


PEERS: Final = (
    _crate(4, "addresses", *CRATE),
    _crate(3, "addresses", *CRATE),
    _crate(
        0,
        "addresses",
        Known(Property.COMPLETENESS, "allocate first", _GRANTED, "refused: InvalidRange", calls=1),
    ),
    _crate(4, "ids", correct=True),
    _crate(3, "ids", DOUBLE_FREE, TWICE),
    _crate(0, "ids", DOUBLE_FREE, TWICE),
    Peer("dbs-allocator 0.1.1", (str(BUILT / "dbs-allocator-0-1-1"),)),
    _python("portion_allocator:PortionAllocator", correct=True),
    _python("intervaltree_allocator:IntervalTreeAllocator", correct=True),
    # What tools in Python still do; the gallery has the causes.
    _gallery(
        "OverlapsTheHole",
        Known(Property.BOUNDS, "allocate first", "refused: no-space", _GRANTED, calls=1),
    ),
    _gallery(
        "CarryToZero",
        Known(Property.BOUNDS, "allocate any", _GRANTED, "granted elsewhere", calls=3),
    ),
    _gallery(
        "ReserveErases",
        Known(Property.NO_OVERLAP, "allocate exact", "refused: overlap", _GRANTED, calls=2),
    ),
    _gallery(
        "NextBeforeCommit",
        Known(Property.NO_OVERLAP, "allocate first", _GRANTED, "granted elsewhere", calls=2),
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What a campaign said of a peer."""

    peer: Peer
    report: Report

    @property
    def missed(self) -> list[Known]:
        """The known bugs that were not found, or not with so few calls."""
        found = self.report.findings
        return [one for one in self.peer.known if not any(map(one.is_shown_by, found))]

    @property
    def unexpected(self) -> tuple[Finding, ...]:
        """What was found in a target that is correct."""
        return self.report.findings if self.peer.correct else ()

    @property
    def as_expected(self) -> bool:
        """Whether it is as it is known to be."""
        looked = self.report.coverage.tally.calls > 0
        return looked and not self.missed and not self.unexpected


def check(peer: Peer, options: Options) -> Outcome:
    """Check one peer. Raises `TargetError` if it cannot be started."""
    open_target: Callable[[], Target] = partial(RemoteTarget, peer.command, _OP_SECONDS, peer.name)
    return Outcome(peer, run(open_target, options))


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return a row for every finding, and one for every peer without any."""
    drawn = Table(title="Peers", title_justify="left")
    for heading in ("target", "property", "group", "smallest trace"):
        drawn.add_column(heading, overflow="fold")
    for heading in ("calls", "found after", "seconds"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for outcome in outcomes:
        report = outcome.report
        name, seconds = outcome.peer.name, f"{report.seconds:.1f}"
        if not report.findings:
            calls = f"{report.coverage.tally.calls:,}"
            drawn.add_row(Text(name), "", "nothing found", "", "", calls, seconds)
        for one in report.findings:
            cells = (one.broken.value, one.title, _trace(one), str(len(one.steps)))
            row = (name, *cells, f"{one.after_calls:,}", seconds)
            drawn.add_row(*map(Text, row))
            name = seconds = ""
        drawn.add_section()
    return drawn


def _trace(one: Finding) -> str:
    steps = [f"{asked(step.call)}: {answered(step.call, step.answer.reply)}" for step in one.steps]
    return "\n".join([f"in {shown_range(one.space.range)}", *steps])


def complaints(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what is not as it is known to be, a line each."""
    lines = []
    for outcome in outcomes:
        name = outcome.peer.name
        lines += [
            f"{name}: not found in at most {one.calls} calls: {one.broken.value}, "
            f"{one.operation}: expected {one.expected}, got {one.actual}"
            for one in outcome.missed
        ]
        lines += [f"{name}: unexpected: {one.title}" for one in outcome.unexpected]
        if not outcome.report.coverage.tally.calls:
            lines.append(f"{name}: nothing could be looked at")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Check all peers, or those whose name contains a word. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m adapters.peers", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="check those that contain this")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-calls", type=int, default=70_000, help="for each peer")
    parser.add_argument("--max-time", type=float, default=60.0, help="seconds for each peer")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args(arguments)
    options = Options(given.seed, given.max_time, given.max_calls, given.jobs)
    console, progress = Console(), Console(stderr=True)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_LOG
    outcomes: list[Outcome] = []
    for peer in PEERS:
        if given.name not in peer.name:
            continue
        progress.print(f"checking {peer.name}", markup=False, highlight=False)
        try:
            outcomes.append(check(peer, options))
        except TargetError as error:
            progress.print(str(error), markup=False, highlight=False, soft_wrap=True)
            return 2
    console.print(table(outcomes))
    said = complaints(outcomes)
    for line in said:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not outcomes:
        progress.print("no peer is called so", highlight=False)
        return 2
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
