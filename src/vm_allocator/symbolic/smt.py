"""The fence around z3-solver, which ships no types: the only module that imports it.

Terms are integers (mathematical, unbounded), booleans and bit-vectors. A trap that this
module exists for: on raw terms `bool(a == b)` compares their *syntax*. Code outside the
proof engine never sees a raw term; it sees `SymInt` and `SymBool`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import z3  # type: ignore[import-untyped]  # no stubs exist; what is used is typed below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    class Term:
        """A term of any sort."""

        def get_id(self) -> int: ...
        def children(self) -> list[Term]: ...
        def decl(self) -> Function: ...
        def arg(self, index: int) -> Any: ...

    class BoolTerm(Term):
        """A formula."""

    class IntTerm(Term):
        """A mathematical integer."""

        def __add__(self, other: IntTerm | int) -> IntTerm: ...
        def __sub__(self, other: IntTerm | int) -> IntTerm: ...
        def __neg__(self) -> IntTerm: ...
        def __lt__(self, other: IntTerm | int) -> BoolTerm: ...
        def __le__(self, other: IntTerm | int) -> BoolTerm: ...
        def __mod__(self, other: IntTerm) -> IntTerm: ...

    class BitsTerm(Term):
        """A bit-vector; `<` and `<=` are signed."""

        def __add__(self, other: BitsTerm) -> BitsTerm: ...
        def __sub__(self, other: BitsTerm) -> BitsTerm: ...
        def __and__(self, other: BitsTerm) -> BitsTerm: ...
        def __or__(self, other: BitsTerm) -> BitsTerm: ...
        def __rshift__(self, other: BitsTerm) -> BitsTerm: ...
        def __lshift__(self, other: BitsTerm) -> BitsTerm: ...
        def __neg__(self) -> BitsTerm: ...
        def __invert__(self) -> BitsTerm: ...
        def __lt__(self, other: BitsTerm | int) -> BoolTerm: ...
        def __le__(self, other: BitsTerm | int) -> BoolTerm: ...

    class Function:
        """An uninterpreted function."""

        def __call__(self, *arguments: IntTerm) -> Any: ...
        def name(self) -> str: ...
else:
    Term = z3.ExprRef
    BoolTerm = z3.BoolRef
    IntTerm = z3.ArithRef
    BitsTerm = z3.BitVecRef
    Function = z3.FuncDeclRef

Z3_VERSION: Final[str] = z3.get_version_string()

TRUE: Final[BoolTerm] = z3.BoolVal(True)  # noqa: FBT003  # the constant
FALSE: Final[BoolTerm] = z3.BoolVal(False)  # noqa: FBT003  # the constant


def integer(name: str) -> IntTerm:
    """Return the integer constant of this name."""
    return z3.Int(name)  # type: ignore[no-any-return]  # untyped library


def truth(name: str) -> BoolTerm:
    """Return the boolean constant of this name."""
    return z3.Bool(name)  # type: ignore[no-any-return]  # untyped library


def literal(value: int) -> IntTerm:
    """Return the integer of this value."""
    return z3.IntVal(value)  # type: ignore[no-any-return]  # untyped library


def relation(name: str, arity: int) -> Function:
    """Return the uninterpreted predicate of this name over integers."""
    return z3.Function(name, *[z3.IntSort()] * arity, z3.BoolSort())  # type: ignore[no-any-return]  # untyped


def function(name: str, arity: int) -> Function:
    """Return the uninterpreted function of this name from integers to an integer."""
    return z3.Function(name, *[z3.IntSort()] * (arity + 1))  # type: ignore[no-any-return]  # untyped


def bits(name: str, width: int) -> BitsTerm:
    """Return the bit-vector constant of this name."""
    return z3.BitVec(name, width)  # type: ignore[no-any-return]  # untyped library


def bits_literal(value: int, width: int) -> BitsTerm:
    """Return the bit-vector of this value."""
    return z3.BitVecVal(value, width)  # type: ignore[no-any-return]  # untyped library


def conj(*formulas: BoolTerm) -> BoolTerm:
    """And. Never of a single argument, which some solvers do not read."""
    if len(formulas) == 1:
        return formulas[0]
    return z3.And(*formulas) if formulas else TRUE


def disj(*formulas: BoolTerm) -> BoolTerm:
    """Or. Never of a single argument, which some solvers do not read."""
    if len(formulas) == 1:
        return formulas[0]
    return z3.Or(*formulas) if formulas else FALSE


def neg(formula: BoolTerm) -> BoolTerm:
    """Not."""
    return z3.Not(formula)  # type: ignore[no-any-return]  # untyped library


def negated(formula: BoolTerm) -> BoolTerm:
    """Return what the formula is the negation of; the negation, if it is none."""
    return formula.arg(0) if z3.is_not(formula) else neg(formula)


def implies(premise: BoolTerm, conclusion: BoolTerm) -> BoolTerm:
    """Return the implication."""
    return z3.Implies(premise, conclusion)  # type: ignore[no-any-return]  # untyped library


def equal(one: Term, other: Term) -> BoolTerm:
    """Semantic equality of two terms of one sort."""
    return one == other  # type: ignore[return-value]  # z3 overloads == to build a formula


def if_then_else(condition: BoolTerm, one: Any, other: Any) -> Any:
    """Return the first term where the condition holds, otherwise the second."""
    return z3.If(condition, one, other)


def scaled(factor: int, term: IntTerm) -> IntTerm:
    """Return the product with a constant: still linear."""
    return z3.IntVal(factor) * term  # type: ignore[no-any-return]  # untyped library


_remembered: list[dict[int, tuple[Any, Any]]] = []


@contextmanager
def remembering() -> Iterator[None]:
    """Simplify what was simplified before to the very same term, for as long as this lasts.

    z3 orders the parts of a term by when they were made: a term that is made again, after
    the first one is gone, may be simplified to another one. A path that is run again must not
    see that.
    """
    _remembered.append(_remembered[-1] if _remembered else {})
    try:
        yield
    finally:
        _remembered.pop()


def simplify(formula: BoolTerm) -> BoolTerm:
    """Return an equivalent formula, usually a smaller one."""
    return _simplified(formula)  # type: ignore[no-any-return]  # untyped library


def _simplified(term: Any) -> Any:
    if not _remembered:
        return z3.simplify(term)
    known = _remembered[-1]
    if term.get_id() not in known:
        # The term is kept, and with it its id.
        known[term.get_id()] = (term, z3.simplify(term))
    return known[term.get_id()][1]


def simplify_int(term: IntTerm) -> IntTerm:
    """Return an equal integer term, usually a smaller one."""
    return _simplified(term)  # type: ignore[no-any-return]  # untyped library


def remainder(term: IntTerm, divisor: int) -> IntTerm:
    """Return what is left of a division by a positive constant; never negative, as in Python."""
    return term % literal(divisor)


def is_true(formula: BoolTerm) -> bool:
    """Whether this is the constant true."""
    return bool(z3.is_true(formula))


def is_false(formula: BoolTerm) -> bool:
    """Whether this is the constant false."""
    return bool(z3.is_false(formula))


def is_application(term: Term) -> bool:
    """Whether the term is a function applied to arguments (or a constant)."""
    return bool(z3.is_app(term))


def substitute(formula: BoolTerm, *pairs: tuple[IntTerm, IntTerm]) -> BoolTerm:
    """Return the formula with every first term replaced by its second, all at once."""
    return z3.substitute(formula, *pairs)  # type: ignore[no-any-return]  # untyped library


def put_in(term: IntTerm, *pairs: tuple[IntTerm, IntTerm]) -> IntTerm:
    """Return the integer term with every first term replaced by its second, all at once."""
    return z3.substitute(term, *pairs)  # type: ignore[no-any-return]  # untyped library


LOST_MS: Final = 120_000
"""Milliseconds after which a solver is taken to be lost, whatever its resource count says."""

Answer: TypeAlias = Literal["sat", "unsat", "unknown"]


class Valuation:
    """A model of a satisfiable set of formulas."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def integer(self, term: IntTerm) -> int:
        """Return the value of an integer term."""
        return int(self._model.eval(term, model_completion=True).as_long())

    def holds(self, formula: BoolTerm) -> bool:
        """Whether the formula is true in this model."""
        return bool(z3.is_true(self._model.eval(formula, model_completion=True)))


