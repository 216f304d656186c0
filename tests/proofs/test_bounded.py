"""The bounded check of a whole index: it holds of what ships, and refutes what is damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

import vm_allocator.gaps
from spec.model import Allocator
from spec.proofs.bounded import (
    GAP,
    Factory,
    Subject,
    bounded_theorems,
    layouts,
    small_nodes,
)
from spec.proofs.bounded_indexes import INDEXES
from spec.proofs.bounded_many import many_theorems
from spec.proofs.cases import small_state
from spec.source_mutations import GAPS
from vm_allocator.gaps import SortedGaps
from vm_allocator.ordered import SortedMap
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.source_mutation import load, mutants
from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.symbolic import Explorer, SymInt, UnsupportedError, smt
from vm_allocator.symbolic.keys import Key, keyed
from vm_allocator.verify import Section, Task, work

from .support import shown_false

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.proving.verdict import Proof

ALONE: Final = Effort(second_opinion=False)


def first_refutation(factory: Factory, gaps: int = 2, ending: str = "") -> Proof | None:
    """Return the first refutation of the index; each one shown by values that break it."""
    for stated in bounded_theorems(factory, gaps):
        if not stated.theorem.name.endswith(ending):
            continue
        proof = prove(stated.theorem, Allocator, small_state, ALONE)
        if proof.verdict is Verdict.REFUTED:
            assert shown_false(stated.theorem, proof)
            return proof
        assert proof.verdict is Verdict.PROVED, proof.reason
    return None


# ---- damaged maps


class FloorBelow(SortedMap):
    def floor(self, key: int) -> tuple[int, int] | None:
        position = self._items.bisect_left(key)
        return self._items.peekitem(position - 1) if position else None


class CeilingBeyond(SortedMap):
    def ceiling(self, key: int) -> tuple[int, int] | None:
        position = self._items.bisect_left(key) + 1
        return self._items.peekitem(position) if position < len(self._items) else None


class DescendingUpwards(SortedMap):
    def descending(self, first: int, last: int) -> Iterable[tuple[int, int]]:
        return self.ascending(first, last)


class AscendingStopsShort(SortedMap):
    def ascending(self, first: int, last: int) -> Iterable[tuple[int, int]]:
        return ((key, self._items[key]) for key in self._items.irange(first, last, (True, False)))


class KeepsTheFirstValue(SortedMap):
    def put(self, key: int, value: int) -> None:
        self._items.setdefault(key, value)


class LosesWhatIsInTheLastList(SortedMap):
    """Forgets, where a list has split, what is in the lists after the first."""

    def floor(self, key: int) -> tuple[int, int] | None:
        keys: Any = self._items.keys()
        lists = keys._mapping._list._lists
        below = [each for each in lists[0] if each <= key] if lists else []
        return (below[-1], self._items[below[-1]]) if below else None


MAPS: Final = [
    # the map, the theorem that it breaks, and the gaps that this takes
    (FloorBelow, "knows_what_is_live", 1),
    (CeilingBeyond, "names_the_lowest_overlap", 1),
    (DescendingUpwards, "finds_the_highest_room", 3),
    (AscendingStopsShort, "finds_the_lowest_room", 1),
    (KeepsTheFirstValue, "adds_and_splits_a_gap", 1),
    (LosesWhatIsInTheLastList, "knows_what_is_live", 2),
]


def over(kind: type[SortedMap]) -> Factory:
    def factory(base: int, last: int) -> SortedGaps:
        index = small_nodes(base, last)
        index._gaps, index._live = kind(dict(index._gaps.items())), kind()
        for held in (index._gaps, index._live):
            items: Any = held._items
            items._reset(2)
        return index

    return factory


@pytest.mark.parametrize(
    ("kind", "ending", "gaps"), MAPS, ids=lambda value: getattr(value, "__name__", None)
)
def test_an_index_over_a_damaged_map_is_refuted(
    kind: type[SortedMap], ending: str, gaps: int
) -> None:
    assert first_refutation(over(kind), gaps, ending) is not None


MUTANTS: Final = mutants(vm_allocator.gaps, set(GAPS))[::6]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name[:60])
def test_a_mutated_index_is_refuted(mutant: Any) -> None:
    # The theorems about one gap alone: a mistake in the index itself needs no more.
    assert first_refutation(load(vm_allocator.gaps, mutant).SortedGaps, 1) is not None


# ---- what ships


def test_the_index_that_ships_holds_and_cvc5_confirms_it() -> None:
    for stated in (*bounded_theorems(small_nodes, 1), *many_theorems(small_nodes, 1)):
        proof = prove(stated.theorem, Allocator, small_state, Effort())
        assert (proof.verdict, proof.opinion) == (Verdict.PROVED, Opinion.CONFIRMED), proof.reason


def test_the_lists_of_the_index_that_ships_are_as_long_as_they_ship_too() -> None:
    assert first_refutation(SortedGaps, 1) is None


def test_small_nodes_do_split() -> None:
    index = small_nodes(0, 99)
    for start in range(0, 90, 10):
        index.add(start, start)
    for held in (index._live, index._gaps):
        lists: Any = held._items._list._lists  # type: ignore[attr-defined]  # the real map
        assert len(lists) > 1
    index._check()


def test_layouts_have_as_many_gaps_as_they_say() -> None:
    for gaps in range(6):
        for layout, _history in layouts(gaps):
            assert layout.count(GAP) == gaps
            assert GAP * 2 not in layout


def test_a_row_says_how_far_it_holds_and_never_that_it_is_proved() -> None:
    name = f"{next(iter(INDEXES))}_knows_what_is_live"
    row = work.work(Task(Section.BOUNDED, name), work.Settings(gaps=1))
    assert (row.holds, row.answer, row.gaps) == (True, "holds to k=1", 1)
    assert row.opinion is Opinion.CONFIRMED


# ---- keys


def test_keys_find_each_other_in_a_dict_exactly_where_they_are_equal() -> None:
    one, other = (keyed(SymInt(smt.integer(name))) for name in ("one", "other"))  # type: ignore[arg-type]  # symbolic

    def found() -> bool:
        return other in {one: 1}

    explorer = Explorer()
    ends = {
        bool(getattr(end, "value", None)): str(explorer.condition) for end in explorer.paths(found)
    }
    assert set(ends) == {True, False}
    assert ends[False].startswith("[Not(")


def test_what_is_computed_with_a_key_is_a_key_and_nothing_else_has_a_hash() -> None:
    key = Key(smt.integer("one"))
    for made in (key + 1, 1 + key, key - 1, 1 - key, -key):
        assert isinstance(made, Key)
        assert hash(made) == hash(key)
    with pytest.raises(UnsupportedError):
        hash(SymInt(smt.integer("one")))
    assert keyed(7) == 7


def test_the_row_of_a_damaged_index_shows_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INDEXES, "the_damaged_index", (over(FloorBelow), Subject, 0))
    name = "the_damaged_index_knows_what_is_live"
    row = work.work(Task(Section.BOUNDED, name), work.Settings(gaps=1))
    assert (row.refuted, row.answer) == (True, "refuted")
    assert any(line.startswith("layout = ") for line in row.evidence)
    assert any(line.startswith("base = ") for line in row.evidence)
