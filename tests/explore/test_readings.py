"""One model, three readings: on slots a step comes to what it comes to on plain values.

Random walks on plain values, every word of the language among them. Each step is done again
on slots that hold the same state, as terms: exactly one ending is then true, and it is that
of the plain step. What is proved for any number is held to the same walks.
"""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.explore.support import EXAMPLES, model
from vm_allocator.explore.exact import Clock, ExactSolver
from vm_allocator.explore.load import load
from vm_allocator.explore.slots import slots_of
from vm_allocator.explore.states import merged_parts, parts_of, plain_state
from vm_allocator.explore.steps import Arguments, holds_in, steps
from vm_allocator.explore.subject import Shape
from vm_allocator.explore.trace import Call, broken_in, execute
from vm_allocator.explore.walks import any_value, walked_states
from vm_allocator.symbolic import smt

if TYPE_CHECKING:
    from vm_allocator.explore.states import Parts
    from vm_allocator.explore.subject import Operation, Subject
    from vm_allocator.modelling import Model

EVERY_WORD = """
class Colour(Enum):
    RED = "r"
    GREEN = "g"
    BLUE = "b"


class Item(NamedTuple):
    size: int
    colour: Colour
    owner: int | None
    held: bool


@dataclass(frozen=True)
class EveryWord(vm.Model):
    ranges: vm.RangeSet
    items: vm.Table[int, Item]
    pairs: vm.SetOf[tuple_of]
    last: int | None
    colour: Colour

    @classmethod
    def initial(cls):
        return cls(vm.FiniteRanges(), vm.FiniteTable(), vm.FiniteSet(), None, Colour.RED)

    @vm.invariant
    def apart(self):
        return self.ranges.all_pairs(lambda a, b: a == b or a.end < b.start or b.end < a.start)

    @vm.invariant
    def sizes(self):
        return self.items.all(lambda key, item: item.size >= 0 or item.colour is Colour.BLUE)

    @vm.invariant
    def few(self):
        return self.items.count() <= 3 and self.items.total(lambda key, item: item.size) < 40

    @vm.action
    def add(self, start: int, size: vm.U8):
        new = vm.Range(start, start + size)
        met = self.ranges.any(lambda r: r.start <= new.end and new.start <= r.end)
        vm.require(not met, "meets")
        vm.require(self.ranges.count() < 4, "many")
        return replace(self, ranges=self.ranges.with_range(new), last=start)

    @vm.action
    def fit(self, size: vm.U8):
        space = vm.Range(0, 30)
        gap = vm.demand(self.ranges.gaps(space).lowest(lambda g: g.size >= size), "no-gap")
        start = vm.align_up(gap.start, 4)
        vm.require(start + size <= gap.end + 1 and size > 0, "crooked")
        return replace(self, ranges=self.ranges.with_range(vm.Range(start, start + size - 1)))

    @vm.action
    def shrink(self):
        top = vm.demand(self.ranges.highest(lambda r: r.start < r.end), "none")
        less = self.ranges.without(top).with_range(vm.Range(top.start, top.end - 1))
        colour = Colour.GREEN if top.start in (0, 1) else self.colour
        return replace(self, ranges=less, colour=colour)

    @vm.action
    def put(self, key: int, item: Item):
        vm.require(vm.is_power_of_two(item.size), "size")
        old = self.items.get(key)
        if old is not None and old.held:
            vm.require(item.owner == old.owner, "owner")
        vm.require(self.items.total(lambda k, i: i.size) + item.size < 40, "heavy")
        vm.require(key in self.items or self.items.count() < 3, "many")
        return replace(self, items=self.items.put(key, item))

    @vm.action
    def paint(self, colour: Colour, owner: int | None):
        kept = self.items.where(lambda key, item: item.colour is not colour or item.owner != owner)
        vm.require(kept.count() < self.items.count(), "nothing")
        return replace(self, items=kept, colour=colour, last=owner)

    @vm.action
    def pair(self, one: int, two: int):
        vm.require(one in self.items, "unknown")
        vm.require(self.pairs.all_with(self.ranges, lambda p, r: p[0] != r.start), "taken")
        return replace(self, pairs=self.pairs.with_member(tuple_of(one, two)))

    @vm.action
    def unpair(self, below: int):
        found = vm.demand(self.pairs.first(lambda p: p.one < below), "none")
        small = vm.smaller(found.one, found.two)
        vm.require(tuple_of(small, found.two) in self.pairs or found.two > 2, "order")
        return replace(self, pairs=self.pairs.without(found), items=self.items.drop(found.one))
"""


def every_word() -> Subject:
    head = "class tuple_of(NamedTuple):\n    one: int\n    two: int\n\n\n"
    return model(head + EVERY_WORD)


