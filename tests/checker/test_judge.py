"""The judge: each property is told by a reply that breaks it, and by no right one."""

from __future__ import annotations

from typing import Final

import pytest

from spec import model as spec
from vm_allocator.checker.calls import (
    Allocate,
    Batch,
    Call,
    Done,
    Failed,
    Failure,
    Free,
    Pick,
    Refused,
    Reply,
    Skipped,
    Space,
    Update,
)
from vm_allocator.checker.judge import Judge, Judgement, Property, live_ranges
from vm_allocator.checker.profile import PROTOCOL, Profile
from vm_allocator.checker.trial import Bench, Trial
from vm_allocator.checker.wide import AbortMove, BeginMove, CommitMove, UpdateMany
from vm_allocator.modelling import Range

from .scripted import Scripted

PROFILE: Final = Profile(
    PROTOCOL,
    "scripted",
    "addresses",
    ("allocate", "free", "update", "live"),
    ("first", "last", "any", "exact"),
    align=True,
    within=True,
)
NAMED: Final = Profile(PROTOCOL, "scripted", "addresses", reasons=True)
SPACE: Final = Space(16, 31)
LIVE: Final = (Range(16, 17), Range(24, 25))


def judged(
    call: Call, reply: Reply, live: tuple[Range, ...] | None = None, profile: Profile = PROFILE
) -> Judgement:
    """Return the verdict in the space 16-31 with 16-17 and 24-25 live."""
    judge = Judge(profile, SPACE)
    state = judge.initial
    for one in LIVE:
        after = judge.judge(state, Allocate(2, one.start), Done(one.start)).after
        assert after is not None
        state = after
    assert live_ranges(state) == LIVE
    return judge.judge(state, call, reply, live)


WRONG: Final = [
    (Property.BOUNDS, Allocate(4, 30), Done(30)),
    (Property.BOUNDS, Allocate(4), Done(30)),
    (Property.BOUNDS, Allocate(2), Done(8)),
    (Property.BOUNDS, Allocate(2, within=Range(20, 23)), Done(18)),
    (Property.BOUNDS, Allocate(2, 18, within=Range(20, 23)), Done(18)),
    (Property.BOUNDS, Update(16, 2, 40, 2), Done()),
    (Property.NO_OVERLAP, Allocate(2, 17), Done(17)),
    (Property.NO_OVERLAP, Allocate(2), Done(16)),
    (Property.NO_OVERLAP, Allocate(16), Done(16)),
    (Property.NO_OVERLAP, Update(16, 2, 23, 2), Done()),
    (Property.ALIGNMENT, Allocate(2, align=4), Done(18)),
    (Property.ALIGNMENT, Allocate(2, 18, align=4), Done(18)),
    (Property.ALIGNMENT, Update(16, 2, 18, 2, align=4), Done()),
    (Property.COMPLETENESS, Allocate(2), Refused("NoSpace")),
    (Property.COMPLETENESS, Allocate(2, 18), Refused("Overlap")),
    (Property.COMPLETENESS, Update(16, 2, 17, 2), Refused("Overlap")),
    (Property.OPTIMALITY, Allocate(2), Done(20)),
    (Property.OPTIMALITY, Allocate(2, pick=Pick.LAST), Done(18)),
    (Property.OPTIMALITY, Allocate(2, 18), Done(20)),
    (Property.EXACT_FREE, Free(16, 2), Refused("NotLive")),
    (Property.EXACT_FREE, Free(16, 1), Done()),
    (Property.EXACT_FREE, Free(18, 2), Done()),
    (Property.EXACT_FREE, Update(18, 2, 20, 2), Done()),
    (Property.VALIDITY, Allocate(0), Done(18)),
    (Property.VALIDITY, Allocate(2, align=3), Done(18)),
    (Property.VALIDITY, Allocate(0, 18), Done(18)),
    (Property.NO_CRASH, Allocate(2), Failed(Failure.CRASH, "panic at x.rs:1")),
    (Property.NO_HANG, Free(16, 2), Failed(Failure.HANG, "no answer within 2 s")),
    (Property.PROTOCOL, Allocate(2), Failed(Failure.GARBAGE, "a line that is no reply")),
]


@pytest.mark.parametrize(("broken", "call", "reply"), WRONG)
def test_a_wrong_reply_is_told_under_its_property(
    broken: Property, call: Call, reply: Reply
) -> None:
    violation = judged(call, reply).violation
    assert violation is not None
    assert violation.broken is broken


RIGHT: Final = [
    (Allocate(2), Done(18)),
    (Allocate(2, pick=Pick.LAST), Done(30)),
    (Allocate(2, pick=Pick.ANY), Done(27)),
    (Allocate(2, pick=Pick.ANY), Done(18)),
    (Allocate(2, align=4), Done(20)),
    (Allocate(2, within=Range(20, 23)), Done(20)),
    (Allocate(2, 18), Done(18)),
    (Allocate(7), Refused("NoSpace")),
    (Allocate(2, 17), Refused("whatever")),
    (Allocate(0), Refused("whatever")),
    (Allocate(2, align=3), Refused("whatever")),
    (Allocate(4, 30), Refused("whatever")),
    (Free(16, 2), Done()),
    (Free(16, 1), Refused("whatever")),
    (Update(16, 2, 17, 2), Done()),
    (Update(16, 2, 23, 2), Refused("whatever")),
    (Update(18, 2, 20, 2), Refused("whatever")),
    (Allocate(2), Skipped("cannot say so")),
]


