"""docs/threads.md is true: its code runs, and the check prints what stands there."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

from vm_allocator.checker.concurrent.search import Broken

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "threads.md"
PLACE = re.compile(r"\w+\.py:\d+ in \w+")
"""Line numbers move whenever somebody edits the file."""


def test_the_examples_run_as_they_stand_there() -> None:
    done = doctest.testfile(str(PAGE), module_relative=False)
    assert done.attempted > 5
    assert done.failed == 0


def test_the_check_prints_what_stands_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (command,) = re.findall(r"^(vm-allocator check --threads 2 \S+)", text, re.MULTILINE)
    (shown,) = re.findall(r"```text\n(linearizability .*?)```", text, re.DOTALL)
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "vm_allocator.cli", *command.split()[1:]],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 1
    printed = done.stdout.decode("utf-8").partition("\n\n")[0]
    assert PLACE.sub("PLACE", printed).strip() == PLACE.sub("PLACE", shown).strip()


def test_every_property_has_its_row() -> None:

    rows = re.findall(r"^\| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")}
    wanted = {one.value.removeprefix("no ") for one in Broken}
    assert wanted <= {name.removeprefix("no ") for name in named}
