"""`spec/model.py` is a model like any other: it is explored as it stands."""

from __future__ import annotations

from pathlib import Path

from tests.explore.support import explored
from vm_allocator.explore.load import load_source
from vm_allocator.proving.verdict import Verdict

ADDRESSES = """
from dataclasses import dataclass
from typing import Self

from spec.model import U64_MAX, Allocator
from vm_allocator import modelling as vm


@dataclass(frozen=True)
class Addresses(Allocator):
    @classmethod
    def initial(cls, base: vm.U64, last: vm.U64) -> Self:
        return super().initial(U64_MAX, base, last)
"""

RUNS = ("allocate_many_first", "allocate_many_last")
"""How often an action is repeated is no number that can be followed; `spec/proofs/many.py` is."""


def test_the_specification_is_explored_as_it_stands() -> None:
    subject = load_source(Path("addresses.py"), ADDRESSES).without(RUNS)
    found = explored(subject, depth=2, suggest=False)
    assert found.verdict is Verdict.PROVED
    assert found.proof is not None
    assert {rule.name for rule in subject.rules} == {"space", "bounds", "no_overlap", "alignment"}
    assert found.exit_code == 0  # every action was seen to happen, too
