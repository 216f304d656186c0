"""The bounded check of the gap tree: it refutes damaged ones, and sees the shapes that it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from spec.model import Allocator
from spec.proofs.bounded import bounded_theorems
from spec.proofs.bounded_tree import CAPACITY, LEAST, Grid, TreeSubject, shapes, small_tree
from spec.proofs.cases import small_state
from vm_allocator.gap_node import Node
from vm_allocator.gap_search import Search
from vm_allocator.gap_tree import GapTree
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.verdict import Opinion, Verdict

from .support import shown_false

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.proving.verdict import Proof


def proof_of(ending: str, effort: Effort) -> Proof:
    (stated,) = (
        each.theorem
        for each in bounded_theorems(small_tree, 1, "the_gap_tree", TreeSubject)
        if each.theorem.name.endswith(ending)
    )
    proof = prove(stated, Allocator, small_state, effort)
    if proof.verdict is Verdict.REFUTED:
        assert shown_false(stated, proof)
    return proof


def nothing(*_: object) -> bool:
    return False


def lengths_alone(node: Node, slot: int, length: int, order: int, top: int) -> bool:
    del order, top
    lifted = node.lengths[slot] < length
    if lifted:
        node.lengths[slot] = length
    return lifted


def from_the_next_one(search: Search, node: Node, slot: int) -> int:
    return NEXT_SLOT(search, node, slot + 1)


def below_the_last_one(search: Search, node: Node, slot: int) -> int:
    return LAST_SLOT(search, node, slot - 1)


def start_alone(node: Node, slot: int) -> None:
    node.starts[slot] = node.kids[slot].starts[0]


def start_forgotten(node: Node, slot: int) -> None:
    start = node.starts[slot]
    REFRESH(node, slot)
    node.starts[slot] = start


def joins_the_wrong_way(node: Node, upper: Node) -> Node:
    joined = JOINED(node, upper)
    joined.lengths.reverse()
    return joined


NEXT_SLOT: Final = Search.next_slot
LAST_SLOT: Final = Search.last_slot
REFRESH: Final = Node.refresh
JOINED: Final = Node.joined

DAMAGED: Final[list[tuple[type, str, Callable[..., Any], str]]] = [
    # what is replaced, by what, and the theorem that it breaks
    (Node, "lower", nothing, "adds_and_splits_a_gap"),
    (Node, "lift", nothing, "removes_and_merges_gaps"),
    (Node, "lift", lengths_alone, "removes_and_merges_gaps"),
    (Node, "lift_rooms", nothing, "removes_and_merges_gaps"),
    (Node, "refresh", start_alone, "adds_and_splits_a_gap"),
    (Node, "refresh", start_forgotten, "removes_and_merges_gaps"),
    (Node, "joined", joins_the_wrong_way, "removes_and_merges_gaps"),
    (GapTree, "_settle", nothing, "removes_and_merges_gaps"),
    (GapTree, "_grow", nothing, "adds_and_splits_a_gap"),
    (Search, "next_slot", from_the_next_one, "finds_the_lowest_room"),
    (Search, "last_slot", below_the_last_one, "finds_the_highest_room"),
]


@pytest.mark.parametrize(
    ("owner", "method", "instead", "ending"),
    DAMAGED,
    ids=[f"{method} is {instead.__name__}" for _, method, instead, _ in DAMAGED],
)
def test_a_damaged_tree_is_refuted(
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    instead: Callable[..., Any],
    ending: str,
) -> None:
    monkeypatch.setattr(owner, method, instead)
    assert proof_of(ending, Effort(second_opinion=False)).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "ending", ["names_the_lowest_overlap", "knows_what_is_live", "removes_and_merges_gaps"]
)
def test_the_tree_that_ships_holds_and_cvc5_confirms_it(ending: str) -> None:
    proof = proof_of(ending, Effort())
    assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.CONFIRMED), proof.reason


def sizes(shape: tuple[Any, ...]) -> list[int]:
    return [size for part in shape for size in (sizes(part) if isinstance(part, tuple) else [part])]


@pytest.mark.parametrize("gaps", range(1, 9))
def test_shapes_hold_all_gaps_in_nodes_that_the_capacity_allows(gaps: int) -> None:
    assert shapes(gaps)
    for shape in shapes(gaps):
        assert sum(sizes(shape)) == gaps
        assert all(size <= CAPACITY for size in sizes(shape))
        assert shape == (gaps,) or min(sizes(shape)) >= LEAST


def test_eight_gaps_may_be_three_levels_deep() -> None:
    assert ((2, 2), (2, 2)) in shapes(8)


def test_a_grid_collects_each_start_once() -> None:
    grid = Grid([4, 8], coarse=False)
    assert grid | 8 is grid
    assert not (Grid([4], coarse=True)).is_aligned(4)
    assert Grid([5], coarse=True).is_aligned(1)
