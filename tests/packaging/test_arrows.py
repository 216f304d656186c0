"""The one-way arrows between packages: each contract holds, and catches what it is there for."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import ROOT, run

if TYPE_CHECKING:
    from subprocess import CompletedProcess

LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("src", "spec"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(copy: Path) -> CompletedProcess[str]:
    # PYTHONPATH comes before the checkout that an editable installation puts on the path.
    return run([LINT, "--no-cache", "--no-logo"], copy, {"PYTHONPATH": f"{copy / 'src'}:{copy}"})


def test_the_arrows_run_one_way(copy: Path) -> None:
    linted = lint(copy)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        (
            "spec/model.py",
            "import vm_allocator.resource",
            "The specification knows nothing of the implementation",
        ),
        (
            "src/vm_allocator/modelling/language.py",
            "import vm_allocator.arithmetic",
            "The modelling language stands alone",
        ),
        (
            "src/vm_allocator/gaps.py",
            "import spec.model",
            "The library knows nothing of the specification and of what checks it",
        ),
        (
            "src/vm_allocator/__init__.py",
            "import hypothesis",
            "Importing the package pulls in no extra",
        ),
        (
            "src/vm_allocator/symbolic/values.py",
            "import vm_allocator.lockstep",
            "The command line is on top, the library at the bottom",
        ),
        (
            "src/vm_allocator/a_module_without_a_place.py",
            "import os",
            "The command line is on top, the library at the bottom",
        ),
        (
            "src/vm_allocator/lockstep.py",
            "import z3",
            "Only vm_allocator.symbolic.smt speaks to z3",
        ),
        (
            "src/vm_allocator/lockstep.py",
            "import cvc5",
            "Only vm_allocator.proving.second_opinion speaks to cvc5 and bitwuzla",
        ),
        (
            "src/vm_allocator/lockstep.py",
            "import rich",
            "Only the command line and the reports print",
        ),
    ],
)
def test_an_import_against_an_arrow_breaks_its_contract(
    copy: Path, path: str, line: str, contract: str
) -> None:
    with (copy / path).open("a") as module:
        module.write(f"{line}\n")
    linted = lint(copy)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert f"{contract} BROKEN" in linted.stdout
