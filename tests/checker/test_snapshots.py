"""Targets that save and restore themselves: how they are asked, and what is held against them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from vm_allocator.checker.calls import Done, Refused, Space
from vm_allocator.checker.judge import Judge, Property
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.ours import addresses
from vm_allocator.checker.profile import PROTOCOL, profile_of
from vm_allocator.checker.wide import BeginMove, CommitMove, Reload
from vm_allocator.checker.wire import call_of, read_request, request_of
from vm_allocator.gallery.ranges import ListAllocator
from vm_allocator.gallery.wide import SavingAllocator
from vm_allocator.modelling import Range


def profile(**declared: Any) -> Any:
    handshake = {"protocol": PROTOCOL, "name": "it", "kind": "addresses", **declared}
    return profile_of("it", handshake)


def test_it_is_asked_what_its_handshake_says() -> None:
    assert profile(snapshot=True).takes(Reload())
    assert not profile().takes(Reload())
    devices = {"pools": ["irqs"], "operations": ["register", "unregister"]}
    assert not profile(snapshot=True, **devices).does("snapshot")


def test_the_request_is_read_back() -> None:
    line = msgspec.json.encode(request_of(7, Reload()))
    assert msgspec.json.decode(line) == {"id": 7, "op": "reload"}
    assert call_of(read_request(line)) == Reload()


@pytest.mark.parametrize(
    ("factory", "saves"), [(addresses, True), (SavingAllocator, True), (ListAllocator, False)]
)
def test_a_python_target_saves_if_it_has_the_methods(factory: Any, saves: bool) -> None:  # noqa: FBT001  # a parameter of the test
    assert LocalTarget(factory).profile.snapshot is saves


def test_a_move_that_was_pending_ends_after_a_reload() -> None:
    target = LocalTarget(addresses)
    assert target.begin(Space(0, 99)) == Done()
    made = target._caller.made
    made.allocate(5, 3)
    assert target.do(BeginMove(Range(5, 7), Range(20, 22))) == Done()
    assert target.do(Reload()) == Done()
    assert target._caller.made is not made
    assert target.do(CommitMove(Range(5, 7))) == Done()
    assert [int(live.start) for live in target._caller.made] == [20]


def test_what_is_lost_and_what_is_refused_breaks_the_round_trip() -> None:
    judge = Judge(profile(snapshot=True), Space(0, 9))
    state = judge.initial
    fine = judge.judge(state, Reload(), Done(), ())
    assert fine.violation is None
    for reply, live in ((Done(), (Range(3, 4),)), (Refused("Bad"), None)):
        judged = judge.judge(state, Reload(), reply, live)
        assert judged.violation is not None
        assert judged.violation.broken is Property.ROUND_TRIP
