"""The table of explained mutants, and how mutmut's names are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from . import core

if TYPE_CHECKING:
    from pathlib import Path

PAGE = core.TABLE.read_text(encoding="utf-8")
DIFF = """# vm_allocator.view.x_plain_int__mutmut_1: survived
--- src/vm_allocator/view.py
+++ src/vm_allocator/view.py
@@ -1,3 +1,3 @@
 def plain_int(unit: Unit, name: str, value: object) -> int:
-    if type(value) is int:
+    if type(None) is int:
         return value
"""


def test_every_row_of_the_table_is_read() -> None:
    rows = PAGE[PAGE.index("| function |") :].strip().splitlines()[2:]
    assert len(core.explained(PAGE)) == len(rows) > 0


def test_the_page_counts_what_its_table_lists() -> None:
    survive = re.search(r"(\d+) survive", PAGE)
    assert survive is not None
    assert int(survive.group(1)) == len(core.explained(PAGE))


def test_what_the_table_names_is_in_the_source() -> None:
    for mutant in core.explained(PAGE):
        module = mutant.function.partition(".")[0]
        source = (core.ROOT / "src" / "vm_allocator" / f"{module}.py").read_text(encoding="utf-8")
        assert mutant.before in source


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, results: str, page: str) -> int:
    """Return how `main` ends if mutmut says so, and the table is this one."""
    (tmp_path / "table.md").write_text(page, encoding="utf-8")
    monkeypatch.setattr(core, "TABLE", tmp_path / "table.md")
    monkeypatch.setattr(core, "prepare", lambda: None)
    monkeypatch.setattr(core, "COPY", tmp_path)
    monkeypatch.setattr(
        core, "_run", lambda _mutmut, what, *_: results if what == "results" else DIFF
    )
    (tmp_path / "mutmut").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "mutmut").chmod(0o755)
    return core.main(str(tmp_path / "python"))


SURVIVED = "    vm_allocator.view.x_plain_int__mutmut_1: survived\n"
KILLED = "    vm_allocator.view.x_plain_int__mutmut_1: killed\n"
ROW = "| `view.plain_int` | `if type(value) is int:` | `if type(None) is int:` | why |\n"


@pytest.mark.parametrize(
    ("results", "page", "code"),
    [
        (SURVIVED, ROW, 0),
        (SURVIVED, "", 1),
        (KILLED, "", 0),
        (KILLED, ROW, 1),
        (SURVIVED.replace("survived", "no tests"), "", 1),
        ("", ROW, 2),
        (SURVIVED.replace("survived", "not checked"), ROW, 2),
    ],
    ids=["explained", "not explained", "killed", "stale", "no tests", "no mutants", "stopped"],
)
def test_a_survivor_has_to_be_explained_and_an_explanation_has_to_be_needed(
    results: str, page: str, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert pretend(monkeypatch, tmp_path, results, page) == code


def test_methods_are_named_as_people_write_them() -> None:
    assert core._readable("xǁRangeViewǁ_check") == "RangeView._check"
    assert core._readable("x_plain_int") == "plain_int"
