"""The peers: every known bug is found, with few calls, and nothing in what is correct."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.peers import CRATE, PEERS, TWICE, Outcome, Peer, check, complaints
from vm_allocator.checker.campaign import Options

OPTIONS = Options(seed=0, max_time=600.0, max_calls=60_000)
BY_NAME = {peer.name: peer for peer in PEERS}


def outcome(peer: Peer) -> Outcome:
    if not Path(peer.command[0]).exists():
        # CI says that they are there: it must not skip.
        assert os.environ.get("ADAPTERS") != "needed", "make adapters has not built them"
        pytest.skip("the adapters are not built: make adapters")
    return check(peer, OPTIONS)


def test_one_run_finds_the_seven_groups_of_the_address_allocator_0_1_4() -> None:
    peer = BY_NAME["vm-allocator 0.1.4 addresses"]
    assert peer.known == CRATE
    assert len(CRATE) == 7
    found = outcome(peer)
    assert complaints([found]) == []
    assert found.as_expected


def test_ids_0_1_3_hands_out_one_id_twice_and_0_1_4_passes() -> None:
    old = outcome(BY_NAME["vm-allocator 0.1.3 ids"])
    assert TWICE in old.peer.known
    assert complaints([old]) == []
    new = outcome(BY_NAME["vm-allocator 0.1.4 ids"])
    assert new.peer.correct
    assert complaints([new]) == []


def test_a_bug_that_is_not_found_and_one_too_many_are_complained_of() -> None:
    peer = replace(BY_NAME["NextBeforeCommit"], known=(CRATE[0],), correct=True)
    found = check(peer, replace(OPTIONS, max_calls=2_000))
    assert found.missed == [CRATE[0]]
    assert found.unexpected
    assert not found.as_expected
    said = complaints([found])
    assert said[0].startswith("NextBeforeCommit: not found in at most 1 calls: completeness")
    assert said[1].startswith("NextBeforeCommit: unexpected: allocate first")