@pytest.mark.parametrize(("call", "reply"), RIGHT)
def test_a_right_reply_is_told_under_none(call: Call, reply: Reply) -> None:
    judgement = judged(call, reply)
    assert judgement.violation is None
    assert judgement.after is not None


@pytest.mark.parametrize(
    ("call", "reply", "live", "broken"),
    [
        (Free(16, 2), Done(), LIVE, Property.CONSERVATION),
        (Free(16, 2), Done(), LIVE[1:], None),
        (Allocate(2, 18), Done(18), LIVE, Property.CONSERVATION),
        (Allocate(2, 17), Refused("Overlap"), LIVE[:1], Property.ATOMICITY),
        (Allocate(2, 17), Refused("Overlap"), LIVE, None),
        (Update(16, 2, 23, 2), Refused("Overlap"), LIVE[1:], Property.ATOMICITY),
    ],
)
def test_the_listed_live_ranges_are_held_to_what_is_live(
    call: Call, reply: Reply, live: tuple[Range, ...], broken: Property | None
) -> None:
    violation = judged(call, reply, live).violation
    assert (violation and violation.broken) == broken


@pytest.mark.parametrize(
    ("reason", "broken"),
    [(spec.OVERLAP, None), (spec.NO_SPACE, Property.REASON), ("Oops", Property.REASON)],
)
def test_a_reason_counts_where_the_target_claims_to_name_it(
    reason: str, broken: Property | None
) -> None:
    violation = judged(Allocate(2, 17), Refused(reason), profile=NAMED).violation
    assert (violation and violation.broken) == broken


@pytest.mark.parametrize(
    ("begun", "broken"),
    [
        (Refused("TooSmall"), Property.SPACE),
        (Failed(Failure.CRASH, "exit code 1"), Property.NO_CRASH),
        (Failed(Failure.HANG, "no answer"), Property.NO_HANG),
        (Failed(Failure.GARBAGE, "a line that is no reply"), Property.PROTOCOL),
    ],
)
def test_a_space_that_is_not_managed_is_told(begun: Reply, broken: Property) -> None:
    trial = Bench(Scripted(PROFILE, begun)).try_calls(SPACE, [])
    ((position, violation),) = trial.violations
    assert (position, violation.broken) == (0, broken)


def test_every_property_is_broken_by_some_reply_here() -> None:
    by_reply = {broken for broken, _, _ in WRONG}
    elsewhere = {
        Property.SPACE,
        Property.ATOMICITY,
        Property.CONSERVATION,
        Property.TWO_PHASE,
        Property.ROUND_TRIP,
        Property.REASON,
    }
    assert by_reply | elsewhere == set(Property)
    assert all(one.sentence for one in Property)


def test_the_key_has_no_numbers_and_the_words_have_them() -> None:
    violation = judged(Allocate(2, 17), Done(17)).violation
    assert violation is not None
    assert violation.key == ("no overlap", "allocate exact", "refused: overlap", "granted")
    assert violation.words == (
        "allocate(0x11, 2) must be refused (overlap); the target's answer: granted 0x11"
    )


def test_a_failure_has_one_key_whatever_the_right_answer_would_have_been() -> None:
    crash = Failed(Failure.CRASH, "exit code 1")
    keys = set()
    for size in (0, 2, 7):
        violation = judged(Allocate(size), crash).violation
        assert violation is not None
        keys.add(violation.key)
    assert keys == {("no crash", "allocate first", "an answer", "crash: exit code 1")}


PENDING: Final = Profile(
    PROTOCOL,
    "scripted",
    "addresses",
    ("allocate", "free", "update", "live", "update_many", "move", "batch"),
    ("first", "exact"),
)
MOVE: Final = BeginMove(Range(16, 17), Range(20, 23))


def while_pending(call: Call, reply: Reply, live: tuple[Range, ...] | None = None) -> Judgement:
    """Return the verdict while 16-17 is being moved to 20-23, and 24-25 is live."""
    judge = Judge(PENDING, SPACE)
    state = judge.initial
    for one in LIVE:
        after = judge.judge(state, Allocate(2, one.start), Done(one.start)).after
        assert after is not None
        state = after
    begun = judge.judge(state, MOVE, Done(), LIVE[1:])
    assert begun.violation is None
    assert begun.after is not None
    assert live_ranges(begun.after) == LIVE[1:]
    return judge.judge(begun.after, call, reply, live)


