"""Faults in the proof engine, each made by one patch. `harness_faults` says what catches them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import spec.model
from vm_allocator.modelling import Refused
from vm_allocator.proving import counterexample, lemmas, mutation, prover, symbolic_case
from vm_allocator.proving.concrete_case import SampledCase
from vm_allocator.proving.symbolic_case import SymbolicCase, SymbolicMap, SymbolicRanges
from vm_allocator.proving.world import World
from vm_allocator.symbolic import Explorer, PathCut, SymBool, smt, values

if TYPE_CHECKING:
    from pytest import MonkeyPatch  # noqa: PT013  # for signatures

    from vm_allocator.modelling import Range
    from vm_allocator.symbolic.smt import BoolTerm, IntTerm


def forget_false_branches(patch: MonkeyPatch) -> None:
    decide = Explorer._next_decision

    def forgetful(self: Explorer, *formula: BoolTerm) -> bool:
        pending = list(self._pending)
        decision = decide(self, *formula)
        self._pending[:] = pending
        return decision

    patch.setattr(Explorer, "_next_decision", forgetful)


def forget_false_truths(patch: MonkeyPatch) -> None:
    def decide(self: Explorer, formula: BoolTerm) -> bool:
        if smt.is_false(formula):
            return False
        self.assume(formula)
        return True

    patch.setattr(Explorer, "decide", decide)


def decide_without_noting(patch: MonkeyPatch) -> None:
    patch.setattr(Explorer, "assume", lambda _self, _formula: None)


def choose_true_only(patch: MonkeyPatch) -> None:
    patch.setattr(Explorer, "choose", lambda _self: True)


def first_option_only(patch: MonkeyPatch) -> None:
    def one_of(self: SymbolicCase[Any], name: str, options: Any) -> Any:
        self.choices[name] = options[0]
        return options[0]

    patch.setattr(SymbolicCase, "one_of", one_of)


def truths_compare_by_identity(patch: MonkeyPatch) -> None:
    patch.setattr(SymBool, "__eq__", object.__eq__)


def prune_everything(patch: MonkeyPatch) -> None:
    patch.setattr(prover.Pruner, "contradiction", lambda _self, formula: ([formula], False))


def claim_nothing(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicCase, "claim", lambda _self, _condition: None)


def claim_without_discharging(patch: MonkeyPatch) -> None:
    def claim(self: SymbolicCase[Any], condition: Any) -> None:
        self.claims += 1
        if not condition:
            raise PathCut

    patch.setattr(SymbolicCase, "claim", claim)


def assume_nothing(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicCase, "assume", lambda _self, _condition: None)


def assume_no_invariant(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicCase, "_assume_of", lambda _self, _state, _predicate: None)


def know_a_contradiction(patch: MonkeyPatch) -> None:
    facts = World.facts

    def contradictory(self: World) -> Any:
        known, mentions = facts(self)
        return [*known, smt.FALSE], mentions

    patch.setattr(World, "facts", contradictory)


def assume_that_nothing_is_live(patch: MonkeyPatch) -> None:
    state = SymbolicCase.state

    def empty(self: SymbolicCase[Any], name: str = "before") -> Any:
        found = state(self, name)
        self.assume(found.live.lowest(lambda _: True) is None)
        return found

    patch.setattr(SymbolicCase, "state", empty)


def assume_a_space_from_zero(patch: MonkeyPatch) -> None:
    state = SymbolicCase.state

    def from_zero(self: SymbolicCase[Any], name: str = "before") -> Any:
        found = state(self, name)
        self.assume(found.base == 0)
        return found

    patch.setattr(SymbolicCase, "state", from_zero)


def take_nothing_away(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicRanges, "without", lambda self, _member: self)


def add_nothing(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicRanges, "with_range", lambda self, _member: self)


def everything_is_a_member(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicRanges, "__contains__", lambda _self, _member: True)


def all_is_always_true(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicRanges, "all", lambda _self, _holds: True)


def pairs_are_always_apart(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicRanges, "all_pairs", lambda _self, _holds: True)


def sets_are_always_the_same(patch: MonkeyPatch) -> None:
    patch.setattr(SymbolicRanges, "same_as", lambda _self, _other: True)


def lowest_is_any(patch: MonkeyPatch) -> None:
    def lowest(self: SymbolicRanges, where: Any) -> Range | None:
        return self._extreme(where, lambda _found, _other: True)

    patch.setattr(SymbolicRanges, "lowest", lowest)


def lowest_is_always_there(patch: MonkeyPatch) -> None:
    def lowest(self: SymbolicRanges, where: Any) -> Range | None:
        found = self._witness("found")
        if not where(found):
            raise PathCut
        return found

    patch.setattr(SymbolicRanges, "lowest", lowest)


def witness_of_nothing(patch: MonkeyPatch) -> None:
    def stray(self: SymbolicRanges, name: str) -> Range:
        return symbolic_case._range(*self.world.fresh_range(self.family, name))

    patch.setattr(SymbolicRanges, "_witness", stray)


def gaps_may_touch(patch: MonkeyPatch) -> None:
    patch.setattr(symbolic_case, "_before", lambda one, other: one[1] < other[0])


def gaps_are_two_apart(patch: MonkeyPatch) -> None:
    patch.setattr(symbolic_case, "_before", lambda one, other: one[1] + 2 < other[0])


def cover_stops_one_short(patch: MonkeyPatch) -> None:
    def within(address: IntTerm, pair: tuple[IntTerm, IntTerm]) -> BoolTerm:
        return smt.conj(pair[0] <= address, address < pair[1])

    patch.setattr(symbolic_case, "_within", within)


def cover_nothing(patch: MonkeyPatch) -> None:
    patch.setattr(World, "cover", lambda _self, _instance: None)


def maps_change_everywhere(patch: MonkeyPatch) -> None:
    def put(_self: SymbolicMap, _key: int, value: int) -> SymbolicMap:
        return SymbolicMap(lambda _at: values.lift(value))

    patch.setattr(SymbolicMap, "put", put)


def refusals_cut_the_path(patch: MonkeyPatch) -> None:
    def require(condition: Any, refusal: str) -> None:
        if not condition:
            raise PathCut if Explorer._active else Refused(refusal)

    patch.setattr(spec.model, "require", require)


def find_no_witness(patch: MonkeyPatch) -> None:
    patch.setattr(counterexample, "SAMPLES", 0)


def lemmas_without_a_domain(patch: MonkeyPatch) -> None:
    patch.setattr(lemmas, "_in_domain", lambda _address, _align: smt.TRUE)


def aligning_up_always_moves(patch: MonkeyPatch) -> None:
    of_up = lemmas._of_up

    def strict(address: IntTerm, align: IntTerm, aligned: Any) -> Any:
        yield from of_up(address, align, aligned)
        yield smt.implies(lemmas._in_domain(address, align), address < values.UP(address, align))

    patch.setattr(lemmas, "_of_up", strict)


def no_lemmas(patch: MonkeyPatch) -> None:
    patch.setattr(prover, "lemma_instances", lambda _formulas: [])


def z3_always_agrees(patch: MonkeyPatch) -> None:
    patch.setattr(smt.Solver, "check", lambda _self, *_extra: "unsat")


def cvc5_always_disagrees(patch: MonkeyPatch) -> None:
    patch.setattr(prover, "ask", lambda *_: "sat")


def show_what_was_not_executed(patch: MonkeyPatch) -> None:
    patch.setattr(counterexample, "breaks", lambda _theorem, _case: True)


def mutate_nothing(patch: MonkeyPatch) -> None:
    patch.setattr(mutation, "mutated_source", lambda module, _: inspect.getsource(module))


def sample_nothing_relevant(patch: MonkeyPatch) -> None:
    def number(self: SampledCase[Any], name: str, like: Any = ()) -> int:  # noqa: ARG001  # unused
        return self.values.numbers.setdefault(name, -(2**80))

    patch.setattr(SampledCase, "number", number)
