"""Models as text, and the command as a person calls it."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

from typer.testing import CliRunner

from vm_allocator.commands import app
from vm_allocator.explore.exploring import Exploration, Options, explore
from vm_allocator.explore.load import load_source

if TYPE_CHECKING:
    from vm_allocator.explore.subject import Subject

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "resource_types"

HEAD = """\
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, NamedTuple

from vm_allocator import modelling as vm

"""


def model(text: str, name: str = "") -> Subject:
    """Return the model in this text, below the imports of `HEAD`."""
    return load_source(Path("model.py"), HEAD + dedent(text), name)


def explored(subject: Subject, **options: Any) -> Exploration:
    """Explore with enough time for a slow machine: what ends it is the depth."""
    return explore(subject, Options(**{"max_time": 300.0, **options}))


class Done(NamedTuple):
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: str, cwd: Path | None = None) -> Done:
    """Run `vm-allocator explore`, in this process: the solvers load once."""
    with chdir(cwd or Path.cwd()):
        result = CliRunner().invoke(app, ["explore", "--max-time", "300", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def data(*words: str) -> dict[str, Any]:
    """Run it, and return what it says as JSON."""
    done = run("--json", *words)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
