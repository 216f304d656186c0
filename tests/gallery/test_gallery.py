"""The gallery: every bug is caught, as it should be; every correct twin passes."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import settings

from vm_allocator.gallery import Bug, Twin, gallery, not_shown, twins
from vm_allocator.gallery.running import check

from .golden import GOLDEN, caught, told

BUGS = [pytest.param(bug, id=bug.name) for bug in gallery()]
TWINS = [pytest.param(twin, id=twin.name) for twin in twins()]


@cache
def golden() -> dict[str, str]:
    parts = GOLDEN.read_text().strip().split("\n\n")
    return {part.partition(":")[0]: part for part in parts}


@pytest.mark.parametrize("bug", BUGS)
def test_the_bug_is_caught_with_the_property_and_the_calls_that_it_claims(bug: Bug) -> None:
    report = check(bug)
    assert not report.holds
    one = caught(bug, report)
    assert one is not None
    assert len(one.steps) == bug.calls
    assert one.shrunk
    assert told(bug, one) == golden()[bug.name]


@pytest.mark.parametrize("twin", TWINS)
def test_the_correct_twin_passes(twin: Twin) -> None:
    full = settings.get_current_profile_name() == "full"
    report = check(twin, max_calls=3_000_000 if full else 20_000)
    assert [one.title for one in report.findings] == []
    assert report.holds
    assert report.stopped_by == "calls"
    assert report.coverage.tally.spaces_refused == 0


def test_the_golden_file_tells_of_every_bug_and_of_no_other() -> None:
    assert list(golden()) == [bug.name for bug in gallery()]


def test_names_are_given_once_and_every_entry_says_where_and_why() -> None:
    entries: list[Bug | Twin] = [*gallery(), *twins()]
    assert len({one.name for one in entries}) == len(entries)
    assert len({one.factory for one in entries}) == len(entries)
    for bug in gallery():
        assert bug.cause.endswith(".")
        assert "\n" not in bug.cause
        assert bug.system
        assert bug.where
    assert all(one.cause and one.needs for one in not_shown())
