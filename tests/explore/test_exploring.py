"""What `explore` finds and says: induction, what is missing, witnesses, what never happens."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from junitparser import Error, JUnitXml

from tests.explore.support import EXAMPLES, HEAD, data, explored, model, run
from vm_allocator.explore.exact import Clock
from vm_allocator.explore.induction import induction
from vm_allocator.explore.itf import itf, plain, read, value_of
from vm_allocator.explore.load import load
from vm_allocator.explore.strengthening import suggest
from vm_allocator.explore.trace import broken_in
from vm_allocator.explore.words import ending_said
from vm_allocator.proving.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from vm_allocator.explore.subject import Subject

TICKETS = """
@dataclass(frozen=True)
class Tickets(vm.Model):
    next: int
    given: vm.SetOf[Ticket]

    @classmethod
    def initial(cls):
        return cls(0, vm.FiniteSet())

    @vm.invariant
    def told_apart(self) -> bool:
        "No number is given to two owners."
        return self.given.all_pairs(lambda a, b: a == b or a.number != b.number)

    @vm.action
    def give(self, owner: int):
        given = self.given.with_member(Ticket(self.next, owner))
        return replace(self, next=self.next + 1, given=given)

    @vm.action
    def burn(self, number: int, owner: int):
        vm.require(Ticket(number, owner) in self.given, "not-given")
        return replace(self, given=self.given.without(Ticket(number, owner)))
"""

TICKET = "class Ticket(NamedTuple):\n    number: int\n    owner: int\n\n"

LIGHTS = """
@dataclass(frozen=True)
class Lights(vm.Model):
    now: vm.U8

    @classmethod
    def initial(cls):
        return cls(0)

    @vm.invariant
    def never_seven(self) -> bool:
        return self.now != 7

    @vm.action
    def on(self):
        vm.require(self.now != 4, "last")
        return replace(self, now=self.now + 1 if self.now < 5 else {jump})
