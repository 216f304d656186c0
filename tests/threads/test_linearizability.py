"""Histories that fit an order, and histories that fit none."""

from itertools import permutations
from random import Random

import pytest

from vm_allocator.checker.calls import Allocate, Call, Done, Free, Pick, Refused, Reply, Space
from vm_allocator.checker.concurrent.history import Event, History
from vm_allocator.checker.concurrent.linearizability import Illegal, Verdict, explain, linearize
from vm_allocator.checker.concurrent.page import order_points
from vm_allocator.checker.judge import Judge, live_ranges
from vm_allocator.checker.profile import PROTOCOL, Profile
from vm_allocator.modelling import Range

PROFILE = Profile(PROTOCOL, "x", "addresses", ("allocate", "free"), ("first", "exact", "any"))
ONE, TWO = Allocate(1), Allocate(2)
NO_ROOM = Refused("no-space")


def judge(size: int = 1) -> Judge:
    return Judge(PROFILE, Space(0, size - 1))


def history(*events: tuple[int, Call, int, int | None, Reply | None], size: int = 1) -> History:
    return History(Space(0, size - 1), tuple(Event(*event) for event in events))


def verdict(found: History, size: int = 1) -> Verdict:
    return linearize(judge(size), found).verdict


def illegal(found: History, size: int = 1) -> Illegal:
    whole = linearize(judge(size), found)
    assert whole.verdict is Verdict.NOT_LINEARIZABLE
    return explain(judge(size), found, whole)


def test_concurrent_calls_may_have_happened_in_any_order() -> None:
    for first, second in ((Done(0), NO_ROOM), (NO_ROOM, Done(0))):
        assert verdict(history((1, ONE, 0, 3, first), (2, ONE, 1, 2, second))) is (
            Verdict.LINEARIZABLE
        )


def test_calls_one_after_the_other_happened_in_that_order() -> None:
    assert verdict(history((1, ONE, 0, 1, Done(0)), (2, ONE, 2, 3, NO_ROOM))) is (
        Verdict.LINEARIZABLE
    )
    wrong = history((1, ONE, 0, 1, NO_ROOM), (2, ONE, 2, 3, Done(0)))
    assert verdict(wrong) is Verdict.NOT_LINEARIZABLE
    found = illegal(wrong)
    assert (found.event, len(found.history.events)) == (0, 1)


def test_handing_one_place_out_twice_fits_no_order() -> None:
    found = illegal(history((1, ONE, 0, 3, Done(0)), (2, ONE, 1, 2, Done(0))))
    assert found.event == 0  # the answer that came last
    assert [placed.event for placed in found.order] == [1]
    assert found.order[0].live == (Range(0, 0),)
    assert "must be refused (no-space); the target's answer: granted 0" in found.words


def test_a_call_that_is_not_over_may_have_happened_or_not() -> None:
    for answer in (Done(0), NO_ROOM):
        pending = history((1, ONE, 0, None, None), (2, ONE, 1, 2, answer))
        assert verdict(pending) is Verdict.LINEARIZABLE


def test_what_is_live_in_the_end_has_to_fit_too() -> None:
    both = history((1, ONE, 0, 2, Done(0)), (2, Free(0, 1), 1, 3, Done()))
    for live, wanted in (
        ((), Verdict.LINEARIZABLE),
        ((Range(0, 0),), Verdict.NOT_LINEARIZABLE),
    ):
        assert verdict(History(both.space, both.events, live)) is wanted
    found = illegal(History(both.space, both.events, (Range(0, 0),)))
    assert found.event is None
    assert "in the end 0 is live" in found.words


def test_the_history_is_cut_at_the_first_answer_that_does_not_fit() -> None:
    found = illegal(
        history(
            (1, ONE, 0, 1, Done(0)),
            (2, ONE, 2, 3, Done(0)),
            (1, Free(0, 1), 4, 5, Done()),
            (2, ONE, 6, 7, Done(0)),
        )
    )
    assert (found.event, len(found.history.events)) == (1, 2)


