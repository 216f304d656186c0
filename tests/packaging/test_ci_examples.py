"""The GitHub Action, the pre-commit hook and the example that uses them: valid, and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT

EXAMPLE = ROOT / "examples" / "ci"
BIN = Path(sys.executable).parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PATH = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def run(words: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own commands
        words, cwd=cwd, env=os.environ | PATH | env, capture_output=True, text=True, check=False
    )


def check_step(inputs: dict[str, str], output: Path) -> subprocess.CompletedProcess[str]:
    """Run the step `check` as the runner does: expressions first, then bash with its flags."""
    values = {name: given["default"] for name, given in ACTION["inputs"].items()} | inputs
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "check")
    env = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], template)
        for name, template in step["env"].items()
    }
    assert "${{" not in step["run"]
    words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
    return run(words, EXAMPLE, env | {"GITHUB_OUTPUT": str(output)})


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", ROOT / "action.yml"),
        ("vendor.github-workflows", EXAMPLE / ".github" / "workflows" / "check.yml"),
    ],
)
def test_the_files_for_github_are_valid(schema: str, file: Path) -> None:
    done = run([str(BIN / "check-jsonschema"), "--builtin-schema", schema, str(file)], ROOT, {})
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("subcommand", "file"),
    [
        ("validate-manifest", ROOT / ".pre-commit-hooks.yaml"),
        ("validate-config", EXAMPLE / ".pre-commit-config.yaml"),
    ],
)
def test_the_files_for_pre_commit_are_valid(subcommand: str, file: Path) -> None:
    done = run([str(BIN / "pre-commit"), subcommand, str(file)], ROOT, {})
    assert done.returncode == 0, done.stdout


def test_the_action_passes_the_example(tmp_path: Path) -> None:
    page, output = tmp_path / "findings.html", tmp_path / "output"
    target = "tinyalloc.bump:TinyAllocator"
    done = check_step({"target": target, "max-calls": "2000", "html": str(page)}, output)
    assert done.returncode == 0, done.stdout + done.stderr
    assert output.read_text() == "exit-code=0\n"
    assert page.read_text(encoding="utf-8").startswith("<!")


def test_the_action_fails_on_a_finding_of_an_adapter(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from tinyalloc.bump import TinyAllocator\n\n\n"
        "class Broken(TinyAllocator):\n"
        "    def free(self, resource, size):\n        pass\n"
    )
    serve = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    serve += "from vm_allocator.checker.serve import main; sys.exit(main(['broken:Broken']))"
    output = tmp_path / "output"
    done = check_step({"command": f"{sys.executable}\n-c\n{serve}", "max-calls": "2000"}, output)
    assert done.returncode == 1, done.stdout + done.stderr
    assert output.read_text() == "exit-code=1\n"


def test_the_action_wants_a_target(tmp_path: Path) -> None:
    done = check_step({}, tmp_path / "output")
    assert done.returncode == 2
    assert "::error::give the input target" in done.stdout


def test_an_input_is_never_a_part_of_the_script(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    done = check_step({"target": f"$(touch {mark}); touch {mark}"}, tmp_path / "output")
    assert done.returncode == 2
    assert not mark.exists()


def test_the_hook_runs_what_it_says() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    config = yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (used,) = config["repos"][0]["hooks"]
    assert used["id"] == hook["id"]
    words = hook["entry"].replace("20000", "2000").split() + used["args"]
    done = run([str(BIN / words[0]), *words[1:]], EXAMPLE, {})
    assert done.returncode == 0, done.stderr
    assert "no counterexample found" in done.stdout


def test_the_conformance_test_of_the_example_passes() -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = run([*words, "--rootdir=.", "test_conformance.py"], EXAMPLE, {})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "17 passed" in done.stdout
