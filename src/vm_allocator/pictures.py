"""The pictures of the README: exported from real runs, never typed.

`python -m vm_allocator.pictures DIRECTORY TRACE` (or `make pictures`) writes `verify.svg`
and `replay.svg`.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from .replay.command import picture as replay_picture
from .verify import Options, Section, report, verify

WIDTH: Final = 104
SHOWN: Final = (Section.THEOREM, Section.LEMMA, Section.REFINEMENT)
"""The sections whose rows are drawn; the summary speaks of all of them."""


def verify_picture(path: Path) -> int:
    """Run all of `verify`, draw its proofs and its summary; return its exit code."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    result = verify(Options())
    console.print(report.table([row for row in result.rows if row.section in SHOWN], WIDTH))
    console.print(report.summary(result))
    path.write_text(
        without_web_fonts(console.export_svg(title="vm-allocator verify")), encoding="utf-8"
    )
    return result.exit_code


def without_web_fonts(svg: str) -> str:
    """Return the picture with no reference to any other host; a viewer has its own fonts."""
    return re.sub(r"@font-face\s*\{[^}]*\}", "", svg)


def main(arguments: list[str]) -> int:
    """Write both pictures; return 0 if what they show holds."""
    if len(arguments) != 2:  # noqa: PLR2004  # the two that the message names
        sys.stderr.write("usage: python -m vm_allocator.pictures DIRECTORY TRACE\n")
        return 2
    directory, trace = Path(arguments[0]), Path(arguments[1])
    directory.mkdir(parents=True, exist_ok=True)
    replay = directory / "replay.svg"
    replay_picture(trace, replay)
    replay.write_text(without_web_fonts(replay.read_text(encoding="utf-8")), encoding="utf-8")
    return verify_picture(directory / "verify.svg")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