def test_where_the_others_need_the_wrong_call_the_order_has_it_doing_what_it_must() -> None:
    # Thread 2 finds no room, which needs what thread 1 asked for; but that says it is elsewhere.
    found = illegal(
        history((1, TWO, 0, 3, Done(1)), (2, ONE, 1, 2, NO_ROOM), size=2),
        size=2,
    )
    assert found.event == 0
    assert [placed.event for placed in found.order] == [0, 1]
    assert "after nothing, allocate(FirstMatch, 2) must be granted 0" in found.words


def test_any_place_is_right_where_the_target_may_choose() -> None:
    any_place = Allocate(1, None, Pick.ANY)
    fine = history((1, any_place, 0, 3, Done(1)), (2, any_place, 1, 2, Done(0)), size=2)
    assert verdict(fine, 2) is Verdict.LINEARIZABLE
    twice = history((1, any_place, 0, 3, Done(1)), (2, any_place, 1, 2, Done(1)), size=2)
    assert verdict(twice, 2) is Verdict.NOT_LINEARIZABLE


def test_a_search_that_takes_too_long_is_unknown_and_nothing_else() -> None:
    found = history((1, ONE, 0, 3, Done(0)), (2, ONE, 1, 2, Done(0)))
    assert linearize(judge(), found, budget=1).verdict is Verdict.UNKNOWN


def test_each_point_lies_within_its_call_and_after_the_one_before() -> None:
    random = Random(3)  # noqa: S311  # to be repeated
    for _ in range(200):
        found = _drawn(random)
        order = linearize(judge(3), found).order
        points = order_points(found, order)
        assert points == sorted(points)
        for placed, point in zip(order, points, strict=True):
            event = found.events[placed.event]
            assert event.began < point
            assert event.ended is None or point < event.ended


def _drawn(random: Random) -> History:
    """Return a history of up to 5 calls of 3 threads on 3 units; its answers are drawn, too."""
    moments = list(range(30))
    free_at = {1: 0, 2: 0, 3: 0}
    events = []
    for _ in range(random.randint(1, 5)):
        thread = random.randint(1, 3)
        possible = [moment for moment in moments if moment >= free_at[thread]][:8]
        if len(possible) < 2:
            continue
        began, ended = sorted(random.sample(possible, 2))
        moments = [moment for moment in moments if moment not in (began, ended)]
        free_at[thread] = ended
        calls: list[Call] = [ONE, TWO, Allocate(1, 1), Free(0, 1), Free(1, 1)]
        call = random.choice(calls)
        granted = [Done()] if isinstance(call, Free) else [Done(0), Done(1)]
        replies: list[Reply] = [*granted, NO_ROOM]
        reply = random.choice(replies)
        if random.random() < 0.1:
            events.append(Event(thread, call, began))
            free_at[thread] = 30  # it is not over: nothing follows
        else:
            events.append(Event(thread, call, began, ended, reply))
    return History(Space(0, 2), tuple(sorted(events, key=lambda event: event.began)))


def _by_trying_all(found: History, judged_by: Judge) -> bool:
    """Whether there is an order, by trying all of them: no memory, nothing clever."""
    done = [event for event in found.events if event.ended is not None]
    pending = [event for event in found.events if event.ended is None]
    for count in range(len(pending) + 1):
        for chosen in permutations(pending, count):
            for order in permutations([*done, *chosen]):
                if _respects_time(order) and _answers(order, judged_by):
                    return True
    return False


def _respects_time(order: tuple[Event, ...]) -> bool:
    return all(
        later.ended is None or later.ended > event.began
        for position, event in enumerate(order)
        for later in order[position + 1 :]
    )


def _answers(order: tuple[Event, ...], judged_by: Judge) -> bool:
    state = judged_by.initial
    for event in order:
        if event.reply is None:
            state = judged_by.expect(state, event.call).after
            continue
        judged = judged_by.judge(state, event.call, event.reply)
        if judged.violation is not None or judged.after is None:
            return False
        state = judged.after
    return live_ranges(state) is not None


@pytest.mark.parametrize("seed", range(4))
def test_the_search_agrees_with_trying_all_orders(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # to be repeated
    seen = set()
    for _ in range(150):
        found = _drawn(random)
        wanted = _by_trying_all(found, judge(3))
        got = verdict(found, 3)
        assert got is (Verdict.LINEARIZABLE if wanted else Verdict.NOT_LINEARIZABLE), found
        seen.add(wanted)
    assert seen == {True, False}
