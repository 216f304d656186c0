"""The Makefile's own manners; what its targets do is what CI runs."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from .conftest import ROOT, run, succeed

if TYPE_CHECKING:
    from pathlib import Path

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {
    "help", "verify", "test", "test-full", "lint", "mutation", "adapters", "peers", "bench",
    "bench-quick", "pictures", "lock", "wheel", "wheel-compiled", "compiled", "test-compiled",
    "hot-plug", "faults", "hostile", "fuzz", "clean",
}  # fmt: skip

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def test_make_alone_lists_every_target() -> None:
    listed = re.findall(r"^  ([a-z-]+) +\S", succeed(["make"], ROOT), re.MULTILINE)
    assert set(listed) == TARGETS
    phony = set(" ".join(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)).split())
    assert {name for name in phony if not name.startswith("check-")} == TARGETS


@pytest.mark.parametrize("target", ["verify", "test", "lint", "wheel", "lock"])
def test_a_python_that_is_too_old_or_absent_gets_one_line(tmp_path: Path, target: str) -> None:
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    copy = tmp_path / "copy"
    (copy / "requirements").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements/dev.lock"):
        shutil.copy(ROOT / name, copy / name)
    for python in (old, tmp_path / "absent"):
        refused = run(["make", target, f"PYTHON={python}"], copy)
        assert refused.returncode != 0
        assert refused.stdout == ""
        message, make_says = refused.stderr.splitlines()
        assert message == (
            f"Python 3.11 or newer is needed, and '{python}' is not: "
            "run 'make PYTHON=/path/to/python3.11 ...'"
        )
        assert make_says.startswith("make")
        assert not (copy / ".venv").exists()
