"""The rows as people see them: a live table while they are made, a summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from vm_allocator.proving.verdict import Opinion

from .rows import Row, Section, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

REACH = {
    Section.LEMMA: "proved of the code of the leaves, for all values",
    Section.THEOREM: "proved for any number of live ranges",
    Section.REFINEMENT: "proved for any number of live ranges",
    Section.BOUNDED: "all 64-bit values, up to k gaps, and no further",
    Section.FALSE: "each by values that are executed",
    Section.DOUBT: "neither proved nor refuted",
    Section.WITNESS: "executed",
    Section.MUTATION: "each must lose a theorem",
    Section.SOURCE: "each must lose a theorem of refinement",
    Section.MACHINE: "sampled, with the model as oracle",
}


WIDE = 130
"""Columns from which there is room to say how much was looked at."""


class Live:
    """A table that grows while the rows are made, on the console for progress."""

    def __init__(self, console: Console, total: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("verifying", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def add(self, row: Row) -> None:
        """Show a row that was just made."""
        self._progress.console.print(_line(row))
        self._progress.advance(self._task)


def table(rows: Sequence[Row], width: int) -> RenderableType:
    """Return the rows as one table per section, for a console of this width."""
    return Group(
        *(
            _section(section, members, width)
            for section in Section
            if (members := [row for row in rows if row.section is section])
        )
    )


def _section(section: Section, rows: Sequence[Row], width: int) -> Table:
    drawn = Table(
        title=f"{section.value} ({REACH[section]})",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE,
        show_header=False,
        pad_edge=False,
    )
    detailed = width >= WIDE
    drawn.add_column("what", overflow="fold", width=max(36, min(width - 50, 72)))
    drawn.add_column("verdict", no_wrap=True, min_width=12)
    drawn.add_column("second solver", no_wrap=True, min_width=18)
    drawn.add_column("time", justify="right", no_wrap=True, min_width=8)
    if detailed:
        drawn.add_column("looked at", overflow="fold", style="dim")
    for row in rows:
        cells = [Text(row.title), _verdict(row), _opinion(row), Text(f"{row.seconds:.2f} s")]
        drawn.add_row(*cells, *([Text(row.measure)] if detailed else []))
    return drawn


def summary(result: Summary) -> RenderableType:
    """Return what a person wants to know at the end."""
    lines = [
        Text.assemble(
            (f"{held} of {total} ", "green" if held == total else "bold red"),
            section.value,
        )
        for section, (held, total) in result.counts().items()
    ]
    verdict = {
        0: Text("holds: every row is as it must be", style="bold green"),
        1: Text("refuted: something is wrong, see below", style="bold red"),
        2: Text("could not tell: unknown is not proved", style="bold yellow"),
    }[result.exit_code]
    if not result.rows:
        verdict = Text("nothing was selected: there is no row of that name", style="bold yellow")
    if result.not_looked_at:
        left, all_of_them = len(result.not_looked_at), len(result.rows) + len(result.not_looked_at)
        said = f"{left} of {all_of_them} rows were not looked at: --keep-going looks at them all"
        lines.append(Text(said, style="bold yellow"))
    end = Text(f"{result.seconds:.1f} s, seed {result.seed}", style="dim")
    return Group(*lines, verdict, end)


def findings(rows: Sequence[Row]) -> RenderableType:
    """Return the rows that are not as they must be, each with its reason and its evidence."""
    lines: list[RenderableType] = []
    for row in rows:
        if row.holds:
            continue
        lines.append(Text.assemble((f"{row.name}: ", "bold"), (row.reason, "red")))
        lines.append(Text(f"  claim: {row.claim}"))
        lines += [Text(f"    {line}") for line in row.evidence]
    return Group(*lines)


def _line(row: Row) -> Text:
    return Text.assemble(_verdict(row), f"  {row.title}", (f"  {row.seconds:.2f} s", "dim"))


def _verdict(row: Row) -> Text:
    return Text(row.answer.ljust(12), style="green" if row.holds else "bold red")


def _opinion(row: Row) -> Text:
    if not row.needs_confirmation:
        return Text("-", style="dim")
    style = "green" if row.opinion is Opinion.CONFIRMED else "bold red"
    return Text(f"{row.second_solver.split()[0]} {row.opinion.value}", style=style)
