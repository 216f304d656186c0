"""Many at once: both ways end alike, and the table has a row for each case."""

from __future__ import annotations

import pytest

from benchmarks import bulk


@pytest.mark.parametrize("name", bulk.cases(12))
def test_both_ways_end_alike(name: str) -> None:
    single, many = bulk.best(bulk.cases(12)[name])
    assert single > 0
    assert many > 0


def test_ways_that_end_differently_are_no_comparison() -> None:
    with pytest.raises(RuntimeError, match="same live ranges"):
        bulk.best((lambda: 1, lambda: 2))


def test_the_table_has_a_row_for_each_case(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bulk, "SIZES", (9,))
    assert bulk.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(bulk.cases(9))
