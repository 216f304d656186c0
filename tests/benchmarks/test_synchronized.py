"""The benchmark of the lock runs; what it measures is for people to read."""

import pytest

from benchmarks import synchronized


def test_it_prints_a_line_for_each_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    synchronized.main(["--rounds", "1", "--live", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(synchronized.SCENARIOS) + 2
    assert all("ns" in line and "%" in line for line in lines[1:-1])


@pytest.mark.parametrize("scenario", synchronized.SCENARIOS, ids=lambda one: one.name)
def test_a_pair_leads_back_to_where_it_began(scenario: synchronized.Scenario) -> None:
    for kind in scenario.kinds:
        made = scenario.make(kind, 5)
        before = list(made)
        scenario.pair(made, 5)()
        assert list(made) == before