IN_TWO_PHASES: Final[list[tuple[Call, Reply, tuple[Range, ...] | None]]] = [
    (Allocate(2), Done(16), None),
    (Allocate(2, 21), Done(21), None),
    (Free(16, 2), Done(), None),
    (Free(20, 4), Done(), None),
    (Update(16, 2, 30, 2), Done(), None),
    (UpdateMany(((Range(16, 17), None),)), Done(), None),
    (UpdateMany(((None, Range(22, 23)),)), Done(), None),
    (BeginMove(Range(16, 17), Range(28, 29)), Done(), None),
    (BeginMove(Range(24, 25), Range(22, 23)), Done(), None),
    (CommitMove(Range(24, 25)), Done(), None),
    (AbortMove(Range(24, 25)), Done(), None),
    (CommitMove(Range(16, 17)), Refused("why"), None),
    (AbortMove(Range(16, 17)), Refused("why"), None),
    (Batch((Free(24, 2), Allocate(4, 20))), Done(starts=(None, 20)), None),
    (Allocate(1, 31), Done(31), (*LIVE, Range(31, 31))),
    (Allocate(1, 31), Done(31), (Range(20, 23), Range(24, 25), Range(31, 31))),
]


@pytest.mark.parametrize(("call", "reply", "live"), IN_TWO_PHASES)
def test_what_a_move_has_reserved_is_neither_live_nor_handed_out(
    call: Call, reply: Reply, live: tuple[Range, ...] | None
) -> None:
    violation = while_pending(call, reply, live).violation
    assert violation is not None
    assert violation.broken is Property.TWO_PHASE


@pytest.mark.parametrize(
    ("call", "reply", "live"),
    [
        (CommitMove(Range(16, 17)), Done(), (Range(20, 23), Range(24, 25))),
        (AbortMove(Range(16, 17)), Done(), LIVE),
        (Free(16, 2), Refused("why"), LIVE[1:]),
        (Free(20, 4), Refused("why"), LIVE[1:]),
        (Allocate(2, 21), Refused("why"), LIVE[1:]),
        (CommitMove(Range(24, 25)), Refused("why"), LIVE[1:]),
        (Allocate(2), Done(18), (Range(18, 19), Range(24, 25))),
        (Allocate(3), Done(26), (Range(24, 25), Range(26, 28))),
        (Free(24, 2), Done(), ()),
        (UpdateMany(((Range(24, 25), Range(18, 18)),)), Done(), (Range(18, 18),)),
        (BeginMove(Range(24, 25), Range(25, 26)), Done(), ()),
        (BeginMove(Range(24, 25), Range(23, 24)), Refused("why"), LIVE[1:]),
        (Batch((Free(24, 2), Allocate(4))), Done(starts=(None, 24)), (Range(24, 27),)),
        (Batch((Free(24, 2), Free(16, 2))), Refused("why", 1), LIVE[1:]),
    ],
)
def test_what_is_right_while_a_move_is_pending_is_passed(
    call: Call, reply: Reply, live: tuple[Range, ...]
) -> None:
    assert while_pending(call, reply, live).violation is None


@pytest.mark.parametrize(
    ("broken", "call", "reply"),
    [
        (Property.COMPLETENESS, UpdateMany(((LIVE[0], LIVE[1]), (LIVE[1], LIVE[0]))), Refused("x")),
        (Property.NO_OVERLAP, UpdateMany(((LIVE[0], LIVE[1]),)), Done()),
        (Property.BOUNDS, UpdateMany(((LIVE[0], Range(31, 32)),)), Done()),
        (Property.EXACT_FREE, UpdateMany(((LIVE[0], None), (LIVE[0], None))), Done()),
        (Property.COMPLETENESS, MOVE, Refused("x")),
        (Property.NO_OVERLAP, BeginMove(Range(16, 17), Range(24, 24)), Done()),
        (Property.EXACT_FREE, BeginMove(Range(16, 16), Range(20, 20)), Done()),
        (Property.COMPLETENESS, Batch((Free(16, 2), Allocate(8, 16))), Refused("x")),
        (Property.EXACT_FREE, Batch((Free(16, 2), Allocate(8, 16))), Refused("x", 0)),
        (Property.OPTIMALITY, Batch((Free(16, 2), Allocate(1))), Done(starts=(None, 17))),
        (Property.NO_OVERLAP, Batch((Allocate(1, 20), Allocate(1, 20))), Done(starts=(20, 20))),
        (Property.EXACT_FREE, Batch((Free(16, 2), Free(16, 2))), Done(starts=(None, None))),
        (Property.REASON, Batch((Free(16, 2), Free(16, 2))), Refused("x", 0)),
        (Property.PROTOCOL, Batch((Free(16, 2),)), Done(starts=())),
    ],
)
def test_what_is_done_at_once_breaks_what_its_parts_break(
    broken: Property, call: Call, reply: Reply
) -> None:
    violation = judged(call, reply, profile=PENDING).violation
    assert violation is not None
    assert violation.broken is broken


def test_nobody_goes_on_from_an_impossible_state() -> None:
    trial: Trial = Bench(Scripted(PROFILE, Done(), Done(16), Done(16), Done(18))).try_calls(
        SPACE, [Allocate(2), Allocate(2, 16), Allocate(2)]
    )
    assert len(trial.steps) == 2
    assert [position for position, _ in trial.violations] == [2]
