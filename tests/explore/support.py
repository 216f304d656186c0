"""Models as text, and the command as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from vm_allocator.explore.exploring import Exploration, Options, explore
from vm_allocator.explore.load import load_source

if TYPE_CHECKING:
    from subprocess import CompletedProcess

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


def run(*words: str, cwd: Path | None = None) -> CompletedProcess[str]:
    """Run `vm-allocator explore`."""
    command = [sys.executable, "-m", "vm_allocator.cli", "explore", "--max-time", "300", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)  # noqa: S603  # our own command


def data(*words: str) -> dict[str, Any]:
    """Run it, and return what it says as JSON."""
    done = run("--json", *words)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
