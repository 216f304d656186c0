"""Importing the library is cheap: what is heavy is imported by those who use it."""

import re
import subprocess
import sys

import pytest


def _loaded_by(statement: str) -> set[str]:
    """Return the top-level names of all that a fresh interpreter imports."""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-X", "importtime", "-c", statement],
        capture_output=True,
        text=True,
        check=True,
    )
    names = re.findall(r"^import time:[^|]+\|[^|]+\|\s*(\S+)", done.stderr, re.MULTILINE)
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "heavy",
    ["z3", "cvc5", "bitwuzla", "hypothesis", "rich", "typer", "msgspec", "junitparser", "spec"],
)
def test_the_core_imports_nothing_heavy(heavy: str) -> None:
    loaded = _loaded_by("import vm_allocator")
    assert "vm_allocator" in loaded
    assert heavy not in loaded


def test_the_machines_need_hypothesis_and_no_solver() -> None:
    loaded = _loaded_by("import vm_allocator.machines")
    assert "hypothesis" in loaded
    assert not loaded & {"z3", "cvc5", "bitwuzla"}
