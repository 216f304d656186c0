"""The workloads follow from a seed, and are what they claim to be."""

from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks.slices import NEEDS, SLICES, offers
from benchmarks.subjects import ADDRESS_SUBJECTS, ID_SUBJECTS, Addresses, Ids
from benchmarks.workloads import (
    ABOUT,
    ABOUT_IDS,
    BASE,
    CHURN_SIZES,
    PAGE,
    SCENARIOS,
    SPACE,
    STATES,
    SplitMix64,
    comb,
    misaligned,
    mixed,
)
from vm_allocator.gaps import SortedGaps

SIZE = 40
ADDRESSES = [name for name, state in SCENARIOS.items() if state not in ABOUT_IDS]
IDS = [name for name, state in SCENARIOS.items() if state in ABOUT_IDS]


def test_the_generator_is_splitmix64() -> None:
    assert SplitMix64(0).draw(2) == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]
    one, two = SplitMix64(7), SplitMix64(7)
    assert one.draw(3) + one.draw(2) == two.draw(5)


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_the_same_every_time_and_its_ranges_are_apart(state: str) -> None:
    ranges = STATES[state](SIZE)
    assert ranges == STATES[state](SIZE)
    assert len(ranges) == SIZE
    for (start, size), (above, _) in pairwise(sorted(ranges)):
        assert start + size <= above


def test_the_churned_state_is_aligned() -> None:
    ranges = mixed(SIZE)
    assert {size for _, size in ranges} == set(CHURN_SIZES)
    assert all(start % size == 0 for start, size in ranges)


def test_no_hole_and_no_gap_serves_what_is_asked_for() -> None:
    for state, align in ((comb, PAGE), (misaligned, 2 * PAGE)):
        index = SortedGaps(BASE, BASE + SPACE - 1)
        for start, size in state(SIZE):
            index.add(start, start + size - 1)
        *between, _ = index.gaps()
        assert len(between) == SIZE - 1
        highest = max(start for start, _ in state(SIZE))
        fit = index.lowest_fit(2 * PAGE - 1, align, BASE, BASE + SPACE - 1)
        assert fit is not None
        assert fit > highest


def test_every_scenario_is_complete() -> None:
    assert set(SLICES) == set(NEEDS) == set(ABOUT) == set(SCENARIOS)
    assert set(SCENARIOS.values()) == set(STATES)


TAKE_PART = [
    (subject, scenario)
    for subjects, scenarios in ((ADDRESS_SUBJECTS, ADDRESSES), (ID_SUBJECTS, IDS))
    for subject, build in subjects.items()
    for scenario in scenarios
    if offers(build(), scenario)
]


@pytest.mark.parametrize(("subject", "scenario"), TAKE_PART)
def test_every_subject_places_as_the_reference_does(subject: str, scenario: str) -> None:
    """The sums of the starts are equal, slice after slice, and as many ranges live as before."""
    reference = Addresses(SortedGaps) if scenario in ADDRESSES else Ids(SortedGaps)
    tried = {**ADDRESS_SUBJECTS, **ID_SUBJECTS}[subject]()
    placed = []
    for one in (reference, tried):
        live = STATES[SCENARIOS[scenario]](SIZE)
        for start, size in live:
            one.load(start, size)
        timed = [SLICES[scenario](one, live, 10, seed) for seed in range(3)]
        assert all(took > 0 for took, _, _ in timed)
        placed.append([(operations, granted) for _, operations, granted in timed])
        assert len({start for start, _ in live}) == SIZE
    if tried.refits:
        assert placed[0] == placed[1]
    else:
        assert [operations for operations, _ in placed[0]] == [10, 10, 10]


@pytest.mark.parametrize("name", ADDRESS_SUBJECTS)
def test_iteration_goes_through_all_live_ranges(name: str) -> None:
    subject = ADDRESS_SUBJECTS[name]()
    for start, size in comb(SIZE):
        subject.load(start, size)
    if subject.iterate is not None:
        assert len(list(subject.iterate())) == SIZE
