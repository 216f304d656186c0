"""`docs/devices.md` is true: its examples run, and its links lead to files."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "devices.md").read_text(encoding="utf-8")


def test_the_examples_are_true() -> None:
    # A continued line of a message is one line; a fence is no part of what is printed.
    text = PAGE.replace("\\\n", "").replace("```python", "").replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {}, "devices.md", None, 0)
    flags = doctest.NORMALIZE_WHITESPACE
    results = doctest.DocTestRunner(optionflags=flags).run(test)
    assert results.attempted > 20
    assert results.failed == 0


def test_the_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_example_accounts_for_everything() -> None:
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, DOCS.parent / "examples" / "hot_plug.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "disk: 0 5 24-27 0xc0000000-0xc0003fff",
        "nic: 1 6 28-31 0xc0004000-0xc0007fff",
        "gpu: 2 7 32-35 0xc0008000-0xc000bfff",
        "one too many: refused: no memory slot is left for one too many",
        (
            "the disk stays: 0xc0002000-0xc0005fff overlaps live 0xc0004000-0xc0007fff: "
            "free that first or choose another range"
        ),
        "the disk moved to 0xc0010000",
        "0 ranges and 0 mappings are left",
    ]