def subjects() -> dict[str, Subject]:
    names = ("bridge_windows", "gsi_routing", "two_phase_moves")
    found = {name: load(str(EXAMPLES / f"{name}.py")) for name in names}
    return {"every word": every_word(), **found}


SUBJECTS = subjects()

SMALL = 220
"""Characters of a state that is small: more entries take long, and show no more."""


@pytest.mark.parametrize("name", SUBJECTS)
def test_slots_do_what_plain_values_do(name: str) -> None:
    subject, random = SUBJECTS[name], Random(7)  # noqa: S311  # reproducible, no secret
    states = walked_states(subject, seed=1)
    seen: set[tuple[str, str | None]] = set()
    small = [state for state in states if len(repr(state)) < SMALL]
    largest = sorted(small, key=lambda state: len(repr(state)))[len(small) // 2 :]
    for state in random.sample(largest, 2):
        for action in subject.actions:
            for arguments in _some_arguments(subject, state, action, random):
                seen.add((action.name, _same_step(subject, state, action, arguments)))
    assert {action for action, _ in seen} == {action.name for action in subject.actions}
    assert any(refusal is None for _, refusal in seen)
    assert any(refusal is not None for _, refusal in seen)


def _some_arguments(
    subject: Subject, state: Model, action: Operation, random: Random
) -> list[dict[str, Any]]:
    """Return any arguments, and ones that are granted, if some are found."""
    tried = [
        {
            parameter: any_value(kind, random, [0, 1, 2, 3, 4, 5, 8, 16, 33])
            for parameter, kind in action.parameters.items()
        }
        for _ in range(100)
    ]
    granted = (
        arguments
        for arguments in tried
        if execute(subject, [Call(action.name, arguments)], state).steps[0].refusal is None
    )
    return [tried[0], *islice(granted, 1)]


def _same_step(
    subject: Subject, state: Model, action: Operation, arguments: dict[str, Any]
) -> str | None:
    plain = execute(subject, [Call(action.name, arguments)], state).steps[0]
    before = parts_of(subject, state, slots_of, action)
    given = Arguments(action, "given")
    solver = ExactSolver(Clock(300))
    for parameter, terms in given.terms.items():
        values = action.parameters[parameter].terms(arguments[parameter])
        solver.add(*map(smt.equal, terms, values))
    taken = []
    for ending in steps(subject, before, given):
        if solver.check(ending.when) == "sat":
            taken.append(ending)
            if ending.after is not None:
                assert solver.check(ending.when) == "sat"
                after = plain_state(subject, ending.after, solver.valuation)
                assert after == plain.after
                _same_truths(subject, ending.after, plain.after, solver)
    assert len(taken) == 1
    assert (None if taken[0].site is None else taken[0].site.refusal) == plain.refusal
    return plain.refusal


def _same_truths(subject: Subject, parts: Parts, state: Model, solver: ExactSolver) -> None:
    broken = {rule.name for rule in broken_in(subject, state)}
    for rule in subject.rules:
        formula = holds_in(subject, rule, parts)
        wrong = formula if rule.name in broken else smt.neg(formula)
        assert solver.check(wrong) == "unsat", (rule.name, state)


def test_of_merged_states_the_first_true_one_counts() -> None:
    subject = every_word()
    one, two = walked_states(subject, seed=3)[5], walked_states(subject, seed=3)[40]
    parts = [parts_of(subject, state, slots_of, subject.initial) for state in (one, two)]
    which = smt.truth("which")
    merged = merged_parts(subject, [(which, parts[0]), (smt.TRUE, parts[1])])
    for expected, said in ((one, which), (two, smt.neg(which))):
        solver = ExactSolver(Clock(300))
        assert solver.check(said) == "sat"
        assert plain_state(subject, merged, solver.valuation) == expected


def test_a_key_has_one_row() -> None:
    """What is put takes the place of what was there; told by keys that are equal, or are not."""
    subject = SUBJECTS["bridge_windows"]
    shape = subject.parts["windows"]
    assert isinstance(shape, Shape)
    one, other = smt.integer("one"), smt.integer("other")
    row = tuple(smt.literal(n) for n in (0, 1, 2))
    store = slots_of(shape, [((one,), row)]).put((other,), (*row[:2], smt.literal(3)))
    solver = ExactSolver(Clock(300))
    same = smt.equal(one, other)
    for said, count, last in ((same, 1, 3), (smt.neg(same), 2, 2)):
        right = smt.conj(
            smt.equal(store.count(), smt.literal(count)),
            smt.equal(store.at((one,))[2], smt.literal(last)),
        )
        assert solver.check(said, smt.neg(right)) == "unsat"
        assert solver.check(said, right) == "sat"
