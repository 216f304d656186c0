"""`pytest --vm-allocator-target`: in a pytest of its own, as a user runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TARGET: Final = "--vm-allocator-target"
FEW: Final = ("--vm-allocator-max-calls=400", "-q", "--no-header")
TESTS: Final = 17


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a test of its own, and no settings."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    return tmp_path


def run_pytest(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_option_nothing_is_added_and_nothing_heavy_loaded(project: Path) -> None:
    done = run_pytest(project, "-q")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    report = subprocess.run(  # our own interpreter
        [sys.executable, "-X", "importtime", "-m", "pytest", "--collect-only", "-q", "-s"],
        capture_output=True,
        text=True,
        check=True,
        cwd=project,
    ).stderr
    loaded = set(re.findall(r"^import time:[^|]+\|[^|]+\|\s*(\S+)", report, re.MULTILINE))
    # The plugin itself is not in the list, since pytest imports it by name.
    assert "vm_allocator.checker.conformance" in loaded
    assert not loaded & {"msgspec", "rich", "typer", "z3", "spec.model", "vm_allocator.modelling"}


def test_a_target_that_holds_passes_beside_the_projects_own_tests(project: Path) -> None:
    done = run_pytest(project, f"{TARGET}=vm_allocator:AddressAllocator", *FEW)
    assert done.returncode == 0, done.stdout
    assert f"{TESTS + 1} passed" in done.stdout


def test_a_target_that_is_broken_fails_with_the_trace_and_no_traceback(project: Path) -> None:
    done = run_pytest(project, f"{TARGET}=tests.checker.troubled:Leaves", *FEW)
    assert done.returncode == 1
    assert f"1 failed, {TESTS} passed" in done.stdout
    assert "allocate(FirstMatch, 2)  crash: SystemExit in trouble" in done.stdout
    failed = "FAILED vm-allocator::tests.checker.troubled:Leaves::test_no_crash"
    assert failed in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "conformance.py" not in done.stdout


def test_the_option_may_be_given_again_and_k_chooses(project: Path) -> None:
    both = [f"{TARGET}=vm_allocator:AddressAllocator", f"{TARGET}=vm_allocator.checker.ours:ids"]
    done = run_pytest(project, *both, *FEW, "-k", "no_overlap", "-vv")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    for target in ("vm_allocator:AddressAllocator", "vm_allocator.checker.ours:ids"):
        assert f"{target}::test_no_overlap" in done.stdout


def test_the_tests_run_in_several_processes(project: Path) -> None:
    done = run_pytest(project, f"{TARGET}=tests.checker.troubled:Leaves", *FEW, "-n", "2")
    assert done.returncode == 1
    assert f"1 failed, {TESTS} passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("oops", "oops: this names no factory"),
        ("no_such_module:make", "it cannot be loaded (ModuleNotFoundError"),
        ("vm_allocator:nothing", "it cannot be loaded (AttributeError"),
        ("builtins:object", "it makes no allocator (TypeError"),
        ("tests.checker.troubled:LeavesAtFirst", "it makes no allocator (SystemExit: 0)"),
    ],
)
@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_a_target_that_cannot_be_loaded_is_a_usage_error(
    project: Path, target: str, problem: str, more: tuple[str, ...]
) -> None:
    done = run_pytest(project, f"{TARGET}={target}", *FEW, *more)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert problem in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stdout