class Solver:
    """z3, limited by its own resource count and not by the clock: the same answer everywhere."""

    def __init__(
        self,
        formulas: Sequence[BoolTerm],
        *,
        limit: int,
        timeout_ms: int = LOST_MS,
        seed: int = 0,
    ) -> None:
        self._solver = z3.Solver()
        self._solver.set("rlimit", limit)
        self._solver.set("timeout", timeout_ms)
        self._solver.set("random_seed", seed)
        self._solver.add(*formulas)

    def allow(self, timeout_ms: int) -> None:
        """Give up after so many milliseconds from now on."""
        self._solver.set("timeout", timeout_ms)

    def check(self, *extra: BoolTerm) -> Answer:
        """Whether all the formulas, and the extra ones, can be true together."""
        self._solver.push()
        self._solver.add(*extra)
        answer: Answer = str(self._solver.check())  # type: ignore[assignment]  # one of the three words
        self._valuation = Valuation(self._solver.model()) if answer == "sat" else None
        self._solver.pop()
        return answer

    def add(self, *formulas: BoolTerm) -> None:
        """Keep these from now on."""
        self._solver.add(*formulas)

    @property
    def valuation(self) -> Valuation:
        """The model behind the last `sat`."""
        if self._valuation is None:
            raise LookupError("the last answer was not sat: there is no valuation")
        return self._valuation


def unsat_core(
    formulas: Sequence[BoolTerm], *, limit: int, timeout_ms: int = LOST_MS
) -> tuple[Answer, list[BoolTerm]]:
    """Return z3's answer and, for `unsat`, formulas that contradict each other already."""
    solver = z3.Solver()
    solver.set("rlimit", limit)
    # By default far beyond what any question takes: so that a lost solver ends as `unknown`.
    solver.set("timeout", timeout_ms)
    solver.set("random_seed", 0)
    for number, formula in enumerate(formulas):
        solver.assert_and_track(formula, f"fact!{number}")
    answer: Answer = str(solver.check())  # type: ignore[assignment]  # one of the three words
    used = sorted(int(str(fact).partition("!")[2]) for fact in solver.unsat_core())
    return answer, [formulas[number] for number in used] if answer == "unsat" else []


def smt_lib(formulas: Sequence[BoolTerm], logic: str) -> str:
    """Return the satisfiability question as SMT-LIB 2 text, for any solver to answer."""
    solver = z3.Solver()
    solver.add(*formulas)
    return f"(set-logic {logic})\n{solver.to_smt2()}"
