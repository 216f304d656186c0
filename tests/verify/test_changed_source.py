"""One comparison of the shipped source reads otherwise: `verify` says so, and shows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
MARK: Final = "run this program to see what happens instead:"

FLIPS: Final = [
    # what changes, the row that is asked, and what the program prints of the changed source
    ("if first <= last:", "if first < last:", "does_allocate_anywhere_as", "refuses: no-space"),
    (
        "policy is LastMatch",
        "policy is not LastMatch",
        "does_allocate_anywhere_as",
        "actual:      returns",
    ),
    (
        "unit.top - first < units - 1",
        "unit.top - first <= units - 1",
        "constructs",
        "refuses: invalid-space",
    ),
]


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the copy, which comes before what is installed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    return subprocess.run(  # noqa: S603  # this interpreter, on our own source
        [sys.executable, "-B", *arguments],
        cwd=copy,
        env={**kept, "PYTHONPATH": f"{copy / 'src'}:{copy}"},
        capture_output=True,
        text=True,
        check=False,
    )


def program_in(evidence: list[str]) -> str:
    """Return the program that a person would copy out of the lines that were printed."""
    return "\n".join(line.removeprefix("  ") for line in evidence[evidence.index(MARK) + 1 :])


@pytest.mark.parametrize(("before", "after", "row", "actual"), FLIPS, ids=lambda text: text[:24])
def test_verify_refutes_a_flipped_comparison_and_the_program_shows_it(
    before: str, after: str, row: str, actual: str, tmp_path: Path
) -> None:
    for name in ("src", "spec"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "src" / "vm_allocator" / "address.py"
    source = path.read_text(encoding="utf-8")
    assert before in source, "address.py has changed: flip another comparison"
    path.write_text(source.replace(before, after), encoding="utf-8")

    only = f"the_address_allocator_{row}"
    ran = run(tmp_path, "-m", "vm_allocator.cli", "verify", "--json", "--jobs", "1", "--only", only)
    assert ran.returncode == 1, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    refuted = [each for each in told["rows"] if each["verdict"] == "refuted"]
    assert len(refuted) == 1

    shown = run(tmp_path, "-c", program_in(refuted[0]["evidence"]))
    assert shown.returncode == 1, shown.stderr
    assert actual in shown.stdout
    assert shown.stdout.endswith("differs\n")
