"""A quick part of `make faults`; and the library without a repair does not get past it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.source import watches_nodes

from .breakers import FOUND_BY, IN_SCENES, Handler, handlers
from .campaign import ENTRIES, Campaign
from .scenes import SCENES, Board, play

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = watches_nodes  # compiled code has no instructions that Python could stop at


@pytest.mark.parametrize("name", [name for name in ENTRIES if "many" not in name])
def test_nothing_is_lost(name: str) -> None:
    campaign = Campaign(1, by_entry=True, one_in=13)
    campaign.run(ENTRIES[name], seed=0, steps=4)
    assert not campaign.report.lost, str(campaign.report.lost[0])
    assert campaign.report.injected > 20


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_is_lost_in_a_scene(scene: Callable[[Board], None]) -> None:
    played = play(scene, visits=1, one_in=41)
    assert not played.lost
    assert played.old + played.new > 20


# Of short functions every instruction counts, and in most states a lot of them does no harm.
SHORT = ("Node", "Group", "SortedGaps", "GapTree")

MADE_OUT_BY_MACHINES = [one for one in handlers() if one.name not in IN_SCENES]
MADE_OUT_IN_SCENES = [one for one in handlers() if one.name in IN_SCENES]


@pytest.mark.parametrize("handler", MADE_OUT_BY_MACHINES, ids=str)
def test_a_repair_that_is_missing_is_found_out(handler: Handler) -> None:
    short = handler.owner in SHORT
    campaign = Campaign(
        visits=30 if short else 4,
        one_in=1 if short else 7,
        focus=handler.name,
        by_entry=True,
        stop_at_the_first=True,
    )
    with handler.missing():
        for seed in range(12):
            for name in FOUND_BY[handler.module]:
                campaign.run(ENTRIES[name], seed, steps=40)
    assert campaign.report.lost


@pytest.mark.parametrize("handler", MADE_OUT_IN_SCENES, ids=str)
def test_a_repair_of_a_transaction_that_is_missing_is_found_out(handler: Handler) -> None:
    scene, focus, one_in = IN_SCENES[handler.name]
    with handler.missing():
        assert play(scene, visits=1, focus=focus, one_in=one_in).lost
