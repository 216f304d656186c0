"""Many at once: the tree does as the reference index, and each mistake in it is caught."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.source import needs_source, watches_nodes
from vm_allocator.gap_tree import GapTree
from vm_allocator.resource import U64_MAX
from vm_allocator.series import highest_series, lowest_series

from .bulk import MANY_MUTANTS, drive_many

if TYPE_CHECKING:
    from .mutants import Mutant

SEEDS = 60


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_tree_that_ships_passes(seed: int) -> None:
    drive_many(GapTree, seed)


@needs_source
@pytest.mark.parametrize("mutant", MANY_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    assert mutant.is_caught(drive_many, SEEDS)


@watches_nodes
@pytest.mark.parametrize("method", ["lowest_fits", "highest_fits"])
def test_a_walk_in_vain_spares_the_next_one(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # No measure tells that 9 units from 1 mod 16 have no room for 8 at a multiple of 4.
    live = [(16 * number + 10, 16 * number + 16) for number in range(199)]
    tree = GapTree.from_live(0, 16 * 199, [(0, 0), *live], capacity=4)
    seen: list[object] = []
    walk = {"lowest_fits": "take_lowest", "highest_fits": "take_highest"}[method]
    taken = getattr(import_module("vm_allocator.gap_bulk"), walk)

    def watched(node: Any, *rest: Any) -> None:
        seen.append(node)
        taken(node, *rest)

    monkeypatch.setattr(f"vm_allocator.gap_bulk.{walk}", watched)
    assert getattr(tree, method)(3, 7, 4, 0, 16 * 199) == []
    assert len(seen) > 199 // 4
    seen.clear()
    assert getattr(tree, method)(3, 7, 4, 0, 16 * 199) == []
    assert len(seen) == 0


def test_one_leaf_becomes_a_tree_of_many_levels_at_once() -> None:
    tree = GapTree(0, U64_MAX, capacity=4)
    starts = tree.lowest_fits(1000, 0, 4, 0, U64_MAX)
    assert starts == list(range(0, 4000, 4))
    tree.add_all(starts[::-1], 0)
    tree._check()
    assert len(tree) == 1000
    assert len(tree._path(0)[0]) >= 4


@pytest.mark.parametrize("align", [1, 2, 8])
@pytest.mark.parametrize("span", [0, 1, 2, 8])
def test_a_series_is_what_one_start_after_another_comes_to(span: int, align: int) -> None:
    for first in range(9):
        for last in range(first - 1, 40):
            upwards, at = [], first
            while (start := -at & (align - 1)) + at + span <= last:
                upwards.append(at + start)
                at += start + span + 1
            for count in (0, 1, 3, 99):
                assert list(lowest_series(first, last, span, align, count)) == upwards[:count]
            downwards, at = [], last
            while (start := (at - span) & -align) >= first:
                downwards.append(start)
                at = start - 1
            for count in (0, 1, 3, 99):
                assert list(highest_series(first, last, span, align, count)) == downwards[:count]
