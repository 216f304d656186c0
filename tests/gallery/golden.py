"""The golden traces of the gallery: `python -m tests.gallery.golden` writes them anew.

They change when the search or the shrinking does. Read what has changed before committing it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vm_allocator.checker.words import answered, asked
from vm_allocator.gallery import Bug, gallery
from vm_allocator.gallery.running import check

if TYPE_CHECKING:
    from vm_allocator.checker.campaign import Report
    from vm_allocator.checker.findings import Finding

GOLDEN = Path(__file__).with_name("golden.txt")


def caught(bug: Bug, report: Report) -> Finding | None:
    """Return the finding that the entry claims: the one with the shortest trace."""
    claimed = (bug.broken, bug.operation)
    return next(
        (one for one in report.findings if (one.broken, one.violation.operation) == claimed), None
    )


def told(bug: Bug, one: Finding) -> str:
    """Write a finding as the golden file has it."""
    lines = [
        f"{bug.name}: {one.broken.value}, {one.title}",
        f"    on a fresh allocator of {one.space}",
    ]
    lines += [f"    {asked(s.call)}  {answered(s.call, s.answer.reply)}" for s in one.steps]
    return "\n".join(lines)


def main() -> None:
    """Write the file."""
    parts = []
    for bug in gallery():
        one = caught(bug, check(bug))
        parts.append(f"{bug.name}: not caught" if one is None else told(bug, one))
    GOLDEN.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
