"""A check of concurrent calls as a person reads it, in the terminal. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from vm_allocator.checker.words import shown_range, shown_ranges

from .drawing import draw_history
from .told import facts, history_of, looked, scheduled_words, stops_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .campaign import Report
    from .search import Found


def finding(found: Found, *, ascii_only: bool = False) -> RenderableType:
    """Return a finding: the property in words, the calls over time, and why they do not fit."""
    lines = [
        Text.assemble((found.broken.value, "bold red"), f"  {found.title}"),
        Text(f"   {found.broken.sentence}", style="italic"),
        Text(f"   on a fresh allocator of {shown_range(found.program.space.range)}:"),
    ]
    history, illegal = history_of(found), found.illegal
    if history is not None:
        guilty = None if illegal is None else illegal.event
        for position, line in enumerate(draw_history(history, guilty, ascii_only=ascii_only)):
            lines.append(Text(f"     {line}", style="bold red" if position == guilty else ""))
        if history.live is not None:
            lines.append(Text(f"     in the end, live: {shown_ranges(history.live)}"))
    lines += [Text(f"   {line}") for line in found.words.splitlines()]
    lines += [Text(f"   {line}", style="yellow") for line in stops_of(found)]
    lines += [Text(f"   {line}", style="dim") for line in facts(found)]
    return Group(*lines)


def summary(report: Report) -> RenderableType:
    """Return the last lines: how much was looked at, the verdict, and how to repeat it."""
    name = report.profile.name
    if report.found is not None:
        verdict = Text(f"{name}: {report.found.broken.value} is broken", style="bold red")
    elif report.holds:
        said = f"{name}: no counterexample found (sampled, not proved)"
        verdict = Text(said, style="bold green")
    else:
        verdict = Text(f"{name}: no calls overlapped: unknown", style="bold yellow")
    lines = [Text(line, style="dim") for line in looked(report)]
    return Group(*lines, verdict, Text(scheduled_words(report), style="dim"))


def played(found: Found | None, name: str, *, ascii_only: bool = False) -> RenderableType:
    """Return what came of a schedule that was played again."""
    if found is None:
        return Text(f"{name}: the target answered as it must", style="bold green")
    again = Text(f"{name}: it still happens", style="bold red")
    return Group(finding(found, ascii_only=ascii_only), again)
