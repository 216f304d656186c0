"""`vm-allocator explore`, as typer sees it: thin over `explore`, `witness` and `mutants`."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .trace import Trace


def explore_command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A model; FILE:NAME for one of several.")
    ],
    *,
    witness: Annotated[
        str,
        typer.Option(
            metavar="PREDICATE",
            help="Find the shortest run to a state: a method of the model, or an expression "
            "over its variables.",
        ),
    ] = "",
    dead: Annotated[
        bool, typer.Option("--dead", help="Also say which actions and guards never fire.")
    ] = False,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Say which guards are needed, and which are idle.")
    ] = False,
    without: Annotated[
        list[str] | None, typer.Option(metavar="ACTION", help="Leave this action out.")
    ] = None,
    depth: Annotated[int, typer.Option(min=0, help="Traces of up to so many actions.")] = 8,
    entries: Annotated[
        int,
        typer.Option(
            min=0,
            help="A proof up to so many entries of each set and table is enough; "
            "0: only one for any number is.",
        ),
    ] = 0,
    max_time: Annotated[float, typer.Option(min=0.1, help="Seconds.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 0,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON, not a report.")] = False,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write what is explored as JUnit XML."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace to this file, as ITF.")
    ] = None,
) -> None:
    """Prove a model of your own, or show the shortest trace that breaks it.

    A model is a Python file: a frozen dataclass with actions and invariants. Every trace
    that is shown is a shortest one, and was executed. A counterexample to induction is told
    apart from it: it begins in a state that the invariants allow and that may never be reached.

    Example: vm-allocator explore examples/resource_types/msi_blocks.py
    or: vm-allocator explore FILE --witness 'blocks.count() == 3'

    Exit code: 0 holds (a witness was found), 1 refuted, 2 could not tell.
    """
    # The solvers load slowly: a command that does not need them does not wait for them.
    from . import as_json, exploring, mutants, report  # noqa: PLC0415
    from .junit import write_junit  # noqa: PLC0415
    from .load import load  # noqa: PLC0415
    from .trouble import ModelTrouble  # noqa: PLC0415
    from .witness import predicate_of  # noqa: PLC0415

    options = exploring.Options(
        depth=depth,
        max_time=max_time,
        seed=seed,
        entries=entries or exploring.Options.entries,
        accept_bounded=entries > 0,
        guards=dead,
    )
    lines: Sequence[str]
    trace: Trace | None = None
    try:
        subject = load(file).without(without or ())
        if witness:
            predicate = predicate_of(subject, witness)
            search = exploring.witness(subject, predicate, options, _tell)
            lines, data = (
                report.witness_lines(predicate, search),
                as_json.witness_json(predicate, search),
            )
            trace, code = search.trace, 2 if search.trace is None else 0
        elif mutate:
            found = mutants.mutants(subject, options, _tell)
            lines, data, code = (
                report.mutant_lines(found),
                as_json.mutants_json(found),
                found.exit_code,
            )
        else:
            explored = exploring.explore(subject, options, _tell)
            lines, data = report.lines_of(explored, dead=dead), as_json.as_json(explored)
            trace, code = explored.search.trace, explored.exit_code
            if junit is not None:
                with _writing(junit):
                    write_junit(explored, junit)
            if trace is None and explored.bounded is not None:
                trace = explored.bounded.trace
    except ModelTrouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        raise typer.Exit(trouble.exit_code) from None
    typer.echo(json.dumps(data, indent=2) if json_output else "\n".join(lines))
    if save is not None:
        _write(save, trace)
    raise typer.Exit(code)


def _write(place: Path, trace: Trace | None) -> None:
    from .itf import itf  # noqa: PLC0415  # beside the others

    if trace is None:
        sys.stderr.write(f"there is no trace to write to {place}\n")
        return
    with _writing(place):
        place.write_text(json.dumps(itf(trace), indent=2) + "\n", encoding="utf-8")


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Leave with a message if the file cannot be written."""
    try:
        yield
    except OSError as error:
        sys.stderr.write(f"cannot write {place}: {error.strerror}; name another place\n")
        raise typer.Exit(2) from None


def _tell(said: str) -> None:
    sys.stderr.write(f"{said}\n")
