"""The commands, as typer sees them."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import Annotated, Final

import typer
from rich.console import Console

from . import __version__
from .checker.command import check_command
from .gallery.command import gallery_command
from .replay.command import replay_command

app: Final = typer.Typer(
    name="vm-allocator",
    help="Resource allocators for virtual machine monitors, held to a machine-checked "
    "specification.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check")(check_command)
app.command("gallery")(gallery_command)
app.command("replay")(replay_command)


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
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do all rows, even after a refutation.")
    ] = False,
) -> None:
    """Prove the specification, and hold the allocators to it.

    Lemmas and theorems are proved by z3 and confirmed by a second solver (bitwuzla, cvc5);
    bent specifications must be refuted; state machines run the allocators against the model.
    The first row that shows that something is wrong ends it.

    Example: vm-allocator verify --only update --junit verify.xml
    """
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
