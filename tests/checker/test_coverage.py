"""What a report says was exhausted was: no part of it is missing."""

from __future__ import annotations

import pytest

from vm_allocator.checker.calls import Space
from vm_allocator.checker.campaign import Coverage, UnitResult, _cover
from vm_allocator.checker.exhaustive import Tiny
from vm_allocator.checker.findings import Groups
from vm_allocator.checker.trial import Tally

SPACE = Space(0, 1)


def covered(given_up: tuple[bool, ...]) -> Coverage:
    """Return the coverage of as many parts of one depth, those given up that are told so."""
    coverage = Coverage()
    for part, gave_up in enumerate(given_up):
        unit = Tiny(SPACE, 4, part, parts=2)
        _cover(coverage, UnitResult(unit, Groups(), Tally(calls=9, sequences=3), gave_up))
    return coverage


def test_a_depth_is_exhausted_when_all_its_parts_are() -> None:
    assert covered((False, False)).complete == {(2, 4): 1}


@pytest.mark.parametrize("given_up", [(False,), (True, False), (False, True)])
def test_a_depth_is_not_exhausted_while_a_part_is_missing(given_up: tuple[bool, ...]) -> None:
    assert covered(given_up).complete == {}
