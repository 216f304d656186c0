"""A fault in the proof engine does not go unnoticed: each one is caught by the gate it names."""

from __future__ import annotations

from typing import Final

import pytest

from spec.mutations import all_mutations
from spec.proofs import all_theorems
from vm_allocator.proving import counterexample
from vm_allocator.verify import Section, Summary, Task, work

from .harness_faults import FAULTS, Fault, Gate

SECTIONS: Final = {
    Gate.THEOREM: Section.THEOREM,
    Gate.MUTATION: Section.MUTATION,
    Gate.WITNESS: Section.WITNESS,
    Gate.FALSE: Section.FALSE,
    Gate.OUT_OF_REACH: Section.DOUBT,
}
ROWS_THAT_HOLD: Final = tuple(gate for gate in Gate if gate is not Gate.MUTATION)
"""That the bent models are refuted without a fault is what `test_mutations` shows."""


def notices(gate: Gate, row: str, patch: pytest.MonkeyPatch) -> bool:
    """Whether this row of `verify` does not hold."""
    if gate is Gate.MUTATION:
        # The theorem that the mutant must lose stands for all of them: it saves minutes.
        named = next(each.refuted_by for each in all_mutations() if each.name == row)
        stated = next(each for each in all_theorems() if each.name == named)
        patch.setattr(work, "all_theorems", lambda: [stated])
    made = work.work(Task(SECTIONS[gate], row), work.Settings())
    return Summary([made], 0.0, 0).exit_code != 0


@pytest.fixture(autouse=True)
def little_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few samples do: these tests are about what is proved."""
    monkeypatch.setattr(work, "SAMPLES", 300)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_in_the_engine_is_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    # A fault often makes a true theorem fail; how it then looks for values is not of interest.
    monkeypatch.setattr(counterexample, "SAMPLES", 200)
    fault.make(monkeypatch)
    assert notices(fault.gate, fault.row, monkeypatch)


@pytest.mark.parametrize(
    ("gate", "row"),
    dict.fromkeys((fault.gate, fault.row) for fault in FAULTS if fault.gate in ROWS_THAT_HOLD),
    ids=str,
)
def test_without_a_fault_every_gate_is_open(
    gate: Gate, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not notices(gate, row, monkeypatch)


def test_there_are_faults_for_every_gate_and_no_two_are_the_same() -> None:
    assert {fault.gate for fault in FAULTS} == set(Gate)
    assert len({fault.name for fault in FAULTS}) == len({fault.make for fault in FAULTS})
    assert len(FAULTS) >= 30
