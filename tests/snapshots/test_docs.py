"""`docs/snapshots.md` is true: its examples run, its links lead to files, its kinds are all."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from tests.snapshots.judging import KINDS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "snapshots.md").read_text(encoding="utf-8")


def test_the_examples_are_true() -> None:
    text = PAGE.replace("```python", "").replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {}, "snapshots.md", None, 0)
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert results.attempted > 20
    assert results.failed == 0


def test_the_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_every_kind_is_named() -> None:
    assert all(f'`"{kind}"`' in PAGE for kind in KINDS)
