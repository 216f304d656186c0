"""`vm-allocator check --threads N`, as the command line has it: thin over `campaign.check`."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from vm_allocator.checker.local import LocalTarget, load_factory
from vm_allocator.checker.profile import TargetError
from vm_allocator.checker.target import names_a_factory
from vm_allocator.threads import Limits, Schedule, schedulable_locks

from .campaign import Options, Report, check
from .page import html_page
from .plays import LocalPlayer
from .remote import RemotePlayer
from .report import finding, played, summary
from .saved import SavedError, read_program, write_found
from .search import Bench
from .told import as_json, junit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .search import Found, Tally

_LOOSE_TRIES: Final = 200
"""How often what happened with threads let loose is tried again."""


@dataclass(frozen=True)
class Output:
    """Where to write what."""

    json: bool = False
    html: Path | None = None
    junit: Path | None = None
    save: Path | None = None

    def write(self, report: Report) -> None:
        """Write the files. Raises OSError."""
        if self.html is not None:
            self.html.write_text(html_page(report), encoding="utf-8")
        if self.junit is not None:
            junit(report).write(str(self.junit), pretty=True)
        if self.save is not None and report.found is not None:
            write_found(report.found, self.save)


def check_threads(words: Sequence[str], options: Options, output: Output) -> int:
    """Check the target, and report; return the exit code."""
    console, progress = Console(), Console(stderr=True)
    try:
        report = _watched(progress, words, options)
    except TargetError as error:
        _leave(progress, str(error))
    try:
        output.write(report)
    except OSError as error:
        _leave(progress, f"cannot write {error.filename}: {error.strerror}")
    if output.json:
        typer.echo(json.dumps(as_json(report), indent=2))
    else:
        ascii_only = not console.encoding.lower().startswith("utf")
        if report.found is not None:
            console.print(finding(report.found, ascii_only=ascii_only), soft_wrap=True)
            console.print()
        console.print(summary(report), soft_wrap=True)
    return exit_code(report)


def exit_code(report: Report) -> int:
    """0 = nothing was found, 1 = something was, 2 = no calls overlapped."""
    if report.found is not None:
        return 1
    return 0 if report.holds else 2


def replay_threads(file: Path, words: Sequence[str], op_timeout: float) -> int:
    """Play a saved finding on a target once more; return the exit code."""
    console, progress = Console(), Console(stderr=True)
    if not words:
        _leave(progress, f"{file}: name the target: package.module:factory, or -- COMMAND ARGS")
    name = " ".join(words)
    try:
        found = _again(file, words, op_timeout)
    except (SavedError, TargetError) as error:
        _leave(progress, str(error))
    ascii_only = not console.encoding.lower().startswith("utf")
    console.print(played(found, name, ascii_only=ascii_only), soft_wrap=True)
    return 0 if found is None else 1


def _again(file: Path, words: Sequence[str], op_timeout: float) -> Found | None:
    program, schedule = read_program(file)
    tries = 1 if schedule is not None else _LOOSE_TRIES
    name = " ".join(words)
    if not names_a_factory(words):
        with closing(RemotePlayer(words, op_timeout, name)) as remote:
            bench = Bench(remote)
            tried = (bench.try_program(program, None)[1] for _ in range(_LOOSE_TRIES))
            return next(filter(None, tried), None)
    with schedulable_locks():
        player = LocalPlayer(LocalTarget(load_factory(name), name), Limits(seconds=op_timeout))
        bench = Bench(player)
        if schedule is not None:
            bench.try_program(program, Schedule())  # what is done once only, is done by then
        tried = (bench.try_program(program, schedule)[1] for _ in range(tries))
        return next(filter(None, tried), None)


def _watched(progress: Console, words: Sequence[str], options: Options) -> Report:
    """Check, and show how far it is."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=progress, transient=True) as bar:
        task = bar.add_task("starting the target", total=None)

        def told(tally: Tally) -> None:
            bar.update(task, description=f"{tally.programs:,} programs, {tally.calls:,} calls")

        return check(words, options, told)


def _leave(progress: Console, said: str) -> NoReturn:
    """Say what is wrong, in one line, and leave."""
    with suppress(OSError):
        progress.print(said, markup=False, emoji=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)
