"""Moves: both ways end alike, and the table has a row for each case."""

from __future__ import annotations

import pytest

from benchmarks import bulk, moves


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go few times there and back, once."""
    monkeypatch.setattr(bulk, "ROUNDS", 1)
    monkeypatch.setattr(moves, "MOVES", 48)


@pytest.mark.parametrize("name", moves.cases(12))
def test_both_ways_end_alike(name: str) -> None:
    single, many = bulk.best(moves.cases(12)[name])
    assert single > 0
    assert many > 0


def test_the_table_has_a_row_for_each_case(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(moves, "SIZES", (9,))
    assert moves.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(moves.cases(9))
