"""The proofs about moves bite: wrong moves are refuted, each with values that show it."""

from __future__ import annotations

import pytest

import vm_allocator.moves
import vm_allocator.placement
from spec.model import Allocator
from spec.proofs.cases import small_state
from spec.proofs.refinement import refinement_theorems
from spec.proofs.subjects import Shipped
from spec.source_mutations import rebuilt
from tests.refutation.support import changed_module
from tests.source import needs_source
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.verdict import Verdict

MOVES = "the_address_allocator_moves_as_the_model"
FREES = "the_address_allocator_frees_nothing_of_a_pending_move"

WRONG_MOVES = {
    "nothing below the old range is reserved": (
        "            self._parts.append((new_start, min(new_end, old_start - 1)))\n",
        "            pass\n",
        MOVES,
    ),
    "nothing above the old range is reserved": (
        "            self._parts.append((max(new_start, old_end + 1), new_end))\n",
        "            pass\n",
        MOVES,
    ),
    "what is reserved below reaches into the old range": (
        "min(new_end, old_start - 1)",
        "min(new_end, old_start)",
        MOVES,
    ),
    "what is reserved above leaves one out": ("max(new_start, old_end + 1)", "old_end + 2", MOVES),
    "a move is not pending": ("            self.enlist()\n", "", FREES),
    "the old range stays live": ("            log.remove(old_start, old_end)\n", "", MOVES),
    "the new range is not live": ("            log.add(new_start, new_end)\n", "", MOVES),
    "a move never ends": ("            self._end(COMMITTED)\n", "", MOVES),
    "the old range is not held": (
        "        self._pending[old_start, old_end] = self\n",
        "",
        FREES,
    ),
    "the parts are not held": (
        "            self._pending[part] = self\n",
        "            pass\n",
        FREES,
    ),
    "the new range is not named": (
        "        self._pending[new_start, new_end] = self\n",
        "",
        FREES,
    ),
    "a move that ended is still found": (
        "        self._delist()\n        self",
        "        self",
        MOVES,
    ),
    "a move ends twice": (
        "        if self._ending:\n            raise MoveEndedError(self._unit, self._ending)\n",
        "        pass\n",
        MOVES,
    ),
    "what is whole is not looked at": (
        "if old_start <= new_end and new_start <= old_end:",
        "if old_start < new_end and new_start <= old_end:",
        MOVES,
    ),
}

PLAN = (
    "plan = self._plan(old_resource, old_size, new_resource, new_size, align, within)\n"
    "        named"
)
NO_PLAN = (
    "plan = (old_resource, old_resource + old_size - 1)\n"
    "        plan += (new_resource, new_resource + new_size - 1)\n"
    "        named"
)

WRONG_ALLOCATORS = {
    "what a move holds may be freed": (
        "            holder = self._pending.get((start, start + span))\n",
        "            holder = self._pending.get((start, start))\n",
        FREES,
    ),
    "a range is looked for in the index alone": (
        "        if self._pending:\n",
        "        if False:\n",
        FREES,
    ),
    "where a move leads to is not looked at": (PLAN, NO_PLAN, MOVES),
}


def verdict(name: str, shipped: Shipped) -> Verdict:
    stated = next(theorem for theorem in refinement_theorems(shipped) if theorem.name == name)
    return prove(stated, Allocator, small_state, Effort(second_opinion=False)).verdict


@needs_source
@pytest.mark.parametrize("what", WRONG_MOVES)
def test_a_wrong_move_is_refuted(what: str) -> None:
    before, after, name = WRONG_MOVES[what]
    shipped = rebuilt(vm_allocator.moves, changed_module("moves", before, after))
    assert verdict(name, shipped) is Verdict.REFUTED


@needs_source
@pytest.mark.parametrize("what", WRONG_ALLOCATORS)
def test_an_allocator_that_forgets_its_moves_is_refuted(what: str) -> None:
    before, after, name = WRONG_ALLOCATORS[what]
    if before is PLAN:
        shipped = Shipped(address=changed_module("address", before, after))
    else:
        changed = changed_module("placement", before, after)
        shipped = rebuilt(vm_allocator.placement, changed)
    assert verdict(name, shipped) is Verdict.REFUTED
