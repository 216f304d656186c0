"""`vm-allocator gallery`, as typer sees it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vm_allocator.checker.baseline import Baseline
from vm_allocator.checker.report import findings, summary

from .catalogue import entry, gallery, not_shown, twins
from .entry import Bug
from .running import ENOUGH, check


def gallery_command(
    name: Annotated[str, typer.Argument(help="The entry to run; without one, list all.")] = "",
    *,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 0,
    max_calls: Annotated[int, typer.Option(min=1, help="Calls to make.")] = ENOUGH,
) -> None:
    """List allocators with bugs that really happened, or catch one of them.

    Each re-enacts the cause of a bug of a released allocator. With a name, the checker is let
    loose on it: the exit code is then 1, as for every counterexample, and 0 for a correct twin.

    Example: vm-allocator gallery move-frees-first
    """
    console = Console()
    if not name:
        for table in (bugs_table(), twins_table(), not_shown_table()):
            console.print(table)
        return
    one = entry(name)
    if one is None:
        said = f"no entry is called {name!r}: vm-allocator gallery lists them"
        Console(stderr=True).print(said, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2)
    if isinstance(one, Bug):
        console.print(Text.assemble((one.name, "bold"), f"  {one.system}, {one.where}"))
        console.print(Text(f"{one.cause}\n"), soft_wrap=True)
    report = check(one, seed=seed, max_calls=max_calls)
    ascii_only = not console.encoding.startswith("utf")
    console.print(findings(report, Baseline(), ascii_only=ascii_only), soft_wrap=True)
    console.print(summary(report, Baseline()), soft_wrap=True)
    raise typer.Exit(0 if report.holds else 1)


def bugs_table() -> Table:
    """Return a table of the bugs."""
    table = Table(title="Bugs that happened, re-enacted", title_justify="left")
    table.add_column("name", no_wrap=True, style="bold")
    for heading in ("breaks", "where it happened", "cause"):
        table.add_column(heading, overflow="fold")
    table.add_column("calls", justify="right")
    for bug in gallery():
        row = (bug.name, bug.broken.value, f"{bug.system}, {bug.where}", bug.cause)
        table.add_row(*(Text(cell) for cell in row), str(bug.calls))
    return table


def twins_table() -> Table:
    """Return a table of the correct allocators."""
    table = Table(title="Correct twins, which must pass", title_justify="left")
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("what it is")
    for twin in twins():
        table.add_row(Text(twin.name), Text(twin.about))
    return table


def not_shown_table() -> Table:
    """Return a table of what calls of one allocator cannot show."""
    title = "Bugs that happened, and that this interface cannot show yet"
    table = Table(title=title, title_justify="left")
    for heading in ("where it happened", "cause", "needs"):
        table.add_column(heading, overflow="fold")
    for one in not_shown():
        table.add_row(
            *(Text(cell) for cell in (f"{one.system}, {one.where}", one.cause, one.needs))
        )
    return table
