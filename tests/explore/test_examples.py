"""Every example is proved for any number; every broken sibling has its shortest trace."""

from __future__ import annotations

import ast
from typing import NamedTuple

import pytest

from tests.explore.support import EXAMPLES, explored
from vm_allocator.explore.exact import Clock
from vm_allocator.explore.exploring import Options
from vm_allocator.explore.induction import induction
from vm_allocator.explore.load import load, load_tree
from vm_allocator.explore.mutants import Need, guards_of, mutants
from vm_allocator.explore.search import Hunt, breaks_a_rule
from vm_allocator.explore.trace import Call, broken_in, execute
from vm_allocator.explore.words import call_said
from vm_allocator.proving.verdict import Verdict

SOUND = sorted(file.stem for file in EXAMPLES.glob("*.py") if not file.stem.endswith("_broken"))


class Broken(NamedTuple):
    rule: str
    calls: list[str]


BROKEN = {
    "msi_blocks": Broken(
        "no_overlap",
        ["initial()", "allocate(start=0x21, count=1)", "allocate(start=0x20, count=2)"],
    ),
    "bridge_windows": Broken(
        "nested",
        [
            "initial(last=1)",
            "open(bridge=1, parent=0, first=0, last=0)",
            "open(bridge=2, parent=1, first=0, last=0)",
            "resize(bridge=1, first=1, last=1)",
        ],
    ),
    "pci_functions": Broken(
        "found",
        [
            "initial()",
            "plug(place=Place(bus=0, device=0, function=0), multi=True)",
            "plug(place=Place(bus=0, device=0, function=1), multi=False)",
            "unplug(place=Place(bus=0, device=0, function=0))",
        ],
    ),
    "memory_slots": Broken(
        "only_logged_pages",
        [
            "initial()",
            "create(number=0, first=0, last=0, logged=True)",
            "write(number=0, pages=1)",
            "set_log(number=0, logged=False)",
        ],
    ),
    "two_phase_moves": Broken(
        "movers_are_live",
        [
            "initial(last=0)",
            "allocate(start=0, end=0)",
            "begin(old=0-0, new=0-0)",
            "free(start=0, end=0)",
        ],
    ),
    "gsi_routing": Broken(
        "messages_are_private",
        [
            "initial()",
            "route(gsi=0, target=LINE)",
            "attach(device=0, gsi=0)",
            "attach(device=1, gsi=0)",
            "route(gsi=0, target=MESSAGE)",
        ],
    ),
    "hot_plug_slot": Broken(
        "driver_has_a_card", ["initial()", "insert()", "accept()", "press()", "press()"]
    ),
}


def test_every_example_has_a_broken_sibling() -> None:
    assert sorted(BROKEN) == SOUND
    assert all((EXAMPLES / f"{name}_broken.py").exists() for name in SOUND)


def test_the_example_of_msi_blocks_is_short() -> None:
    assert len((EXAMPLES / "msi_blocks.py").read_text().splitlines()) <= 40


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_example_is_proved_for_any_number_and_confirmed(name: str) -> None:
    found = explored(load(str(EXAMPLES / f"{name}.py")), guards=True)
    assert found.verdict is Verdict.PROVED
    assert found.proof is not None
    assert found.proof.length == 1
    assert len(found.proof.opinions) == found.proof.obligations
    assert set(found.proof.opinions) == {"unsat"}
    assert found.exit_code == 0
    assert found.endings is not None
    assert found.endings.unseen == []  # every action happens, and every guard refuses


@pytest.mark.parametrize("name", SOUND)
def test_a_broken_sibling_has_this_shortest_trace(name: str) -> None:
    found = explored(load(str(EXAMPLES / f"{name}_broken.py")))
    expected = BROKEN[name]
    assert found.verdict is Verdict.REFUTED
    assert found.exit_code == 1
    trace = found.search.trace
    assert trace is not None
    assert [call_said(step.call) for step in trace.steps] == expected.calls
    assert [rule.name for rule in trace.broken()] == [expected.rule]
    # All that is shorter was searched, and certainly has none.
    assert found.search.exhausted == trace.depth - 1
    assert [depth.answer for depth in found.search.depths] == ["unsat"] * trace.depth + ["sat"]
    # It is what happens when it is executed; only its last step breaks anything.
    again = execute(found.subject, [step.call for step in trace.steps])
    assert again.states == trace.states
    assert all(step.refusal is None for step in again.steps)
    assert not any(broken_in(found.subject, state) for state in again.states[:-1])


def test_no_shorter_trace_exists_among_all_that_there_are() -> None:
    """Without a solver: every run of one action is executed."""
    subject = load(str(EXAMPLES / "msi_blocks_broken.py"))
    begin = Call("initial", {})
    for start in range(32, 256):
        for count in range(1, 33):
            allocate = Call("allocate", {"start": start, "count": count})
            assert not execute(subject, [begin, allocate]).broken()


@pytest.mark.parametrize("name", ["msi_blocks", "pci_functions"])
def test_without_a_guard_that_is_needed_a_trace_breaks_an_invariant(name: str) -> None:
    found = mutants(load(str(EXAMPLES / f"{name}.py")), Options(max_time=300))
    assert {one.verdict for one in found.results} == {Need.NEEDED, Need.IDLE}
    for one in found.results:
        assert (one.trace is not None) == (one.verdict is Need.NEEDED)


@pytest.mark.parametrize("name", ["msi_blocks", "pci_functions"])
def test_what_a_trace_breaks_is_never_proved(name: str) -> None:
    """Each guard left out, each part of one: induction and search do not contradict each other."""
    subject = load(str(EXAMPLES / f"{name}.py"))
    broken = 0
    for guard in guards_of(subject.lines.source):
        bent = load_tree(subject.lines.file, subject.lines.source, guard.without, subject.name)
        trace = Hunt(bent, breaks_a_rule(bent), Clock(300)).to(3).trace
        if trace is not None:
            broken += 1
            assert not induction(bent, Clock(300), second_opinion=False).is_proved, guard.text
    assert broken > 1


def test_examples_say_what_they_are_about() -> None:
    for file in EXAMPLES.glob("*.py"):
        assert ast.get_docstring(ast.parse(file.read_text())), file