"""


def tickets() -> Subject:
    return model(TICKET + TICKETS)


def test_a_counterexample_to_induction_is_told_apart_from_a_trace() -> None:
    found = explored(tickets(), depth=4, suggest=False)
    assert found.verdict is Verdict.UNKNOWN
    assert found.exit_code == 2
    assert found.search.trace is None
    assert found.search.exhausted == 4
    assert found.bounded is not None
    trace = found.bounded.trace
    assert trace is not None
    assert trace.start is not None
    assert not trace.is_reachable
    # It was executed: from a state that keeps every invariant, to one that does not.
    assert broken_in(found.subject, trace.start) == []
    assert [rule.name for rule in trace.broken()] == ["told_apart"]
    # As few entries as it takes: one that was given already.
    assert len(getattr(trace.start, "given")) == 1  # noqa: B009  # of a model made at run time


def test_what_is_missing_is_suggested_and_then_proved() -> None:
    subject = tickets()
    found = explored(subject, depth=4)
    assert found.suggestion is not None
    assert found.suggestion.is_proved
    texts = [rule.name for rule in found.suggestion.rules]
    assert texts != []
    # What is suggested can be pasted: then there is nothing left to suggest.
    lines = "".join(
        f"    @vm.invariant\n    def missing_{n}(self) -> bool:\n        return {text}\n\n"
        for n, text in enumerate(texts)
    )
    repaired = model(
        TICKET
        + TICKETS.replace("    @vm.action\n    def give", f"{lines}    @vm.action\n    def give")
    )
    assert explored(repaired).exit_code == 0


def test_nothing_is_suggested_where_nothing_helps() -> None:
    assert suggest(load(str(EXAMPLES / "pci_functions_broken.py")), Clock(300)) is None


@pytest.mark.parametrize("name", sorted(file.stem for file in EXAMPLES.glob("*_broken.py")))
def test_what_is_broken_is_not_proved(name: str) -> None:
    """The induction alone, without the search that finds the trace."""
    subject = load(str(EXAMPLES / f"{name}.py"))
    found = induction(subject, Clock(300), second_opinion=False)
    assert not found.is_proved
    assert found.lost != []


def test_two_states_in_a_row_prove_what_one_does_not() -> None:
    """6 leads to 7, and nothing leads to 6."""
    subject = model(LIGHTS.replace("{jump}", "0 if self.now != 6 else 7"))
    found = explored(subject, depth=6, entries=1, suggest=False)
    assert found.verdict is Verdict.PROVED
    assert found.proof is not None
    assert found.proof.length == 2


def test_a_depth_that_is_too_small_is_unknown_and_not_sound() -> None:
    subject = model(
        LIGHTS.replace("{jump}", "7").replace('vm.require(self.now != 4, "last")', "pass")
    )
    assert explored(subject, depth=4, suggest=False).verdict is Verdict.UNKNOWN
    found = explored(subject, depth=8)
    assert found.verdict is Verdict.REFUTED
    assert found.search.trace is not None
    assert found.search.trace.depth == 6


def test_an_invariant_that_claims_nothing_is_no_success() -> None:
    empty = LIGHTS.replace("vm.U8", "int").replace("return self.now != 7", "return True")
    found = explored(model(empty.replace("{jump}", "0")), depth=2)
    assert found.exit_code == 2
    assert "claim nothing" in found.reason


def test_the_readme_shows_what_is_said() -> None:
    readme = (EXAMPLES.parents[1] / "README.md").read_text()
    _, _, rest = readme.partition("vm-allocator explore examples/resource_types/msi_blocks.py")
    shown = rest.partition("```text\n")[2].partition("```")[0]
    said = run(str(EXAMPLES / "msi_blocks_broken.py")).stdout
    assert said.partition("msi_blocks.py:")[2].partition(": ")[2] == shown


def test_no_time_is_unknown() -> None:
    found = explored(tickets(), max_time=0.0)
    assert found.verdict is Verdict.UNKNOWN
    assert found.exit_code == 2
    assert "time" in found.reason


def test_a_proof_up_to_a_number_is_not_one_for_any_number(tmp_path: Path) -> None:
    """A sum over a set cannot be followed for any number; up to two entries it can."""
    text = (
        HEAD
        + TICKET
        + TICKETS.replace(
            "return self.given.all_pairs(lambda a, b: a == b or a.number != b.number)",
            "return self.given.total(lambda t: 0) == 0",
        )
    )
    (tmp_path / "model.py").write_text(text)
    for words, code in ((("--entries", "2"), 0), ((), 2)):
        done = run("model.py", "--depth", "3", *words, cwd=tmp_path)
        assert done.returncode == code
        assert "proved up to a number only" in done.stdout
        assert "for any number" not in done.stdout


def test_a_witness_is_the_shortest_run_to_a_state(tmp_path: Path) -> None:
    """Fragmented: 4 of 8 addresses are free, and no two of them side by side."""
    (tmp_path / "model.py").write_text(HEAD + FRAGMENTS)
    place = tmp_path / "trace.itf.json"
    done = run("model.py", "--witness", "fragmented", "--save", str(place), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("fragmented: reached in 3 actions, and in no fewer\n")
    states = read(json.loads(place.read_text())).states
    assert len(states) == 4
    assert states[-1]["action"] == "allocate"
    live = {n for one in states[-1]["live"] for n in range(one["start"], one["end"] + 1)}
    free = sorted(set(range(8)) - live)
    assert len(free) >= 4
    assert all(one + 1 < other for one, other in pairwise(free))
    none = run("model.py", "--witness", "live.count() == 3", "--depth", "2", cwd=tmp_path)
    assert none.returncode == 2
    assert none.stdout == "live.count() == 3: not reached in up to 2 actions\n"
    bad = run("model.py", "--witness", "live.count( == 3", cwd=tmp_path)
    assert bad.returncode == 2
    assert "no method of Fragments and no expression" in bad.stderr


FRAGMENTS = """
@dataclass(frozen=True)
class Fragments(vm.Model):
    live: vm.RangeSet

    @classmethod
    def initial(cls):
        return cls(vm.FiniteRanges())

    def fragmented(self) -> bool:
        gaps = self.live.gaps(vm.Range(0, 7))
        return gaps.total(lambda gap: gap.size) >= 4 and gaps.all(lambda gap: gap.size < 2)

    @vm.invariant
    def inside(self) -> bool:
        return self.live.all(lambda r: 0 <= r.start <= r.end <= 7)

    @vm.action
    def allocate(self, start: int, size: vm.U8):
        new = vm.Range(start, start + size - 1)
        vm.require(size > 0 and 0 <= new.start and new.end <= 7, "bounds")
        vm.require(self.live.all(lambda r: r.end < new.start or new.end < r.start), "overlap")
        vm.require(size < 300, "never refuses")
        return replace(self, live=self.live.with_range(new))
