"""The commands, as typer sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from . import __compiled__, __version__
from ._loading import run_from_source
from .checker.command import check_command, replay_again
from .explore.command import explore_command
from .gallery.command import gallery_command
from .replay.command import run as replay_guests
from .replay.outcome import WhenRefused  # noqa: TC001  # typer reads it when the program runs

app: Final = typer.Typer(
    name="vm-allocator",
    help="Resource allocators for virtual machine monitors, held to a machine-checked "
    "specification.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check")(check_command)
app.command("explore")(explore_command)
app.command("gallery")(gallery_command)


def _version(wanted: bool) -> None:  # noqa: FBT001  # typer's way to call back
    if wanted:
        typer.echo(f"vm-allocator {__version__}")
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Exit codes: 0 = holds, 1 = a counterexample, 2 = could not tell, or bad usage."""


@app.command("replay")
def replay_command(
    traces: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACE... | TRACE TARGET",
            help="Recorded traces of guests, as JSON lines; or one trace that check wrote "
            "(ITF, regression test, JSON report), and the target to play it on.",
        ),
    ],
    *,
    policy: Annotated[
        list[WhenRefused] | None,
        typer.Option(
            help="What the VMM does with a BAR that is put on another one: no BAR may end wrong "
            "then. Say it again to compare several; without it, all are compared.",
        ),
    ] = None,
    windows: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The host windows of the traces; windows.json beside each trace by default.",
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON on standard output.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the results as JUnit XML.")
    ] = None,
    finding: Annotated[
        str, typer.Option(help="Which finding of a JSON report: the beginning of its name.")
    ] = "",
    op_timeout: Annotated[
        float, typer.Option(min=0.01, help="Seconds that one operation of a target may take.")
    ] = 2.0,
) -> None:
    """Play recorded traces of real guests, or play again what check has found.

    For a guest, says what it did with its BARs and interrupts, what was refused
    and why, which BARs end elsewhere than where the guest put them, and
    whether an allocator ever did other than the specification says.
    A BAR that is refused keeps the range that it holds (policy keep), or is
    unmapped (drop); or it is not refused, and waits until its range is free
    (claim).

    Example: vm-allocator replay tests/traces/q35-provoked.alloc.jsonl
    or: vm-allocator replay --policy claim tests/traces/q35-provoked.alloc.jsonl
    or: vm-allocator replay findings/0123456789ab.itf.json mypackage:make

    Exit code: 0 holds, 1 refuted (also if a BAR ends wrong by a policy that was
    named), 2 could not tell.
    """
    first = Path(traces[0])
    if first.suffix in (".json", ".py"):
        code = replay_again(first, traces[1:], finding=finding, op_timeout=op_timeout)
    else:
        code = replay_guests(
            [Path(trace) for trace in traces],
            policies=policy or (),
            windows=windows,
            json_output=json_output,
            junit=junit,
            console=Console(),
            progress=Console(stderr=True),
        )
    raise typer.Exit(code)


@app.command("verify")
def verify_command(
    *,
    only: Annotated[str, typer.Option(help="Rows whose name or section contains this.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Processes to use.")] = 2,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 0,
    max_time: Annotated[
        float, typer.Option(min=0.0, help="Seconds of state machines, added up.")
    ] = 24.0,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    smt_lib: Annotated[
        Path | None, typer.Option(help="Write every obligation to this directory as SMT-LIB 2.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Write refutations to this directory: a program, and an ITF trace."),
    ] = None,
    every_mutant: Annotated[
        bool, typer.Option("--every-mutant", help="All mutants of the source: takes minutes.")
    ] = False,
    brisk: Annotated[
        bool,
        typer.Option("--brisk", help="No row that repeats another, few bent models: for CI."),
    ] = False,
    gaps: Annotated[
        int, typer.Option(min=1, help="Gaps that the bounded check of an index goes to.")
    ] = 3,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do all rows, even after a refutation.")
    ] = False,
) -> None:
    """Prove the specification, and hold the allocators to it.

    Lemmas and theorems are proved by z3 and confirmed by a second solver (bitwuzla, cvc5);
    bent specifications must be refuted; state machines run the allocators against the model.
    The first row that shows that something is wrong ends it. In a compiled build the proofs are
    about its source, and the state machines drive the compiled code.

    Example: vm-allocator verify --only update --junit verify.xml
    """
    if __compiled__:
        run_from_source("vm_allocator.cli")
    from .verify import Options, files, plan, report, verify  # noqa: PLC0415  # solvers load slowly

    console, progress = Console(), Console(stderr=True)
    options = Options(
        only=only,
        jobs=jobs,
        seed=seed,
        max_time=max_time,
        smt_lib=None if smt_lib is None else str(smt_lib),
        save=None if save is None else str(save),
        every_mutant=every_mutant,
        brisk=brisk,
        gaps=gaps,
        keep_going=keep_going,
    )
    for directory in (smt_lib, save):
        if directory is not None:
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _cannot_write(progress, directory, error) from None
    selected = plan(options)
    with report.Live(progress, len(selected)) as live:
        result = verify(options, selected, live.add)
    if json_output:
        typer.echo(files.as_json(result))
    else:
        if result.rows:
            console.print(report.table(result.rows, console.width))
        console.print(report.findings(result.rows), soft_wrap=True)
        console.print(report.summary(result))
    if junit is not None:
        try:
            files.write_junit(result, junit)
        except OSError as error:
            raise _cannot_write(progress, junit, error) from None
    raise typer.Exit(result.exit_code)


def _cannot_write(progress: Console, path: Path, error: OSError) -> typer.Exit:
    """Say so, in one line; return how to leave."""
    said = f"cannot write {path}: {error.strerror}; name a place that can be written"
    progress.print(said, markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(2)
