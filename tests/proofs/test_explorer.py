"""Every path is taken once, in one order, and what is known on it is what was decided."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from vm_allocator.symbolic import (
    Explorer,
    PathCut,
    PathLimitError,
    Raised,
    Returned,
    SymBool,
    UnsupportedError,
    smt,
)

from .support import answer, explored, ints, valid

if TYPE_CHECKING:
    from collections.abc import Callable

X, Y, Z = ints("x", "y", "z")


def straight() -> str:
    return "only"


def one_branch() -> str:
    return "below" if X < Y else "not below"


def nested() -> str:
    if X < Y:
        if X < Z:
            return "x is least"
        return "z, then y"
    if Y < Z:
        return "y is least"
    return "z is least"


def both_and() -> bool:
    return X < Y and Z < Y


def either() -> bool:
    return X < Y or Y < Z


def negated() -> bool:
    return not X < Y


def chained() -> bool:
    return 0 <= X <= Y < Z


def counting() -> int:
    return sum(1 for each in (X, Y, Z) if each == 0)


def raising() -> int:
    if X < 0:
        raise ValueError("negative")
    return 1


FUNCTIONS: dict[Callable[[], object], int] = {
    straight: 1,
    one_branch: 2,
    nested: 4,
    both_and: 3,
    either: 3,
    negated: 2,
    chained: 4,
    counting: 8,
    raising: 2,
}


def ending(outcome: Returned[object] | Raised) -> object:
    """Return what a path ended with; a truth that was decided is read as it was decided."""
    return type(outcome.error) if isinstance(outcome, Raised) else outcome.value


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_path_is_taken_exactly_once(function: Callable[[], object]) -> None:
    def run() -> object:
        found = function()
        return bool(found) if isinstance(found, SymBool) else found

    conditions = [condition for condition, _ in explored(run)]
    assert len(conditions) == FUNCTIONS[function]
    for one, other in combinations(conditions, 2):
        assert answer(one, other) == "unsat"
    assert valid(smt.disj(*conditions))


def test_paths_are_taken_in_the_same_order_every_time() -> None:
    expected = ["x is least", "z, then y", "y is least", "z is least"]
    for _ in range(3):
        assert [ending(outcome) for _, outcome in explored(nested)] == expected


def test_an_exception_is_how_a_path_ends_and_the_others_are_still_taken() -> None:
    assert [ending(outcome) for _, outcome in explored(raising)] == [ValueError, 1]


def test_a_cut_path_is_left_out_and_no_code_under_proof_catches_the_cut() -> None:
    def cut() -> None:
        raise PathCut

    def cut_when_negative() -> str:
        try:
            if X < 0:
                cut()
        except Exception:  # noqa: BLE001  # what the code under proof might do
            return "caught"
        return "not negative"

    assert [ending(outcome) for _, outcome in explored(cut_when_negative)] == ["not negative"]


def test_a_constant_truth_forks_nothing() -> None:
    assert len(explored(lambda: bool(SymBool(smt.TRUE)))) == 1
    assert len(explored(lambda: bool(SymBool(smt.FALSE)))) == 1


def test_a_choice_takes_both_answers_and_knows_nothing_by_it() -> None:
    taken = explored(lambda: Explorer.active().choose())
    assert [ending(outcome) for _, outcome in taken] == [True, False]
    assert all(smt.is_true(condition) for condition, _ in taken)


def test_more_paths_than_the_limit_are_an_error_and_not_an_answer() -> None:
    with pytest.raises(PathLimitError, match="more than 7 paths"):
        explored(counting, Explorer(path_limit=7))
    assert len(explored(counting, Explorer(path_limit=8))) == 8


def test_a_loop_without_an_end_meets_the_limit() -> None:
    def search() -> int:
        found = 0
        while found != X:
            found += 1
        return found

    with pytest.raises(PathLimitError):
        explored(search, Explorer(path_limit=50))


def test_one_truth_has_one_answer_on_a_path() -> None:
    def asked_twice() -> tuple[bool, bool]:
        truth = X < Y
        return bool(truth), bool(truth)

    taken = explored(asked_twice)
    assert [ending(outcome) for _, outcome in taken] == [(True, True), (False, False)]


def test_one_truth_has_another_answer_on_another_run() -> None:
    truth = X < Y
    answers = [ending(outcome) for _, outcome in explored(lambda: bool(truth))]
    assert answers == [True, False]
    again = [ending(outcome) for _, outcome in explored(lambda: bool(truth))]
    assert again == [True, False]


def test_an_exploration_within_an_exploration_leaves_the_outer_one_as_it_was() -> None:
    def outer() -> tuple[bool, int]:
        first = bool(X < Y)
        inner = len(explored(nested))
        return first, inner

    taken = explored(outer)
    assert [ending(outcome) for _, outcome in taken] == [(True, 4), (False, 4)]
    with pytest.raises(UnsupportedError):
        Explorer.active()


def test_an_exploration_that_is_left_by_an_error_is_over() -> None:
    with pytest.raises(UnsupportedError):
        explored(lambda: int(X))
    with pytest.raises(UnsupportedError, match="outside of an exploration"):
        bool(X < Y)


def test_new_constants_have_the_same_names_on_every_path() -> None:
    def names() -> tuple[str, str]:
        first = Explorer.active().fresh("a")
        if X < Y:
            pass
        return str(first), str(Explorer.active().fresh("a"))

    assert [ending(outcome) for _, outcome in explored(names)] == [("a!1", "a!2")] * 2


def test_code_that_remembers_its_last_run_is_refused() -> None:
    """Its second run would ask other questions, and a path would be lost without a word."""
    memory: list[bool] = []

    def forgets_to_ask() -> bool:
        if not memory:
            memory.append(bool(X < Y))
        return memory[0]

    with pytest.raises(UnsupportedError):
        explored(forgets_to_ask)


def test_code_that_asks_something_else_when_it_is_run_again_is_refused() -> None:
    runs: list[int] = []

    def asks_another_question() -> bool:
        runs.append(1)
        return bool(X < Y) if len(runs) == 1 else bool(Y < Z)

    with pytest.raises(UnsupportedError):
        explored(asks_another_question)


def test_what_cannot_be_followed_is_not_to_be_caught_by_the_code_under_proof() -> None:
    def hides_it() -> int:
        try:
            return int(X)
        except Exception:  # noqa: BLE001  # what the code under proof might do
            return 0

    with pytest.raises(UnsupportedError):
        explored(hides_it)
