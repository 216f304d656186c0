"""A solver for which the leaves (`is_aligned`, `align_up`, ...) are what their code computes.

To z3 a leaf is an uninterpreted function. Where its answer gives a leaf another value than
its code does, that is said: for the alignment in question, as linear arithmetic. It then
answers again. So `unsat` is true whatever was said, and `sat` comes with values that are real.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vm_allocator.modelling.arithmetic import align_down, align_up, is_aligned, is_power_of_two
from vm_allocator.proving.lemmas import Applications, lemma_instances
from vm_allocator.symbolic import smt
from vm_allocator.symbolic.values import ALIGNED, DOWN, POWER_OF_TWO, UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vm_allocator.symbolic.smt import Answer, BoolTerm, IntTerm, Valuation

LIMIT: Final = 4_000_000_000
"""z3's work per question: time is what a user limits."""

POWERS: Final = 128
"""Powers of two that are named one by one; other numbers are told one value at a time."""

ROUNDS: Final = 400


class Clock:
    """How long an exploration may still take."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; not below 0."""
        return max(0.0, self._until - time.monotonic())

    def part(self, share: float) -> Clock:
        """Return a clock that has this share of the time that is left."""
        return Clock(self.left * share)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left <= 0


class ExactSolver:
    """Satisfiability of formulas with leaves in them."""

    def __init__(self, clock: Clock, *, seed: int = 0) -> None:
        self._clock = clock
        self._solver = smt.Solver([], limit=LIMIT, seed=seed)
        self._known: list[BoolTerm] = []
        self._said: set[int] = set()
        self.facts: list[BoolTerm] = []
        """What was said of leaves: true of their code, whatever the formulas."""

    def add(self, *formulas: BoolTerm) -> None:
        """Keep these from now on."""
        self._known += formulas
        self._solver.add(*formulas)

    def check(
        self,
        *extra: BoolTerm,
        is_real: Callable[[Valuation], bool] = lambda _values: False,
        share: float = 1.0,
    ) -> Answer:
        """Whether all formulas, and the extra ones, can be true together.

        `unknown` once the time is over; or such a share of it, for what is less important.

        `is_real` may look at values and see, by executing them, that they are a solution: many
        leaves are in parts of the formulas that make no difference.
        """
        found = Applications([*self._known, *extra])
        if found.ups or found.downs:
            self._say(lemma_instances([*self._known, *extra]))
        clock = self._clock.part(share)
        for _ in range(ROUNDS):
            if clock.is_over:
                return "unknown"
            self._solver.allow(max(1, int(clock.left * 1000)))
            answer = self._solver.check(*extra)
            if answer != "sat":
                return answer
            facts = list(self._wrong(found, self._solver.valuation))
            if not facts or is_real(self._solver.valuation):
                return "sat"
            self._say(facts)
        return "unknown"

    def _say(self, facts: Sequence[BoolTerm]) -> None:
        """Add facts about leaves; each is kept, and with it its id."""
        new = [fact for fact in facts if fact.get_id() not in self._said]
        self._said.update(fact.get_id() for fact in new)
        self.facts += new
        self._solver.add(*new)

    @property
    def valuation(self) -> Valuation:
        """The values behind the last `sat`."""
        return self._solver.valuation

    def _wrong(self, found: Applications, valuation: Valuation) -> Iterator[BoolTerm]:
        for number in found.powers.values():
            value = valuation.integer(number)
            if valuation.holds(POWER_OF_TWO(number)) != is_power_of_two(value):
                yield _power(number)
                yield _power_at(number, value)
        for (address, align), leaf in _leaves(found):
            at, by = valuation.integer(address), valuation.integer(align)
            if leaf == "aligned":
                right = valuation.holds(ALIGNED(address, align)) == is_aligned(at, by)
            elif leaf == "up":
                right = valuation.integer(UP(address, align)) == align_up(at, by)
            else:
                right = valuation.integer(DOWN(address, align)) == align_down(at, by)
            if not right:
                yield _fact(leaf, address, align, at, by)


def _leaves(found: Applications) -> Iterator[tuple[tuple[IntTerm, IntTerm], str]]:
    for table, leaf in ((found.tests, "aligned"), (found.ups, "up"), (found.downs, "down")):
        for application in table.values():
            yield application, leaf


def _power(number: IntTerm) -> BoolTerm:
    """Say of numbers below the greatest of `POWERS` which ones are powers of two."""
    powers = smt.disj(*(smt.equal(number, smt.literal(2**k)) for k in range(POWERS)))
    return smt.implies(
        number <= smt.literal(2 ** (POWERS - 1)), smt.equal(POWER_OF_TWO(number), powers)
    )


def _power_at(number: IntTerm, value: int) -> BoolTerm:
    is_one = POWER_OF_TWO(number) if is_power_of_two(value) else smt.neg(POWER_OF_TWO(number))
    return smt.implies(smt.equal(number, smt.literal(value)), is_one)


def _fact(leaf: str, address: IntTerm, align: IntTerm, at: int, by: int) -> BoolTerm:
    """Say what a leaf is for this alignment; for this very address, if it is no power of two."""
    here = smt.equal(align, smt.literal(by))
    if not is_power_of_two(by):
        here = smt.conj(here, smt.equal(address, smt.literal(at)))
        if leaf == "aligned":
            holds = ALIGNED(address, align)
            return smt.implies(here, holds if is_aligned(at, by) else smt.neg(holds))
        function, code = (UP, align_up) if leaf == "up" else (DOWN, align_down)
        return smt.implies(here, smt.equal(function(address, align), smt.literal(code(at, by))))
    rest = smt.remainder(address, by)
    if leaf == "aligned":
        value = smt.equal(ALIGNED(address, align), smt.equal(rest, smt.literal(0)))
    elif leaf == "down":
        value = smt.equal(DOWN(address, align), address - rest)
    else:
        up = address + smt.remainder(smt.literal(0) - address, by)
        value = smt.equal(UP(address, align), up)
    return smt.implies(here, value)
