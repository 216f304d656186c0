"""A compiled build: its source can be loaded, and `verify` splits its work."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from typing import TYPE_CHECKING

import pytest

from vm_allocator import _loading
from vm_allocator.verify import Section, Task
from vm_allocator.verify.run import Options, verify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def both(tmp_path: Path) -> list[str]:
    """A package directory with machine code beside the source of a module."""
    (tmp_path / "gaps.py").write_text("")
    (tmp_path / f"gaps{EXTENSION_SUFFIXES[0]}").write_text("")
    return [str(tmp_path)]


def test_source_is_found_although_machine_code_lies_beside_it(both: list[str]) -> None:
    preferred = PathFinder.find_spec("vm_allocator.gaps", both)
    assert preferred is not None
    assert str(preferred.origin).endswith(EXTENSION_SUFFIXES[0])
    found = _loading.SourceOnly().find_spec("vm_allocator.gaps", both)
    assert found is not None
    assert str(found.origin).endswith("gaps.py")


def test_nothing_is_found_of_other_packages_or_where_there_is_no_source(both: list[str]) -> None:
    finder = _loading.SourceOnly()
    assert finder.find_spec("other.gaps", both) is None
    assert finder.find_spec("vm_allocator", None) is None
    assert finder.find_spec("vm_allocator.nothing", both) is None


@pytest.mark.parametrize(("value", "first"), [("1", True), ("", False)])
def test_the_variable_decides_what_is_loaded(value: str, first: bool) -> None:  # noqa: FBT001  # a parameter
    told = subprocess.run(
        [sys.executable, "-c", "import sys, vm_allocator; print(sys.meta_path[0])"],
        env={**os.environ, _loading.VARIABLE: value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("SourceOnly" in told.stdout) == first


def test_the_machines_of_a_compiled_build_are_started_without_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(_loading.VARIABLE, _loading.BUT_MACHINES)
    started: list[tuple[list[Section], bool]] = []

    def spread(_: object, tasks: list[Task], __: int) -> list[object]:
        started.append(([task.section for task in tasks], _loading.VARIABLE in os.environ))
        return []

    monkeypatch.setattr("vm_allocator.verify.run.spread", spread)
    lemma, machine = Task(Section.LEMMA, "a lemma"), Task(Section.MACHINE, "a machine")
    verify(Options(), [machine, lemma])
    assert started == [([Section.LEMMA], True), ([Section.MACHINE], False)]
    assert os.environ[_loading.VARIABLE] == _loading.BUT_MACHINES