"""


def test_a_guard_that_never_refuses_is_proved_dead() -> None:
    found = explored(model(FRAGMENTS), guards=True, depth=3)
    assert found.exit_code == 0
    assert [ending_said(ending).partition(": ")[2] for ending in found.dead] == [
        "allocate is refused: never refuses"
    ]
    assert found.endings is not None
    assert set(found.endings.unseen) == found.dead
    for ending, trace in found.endings.seen.items():
        last = trace.steps[-1].refusal
        assert last == (None if isinstance(ending, str) else ending.refusal)


def test_an_action_that_is_left_out_is_said_to_be() -> None:
    done = run(str(EXAMPLES / "msi_blocks_broken.py"), "--without", "allocate", "--depth", "2")
    assert "without allocate" in done.stdout.splitlines()[0]
    assert done.returncode != 1
    assert "no action 'nix'" in run(str(EXAMPLES / "msi_blocks.py"), "--without", "nix").stderr


def test_the_json_says_what_the_report_says() -> None:
    found = data(str(EXAMPLES / "msi_blocks_broken.py"))
    assert (found["verdict"], found["exit_code"], found["broken"]) == ("refuted", 1, ["no_overlap"])
    assert found["proof"] is None
    assert found["searched"]["exhausted"] == 1
    assert [state["action"] for state in found["trace"]["states"]] == [
        "initial",
        "allocate",
        "allocate",
    ]
    sound = data(str(EXAMPLES / "msi_blocks.py"))
    assert sound["proof"]["scope"] == "any number of entries"
    assert sound["trace"] is None


def test_junit_has_a_case_for_each_invariant_and_action(tmp_path: Path) -> None:
    place = tmp_path / "out.xml"
    assert run(str(EXAMPLES / "msi_blocks_broken.py"), "--junit", str(place)).returncode == 1
    cases = {case.name: case.result for case in next(iter(JUnitXml.fromfile(str(place))))}
    assert list(cases) == ["no_overlap", "aligned", "allocate happens", "free happens"]
    assert "allocate(start=0x20, count=2)" in cases["no_overlap"][0].text
    assert isinstance(cases["aligned"][0], Error)
    assert run(str(EXAMPLES / "msi_blocks.py"), "--junit", str(place)).returncode == 0
    assert not any(case.result for case in next(iter(JUnitXml.fromfile(str(place)))))
    nowhere = run(str(EXAMPLES / "msi_blocks.py"), "--junit", str(tmp_path / "no" / "out.xml"))
    assert (nowhere.returncode, "name another place" in nowhere.stderr) == (2, True)


def test_the_same_seed_finds_the_same() -> None:
    words = (str(EXAMPLES / "gsi_routing_broken.py"), "--seed", "3")
    assert run(*words).stdout == run(*words).stdout


def test_a_trace_survives_itf() -> None:
    trace = explored(load(str(EXAMPLES / "gsi_routing_broken.py"))).search.trace
    assert trace is not None
    written = json.loads(json.dumps(itf(trace)))
    assert written["#meta"]["status"] == "violation"
    found = read(written)
    assert found.variables == ("routes", "uses", "action", "parameters", "outcome")
    assert found.states[-1]["routes"] == [(0, "MESSAGE")]
    assert found.states[-1]["uses"] == [{"gsi": 0, "device": 0}, {"gsi": 0, "device": 1}]
    assert found.states[-1]["parameters"] == {"gsi": 0, "target": "MESSAGE"}


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (True, True), (2**70, 2**70), ((), {})]
)
def test_values_survive_itf(value: Any, expected: Any) -> None:
    assert plain(json.loads(json.dumps(value_of(value)))) == expected


def test_a_trace_of_quint_is_read() -> None:
    """As Quint 0.22 writes it: a variable of its own, records, variants, tuples."""
    state = {
        "#meta": {"index": 0},
        "mbt::actionTaken": "init",
        "slot": {"tag": "Some", "value": {"#bigint": "3"}},
        "pair": {"#tup": [{"#bigint": "1"}, "x"]},
        "kind": {"tag": "Busy", "value": {"#bigint": "2"}},
    }
    found = read({"vars": ["mbt::actionTaken", "slot", "pair", "kind"], "states": [state]})
    assert found.states[0]["slot"] == 3
    assert found.states[0]["pair"] == (1, "x")
    assert found.states[0]["kind"] == ("Busy", 2)
    with pytest.raises(ValueError, match="no ITF trace"):
        read({"vars": []})
