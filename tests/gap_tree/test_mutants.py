"""Dropping any one step of the maintenance of the bounds is caught within a few seeds."""

import pytest

from tests.source import needs_source
from vm_allocator.gap_tree import GapTree

from .mutants import MUTANTS, Mutant
from .workload import drive

SEEDS = 60


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_tree_that_ships_passes(seed: int) -> None:
    drive(GapTree, seed)


@needs_source
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    assert mutant.is_caught(drive, SEEDS)


@needs_source
def test_a_mutant_that_no_longer_applies_says_so() -> None:
    stale = Mutant("stale", "gap_tree", "add", "no_such_name", "pass")
    with pytest.raises(LookupError, match="write the mutant anew"):
        stale.tree()
