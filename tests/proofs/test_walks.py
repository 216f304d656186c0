"""The induction over lists bites: what goes wrong on the way, or in the undoing, is refuted."""

from __future__ import annotations

from functools import partial

import pytest

from spec.model import Allocator
from spec.proofs.cases import AllocatorCase, small_state
from spec.proofs.refinement import refinement_theorems
from spec.proofs.subjects import Shipped
from spec.proofs.undo import undo_theorems
from spec.proofs.walks import Ranges, any_ranges, any_walks
from tests.refutation.support import changed_module
from tests.source import needs_source
from vm_allocator.modelling import Range
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.theorem import Theorem
from vm_allocator.proving.verdict import Verdict
from vm_allocator.symbolic import UnsupportedError

ALONE = Effort(second_opinion=False)
BODY = "                    log.remove(start, end)\n"

WRONG = {
    "the old range is not demanded": (
        "                    self._demand_live(start, end - start)\n                    log",
        "                    log",
    ),
    "a place is not looked at": (
        "                    self._place(start, end - start, granule, first, last)\n",
        "",
    ),
    "what is in the way is not looked at": (
        "                    self._demand_free(start, end - start, start, end)\n",
        "",
    ),
    "a free is not logged": (BODY, "                    self._index.remove(start, end)\n"),
    "an addition is not logged": (
        "                    log.add(start, end)\n",
        "                    self._index.add(start, end)\n",
    ),
    "a refusal is swallowed": (
        "                log.undo()\n                raise\n",
        "                log.undo()\n",
    ),
    "the first old range is the last": (BODY, BODY + "                    break\n"),
    "nothing is freed": (BODY, "                    pass\n"),
    "the new ranges come first": ("for start, end in old:", "for start, end in new:"),
    "the old ranges alone are looked at": (
        "                for start, end in new:",
        "                for start, end in []:",
    ),
    "a free is taken for a refusal": (BODY, BODY + "                    log.undo()\n"),
}


def proved_of(name: str, theorems: list[Theorem]) -> Verdict:
    stated = next(theorem for theorem in theorems if theorem.name == name)
    return prove(stated, Allocator, small_state, ALONE).verdict


@needs_source
@pytest.mark.parametrize("what", WRONG)
def test_a_source_that_goes_wrong_on_the_way_is_refuted(what: str) -> None:
    wrong = Shipped(address=changed_module("address", *WRONG[what]))
    name = "the_address_allocator_does_update_many_as_the_model"
    assert proved_of(name, refinement_theorems(wrong)) is Verdict.REFUTED


@needs_source
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("while self._added:", "if self._added:"),
        ("while self._removed:", "while False:"),
        ("                self._index.add(start, end)\n", "                pass\n"),
        ("                self._index.remove(start, end)\n", "                pass\n"),
    ],
)
def test_a_log_that_forgets_is_refuted(before: str, after: str) -> None:
    (stated,) = undo_theorems(changed_module("undo", before, after))
    assert prove(stated, Allocator, small_state, ALONE).verdict is Verdict.REFUTED


def test_what_does_not_hold_after_every_item_is_not_proved() -> None:
    def nothing_is_ever_live(case: AllocatorCase) -> None:
        """False, and true at the start of some walks."""
        before = case.state()
        new = any_ranges(case, before, "new")
        case.assume(before.live.lowest(lambda _: True) is None)

        def keeps(_: Ranges, state: Allocator) -> bool:
            return state.live.lowest(lambda _: True) is None

        with any_walks(case, keeps):
            after = before.update_many((), new, 1, Range(before.base, before.last)).after
        case.claim(after.live.lowest(lambda _: True) is None)

    stated = Theorem("nothing_is_ever_live", "False.", __name__, partial(nothing_is_ever_live))
    assert prove(stated, Allocator, small_state, ALONE).verdict is Verdict.REFUTED


def test_a_list_of_any_length_is_never_listed() -> None:
    def lists(case: AllocatorCase) -> None:
        for _ in any_ranges(case, case.state(), "any"):
            case.claim(True)  # noqa: FBT003  # not reached

    stated = Theorem("lists", "Lists what has no end.", __name__, lists)
    proof = prove(stated, Allocator, small_state, ALONE)
    assert proof.verdict is Verdict.UNKNOWN
    assert str(UnsupportedError("a list of any length cannot be listed")) in proof.reason
