"""`vm-allocator check`, as typer sees it: thin over `campaign.run` and the reports."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .as_json import as_json
from .baseline import Baseline, BaselineError, read_baseline, write_baseline
from .campaign import Options, run
from .concurrent.campaign import Options as ThreadOptions
from .concurrent.command import Output, check_threads, replay_threads
from .concurrent.saved import SUFFIX
from .files import Files
from .profile import TargetError
from .remote import RemoteTarget
from .replayed import TraceFileError, replay_finding
from .report import coverage, findings, played, summary
from .target import names_a_factory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .campaign import Report, UnitResult


def command_of(words: Sequence[str]) -> list[str]:
    """Return the adapter command for what stands on the command line.

    One word of the form package.module:factory is a Python target, and runs in the reference
    adapter; everything else is an adapter's own command.
    """
    if names_a_factory(words):
        return [sys.executable, "-m", "vm_allocator.checker.serve", words[0]]
    return list(words)


def check_command(
    target: Annotated[
        list[str],
        typer.Argument(help="package.module:factory, or -- COMMAND ARGS for an adapter."),
    ],
    *,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 0,
    max_time: Annotated[float, typer.Option(min=0.1, help="Seconds, the shrinking included.")] = 60,
    max_calls: Annotated[
        int, typer.Option(min=0, help="Calls after which no new work begins; 0: no limit.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to use.")] = 2,
    op_timeout: Annotated[
        float, typer.Option(min=0.01, help="Seconds that one operation may take.")
    ] = 2.0,
    baseline: Annotated[
        Path | None, typer.Option(help="Known findings: only new ones make the check fail.")
    ] = None,
    accept: Annotated[
        Path | None,
        typer.Option("--write-baseline", help="Write a baseline with what was found."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON, not a report.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write one self-contained page: step through the traces.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Write to this directory, for each finding, ITF and a regression test."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 to this file.")] = None,
    threads: Annotated[
        int,
        typer.Option(min=0, max=64, help="Threads that call at once; 0: one call at a time."),
    ] = 0,
    serve: Annotated[
        bool, typer.Option("--serve", help="Be the adapter of the Python target instead.")
    ] = False,
) -> None:
    """Hold an allocator to the specification.

    Tiny spaces are searched exhaustively first, then larger ones at random. What is found is
    grouped by cause, each group with the smallest trace that shows it.

    With --threads, concurrent calls are checked: Python targets in threads that are stopped
    between any two instructions, adapters by requests that are open at once (docs/threads.md).

    Examples: vm-allocator check mypackage.alloc:make
    or: vm-allocator check --max-time 30 -- ./my-adapter --verbose
    or: vm-allocator check --threads 3 mypackage.alloc:make
    """
    if serve:
        from .serve import main  # noqa: PLC0415  # the adapter loads as little as it can

        raise typer.Exit(main(target, threads))
    if threads:
        _refuse_with_threads(
            threads, {"--baseline": baseline, "--write-baseline": accept, "--sarif": sarif}
        )
        how_far = ThreadOptions(threads, seed, max_time, max_calls, op_timeout)
        output = Output(json_output, html, junit, save)
        raise typer.Exit(check_threads(target, how_far, output))
    console, progress = Console(), Console(stderr=True)
    known = Baseline()
    if baseline is not None:
        try:
            known = read_baseline(baseline)
        except BaselineError as error:
            _leave(progress, str(error))
    options = Options(seed=seed, max_time=max_time, max_calls=max_calls, jobs=jobs)
    try:
        report = _watched(progress, target, op_timeout, options)
    except TargetError as error:
        _leave(progress, str(error))
    if accept is not None:
        try:
            write_baseline(accept, report.findings, known)
        except OSError as error:
            _leave(progress, f"cannot write {accept}: {error.strerror}")
    try:
        Files(html, junit, sarif, save).write(report, target, known)
    except OSError as error:
        _leave(progress, f"cannot write {error.filename}: {error.strerror}")
    if json_output:
        typer.echo(json.dumps(as_json(report, known), indent=2))
    else:
        ascii_only = not console.encoding.lower().startswith("utf")
        console.print(findings(report, known, ascii_only=ascii_only), soft_wrap=True)
        console.print(coverage(report.coverage), soft_wrap=True)
        console.print(summary(report, known), soft_wrap=True)
    raise typer.Exit(exit_code(report, known))


def _refuse_with_threads(threads: int, options: dict[str, Path | None]) -> None:
    """Leave if an option was given that says nothing with `--threads`."""
    if threads == 1:
        _leave(Console(stderr=True), "--threads 1 is one call at a time: pass 2 or more, or 0")
    for name, given in options.items():
        if given is not None:
            said = f"{name} is not there with --threads, where the first finding ends the search"
            _leave(Console(stderr=True), f"{said}: leave it out")


def exit_code(report: Report, known: Baseline) -> int:
    """0 = nothing new was found, 1 = something was, 2 = nothing could be looked at."""
    if known.new(report.findings) or report.more_groups:
        return 1
    return 0 if report.holds or report.findings else 2


def replay_again(file: Path, words: Sequence[str], *, finding: str, op_timeout: float) -> int:
    """Play a trace that `check` wrote on a target once more; return the exit code."""
    if file.name.endswith(SUFFIX):
        return replay_threads(file, words, op_timeout)
    console, progress = Console(), Console(stderr=True)
    if not words:
        _leave(progress, f"{file}: name the target: package.module:factory, or -- COMMAND ARGS")
    name = " ".join(words)
    try:
        trial = replay_finding(
            file, partial(RemoteTarget, command_of(words), op_timeout, name), finding
        )
    except (TargetError, TraceFileError) as error:
        _leave(progress, str(error))
    ascii_only = not console.encoding.lower().startswith("utf")
    console.print(played(trial, name, ascii_only=ascii_only), soft_wrap=True)
    return 1 if trial.violations else 0


def _watched(progress: Console, words: Sequence[str], seconds: float, options: Options) -> Report:
    """Run the campaign, and show how far it is."""
    command, name = command_of(words), " ".join(words)
    with (
        _hypothesis_elsewhere(),
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=progress,
            transient=True,
        ) as bar,
    ):
        task = bar.add_task("starting the target", total=None)
        calls = 0

        def told(result: UnitResult, groups: int) -> None:
            nonlocal calls
            calls += result.tally.calls
            bar.update(task, description=f"{calls:,} calls, {groups} groups: {result.unit.title}")

        on_unit: Callable[[UnitResult, int], None] = told
        return run(partial(RemoteTarget, command, seconds, name), options, on_unit=on_unit)


@contextmanager
def _hypothesis_elsewhere() -> Iterator[None]:
    """Let hypothesis, here and in other processes, keep its notes out of the user's folder."""
    name = "HYPOTHESIS_STORAGE_DIRECTORY"
    if name in os.environ:
        yield
        return
    with TemporaryDirectory() as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            del os.environ[name]


def _leave(progress: Console, said: str) -> NoReturn:
    """Say what is wrong, in one line, and leave."""
    with suppress(OSError):
        progress.print(said, markup=False, emoji=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)
