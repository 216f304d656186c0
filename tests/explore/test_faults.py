"""The explorer itself is broken on purpose: each fault is noticed by a test that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.explore import test_exact, test_examples, test_exploring, test_readings
from tests.explore.support import EXAMPLES
from vm_allocator.explore import exploring, induction, search, slots
from vm_allocator.explore.exact import ExactSolver
from vm_allocator.explore.load import load
from vm_allocator.explore.relations import Relation, World
from vm_allocator.explore.search import Unrolling
from vm_allocator.explore.slots import Slot, Slots
from vm_allocator.explore.trace import execute
from vm_allocator.symbolic import smt

if TYPE_CHECKING:
    from collections.abc import Callable


MSI = "msi_blocks"


def put_twice(patch: pytest.MonkeyPatch) -> None:
    """A row is put beside the one that is at its key."""
    patch.setattr(
        Slots,
        "put",
        lambda self, key, row: Slots(self.shape, [*self.slots, Slot(smt.TRUE, key, row)]),
    )


def last_way(patch: pytest.MonkeyPatch) -> None:
    """Of the states after an action, the last one is always taken."""
    patch.setattr(slots, "_first", lambda ways: ways[-1][1])


def leaves_are_anything(patch: pytest.MonkeyPatch) -> None:
    """Nobody compares leaves with what their code computes."""
    patch.setattr(ExactSolver, "_wrong", lambda *_: iter(()))


def all_paths_impossible(patch: pytest.MonkeyPatch) -> None:
    """Every obligation is taken to be met."""
    patch.setattr(induction._Proof, "_discharge", lambda _self: True)


def known_of_everything(patch: pytest.MonkeyPatch) -> None:
    """What an invariant says of the entries is known of whatever is no entry, too."""
    original = Relation.know

    def know(self: Relation, stores: Any, holds: Any) -> None:
        members = [store.member for store in stores]
        for store in stores:
            store.member = lambda _at: smt.TRUE
        original(self, stores, holds)
        for store, member in zip(stores, members, strict=True):
            store.member = member

    patch.setattr(Relation, "know", know)


def nothing_is_known(patch: pytest.MonkeyPatch) -> None:
    """No universal is ever instantiated."""
    patch.setattr(World, "facts", lambda _self: [])


def dropped_rows_stay(patch: pytest.MonkeyPatch) -> None:
    """For any number of entries, `drop` and `without` do nothing."""
    patch.setattr(Relation, "drop", lambda self, _key: self)


def a_depth_is_skipped(patch: pytest.MonkeyPatch) -> None:
    """The runs get longer by two actions at a time."""
    original = Unrolling.extend

    def twice(self: Unrolling) -> None:
        original(self)
        original(self)

    patch.setattr(Unrolling, "extend", twice)


def second_solver_disagrees(patch: pytest.MonkeyPatch) -> None:
    """cvc5 says `sat` to everything."""
    patch.setattr(induction, "ask", lambda *_: "sat")


def nothing_is_executed(patch: pytest.MonkeyPatch) -> None:
    """A trace is shown as the solver has it, with one call too many."""
    original = execute

    def longer(subject: Any, calls: Any, start: Any = None) -> Any:
        return original(subject, [*calls, calls[-1]], start)

    patch.setattr(search, "execute", longer)


FAULTS: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], None]]] = [
    (put_twice, test_readings.test_a_key_has_one_row),
    (last_way, lambda: test_examples.test_a_broken_sibling_has_this_shortest_trace(MSI)),
    (leaves_are_anything, lambda: test_exact.test_a_leaf_is_what_its_code_computes(7)),
    (
        all_paths_impossible,
        lambda: test_exploring.test_what_is_broken_is_not_proved(f"{MSI}_broken"),
    ),
    (
        known_of_everything,
        lambda: test_exploring.test_what_is_broken_is_not_proved(f"{MSI}_broken"),
    ),
    (nothing_is_known, lambda: _is_proved("gsi_routing")),
    (dropped_rows_stay, lambda: _is_proved("two_phase_moves")),
    (a_depth_is_skipped, lambda: test_examples.test_a_broken_sibling_has_this_shortest_trace(MSI)),
    (second_solver_disagrees, lambda: _is_proved(MSI)),
    (nothing_is_executed, lambda: test_examples.test_a_broken_sibling_has_this_shortest_trace(MSI)),
]


@pytest.mark.parametrize(("fault", "notices"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_in_the_explorer_is_noticed(
    fault: Callable[[pytest.MonkeyPatch], None],
    notices: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        notices()


def _is_proved(name: str) -> None:
    options = exploring.Options(max_time=300, depth=0, suggest=False, entries=0)
    subject = load(str(EXAMPLES / f"{name}.py"))
    assert exploring.explore(subject, options).proof is not None
