"""Symbolic ints and truths, and the formula that a predicate amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, cast

from vm_allocator.modelling.arithmetic import Symbolic, SymbolicTruth

from . import smt
from .explorer import Explorer, Raised, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .smt import BoolTerm, IntTerm

ALIGNED: Final = smt.relation("aligned", 2)
POWER_OF_TWO: Final = smt.relation("power_of_two", 1)
UP: Final = smt.function("align_up", 2)
DOWN: Final = smt.function("align_down", 2)


class SymBool(SymbolicTruth):
    """A truth. Asking for it (`if`, `and`, `not`, `assert`) forks the path.

    One object gives one answer on one path: where `a and b` stops at a false `a`, Python hands
    on `a` itself, and whoever receives it asks again.
    """

    __slots__ = ("_answer", "_run", "term")

    def __init__(self, term: BoolTerm) -> None:
        self.term = term
        self._run: object = None
        self._answer = False

    def __bool__(self) -> bool:
        explorer = Explorer.active()
        if self._run is not explorer.run:
            self._run = explorer.run
            self._answer = explorer.decide(self.term)
        return self._answer

    def __hash__(self) -> NoReturn:  # noqa: PLE0309  # there is no hash to return
        self._refuse()

    def __eq__(self, other: object) -> bool:
        # Without this, Python would compare identities: a silently concrete answer.
        if not isinstance(other, (SymBool, bool)):
            raise UnsupportedError(f"{other!r} is compared with a truth, and is none itself")
        return bool(self) is bool(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return f"<{self.term}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise UnsupportedError(f"an operation on the truth {self!r} that only concrete ones have")

    __index__ = __int__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse
    __invert__ = __add__ = __radd__ = __sub__ = __rsub__ = __lt__ = __le__ = __gt__ = _refuse
    __str__ = __format__ = _refuse


class SymInt(Symbolic):
    """A mathematical integer, as Python's own are. What it cannot follow, it refuses."""

    __slots__ = ("term",)

    def __init__(self, term: IntTerm) -> None:
        self.term = term

    def __hash__(self) -> NoReturn:  # noqa: PLE0309  # there is no hash to return
        # Not None: Python would raise a TypeError, which code under proof may catch.
        self._refuse()

    def __bool__(self) -> bool:
        return Explorer.active().decide(smt.neg(smt.equal(self.term, smt.literal(0))))

    def __add__(self, other: object) -> SymInt:
        return SymInt(self.term + lift(other))

    def __radd__(self, other: object) -> SymInt:
        return SymInt(lift(other) + self.term)

    def __sub__(self, other: object) -> SymInt:
        return SymInt(self.term - lift(other))

    def __rsub__(self, other: object) -> SymInt:
        return SymInt(lift(other) - self.term)

    def __neg__(self) -> SymInt:
        return SymInt(-self.term)

    def __lt__(self, other: object) -> SymBool:
        return SymBool(self.term < lift(other))

    def __le__(self, other: object) -> SymBool:
        return SymBool(self.term <= lift(other))

    def __gt__(self, other: object) -> SymBool:
        return SymBool(lift(other) < self.term)

    def __ge__(self, other: object) -> SymBool:
        return SymBool(lift(other) <= self.term)

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]  # a truth, as a formula
        # What may be absent is compared with what is there: no int is None.
        return SymBool(smt.FALSE if other is None else smt.equal(self.term, lift(other)))

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]  # a truth, as a formula
        return SymBool(smt.TRUE if other is None else smt.neg(smt.equal(self.term, lift(other))))

    def __repr__(self) -> str:
        return f"<{self.term}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise UnsupportedError(f"an operation on {self!r} that only concrete ints have")

    __index__ = __int__ = __float__ = __invert__ = __abs__ = __round__ = __trunc__ = _refuse
    __mul__ = __rmul__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __truediv__ = __divmod__ = _refuse
    # A text can be compared and branched on; `repr` alone stays, for people who debug a proof.
    __str__ = __format__ = _refuse

    def read_leaf(self, name: str, arguments: tuple[object, ...]) -> object:
        """Stand for the result of a leaf; its lemmas come with every proof that uses it."""
        terms = [lift(argument) for argument in arguments]
        match name:
            case "larger":
                return SymInt(smt.if_then_else(terms[1] <= terms[0], terms[0], terms[1]))
            case "smaller":
                return SymInt(smt.if_then_else(terms[0] <= terms[1], terms[0], terms[1]))
            case "is_power_of_two":
                return SymBool(POWER_OF_TWO(*terms))
            case "is_aligned":
                return SymBool(ALIGNED(*terms))
            case "align_up":
                return SymInt(UP(*terms))
            case "align_down":
                return SymInt(DOWN(*terms))
            case _:
                raise UnsupportedError(f"no symbolic reading of the leaf {name}")


def lift(value: object) -> IntTerm:
    """Return the term of a symbolic or plain int; refuse everything else."""
    if isinstance(value, SymInt):
        return value.term
    if isinstance(value, int):
        return smt.literal(value)
    raise UnsupportedError(f"{value!r} meets a symbolic int, and is none itself")


def sym_int(term: IntTerm) -> int:
    """Return a symbolic int under the static type of the code that it is run through."""
    return cast("int", SymInt(term))


def formula_of(predicate: Callable[[], bool]) -> BoolTerm:
    """Return the formula that is true exactly where the predicate returns true.

    The predicate runs once per path through it. It may use no quantifier.
    """
    explorer = Explorer(may_choose=False)
    ways = []
    for outcome in explorer.paths(lambda: bool(predicate())):
        if isinstance(outcome, Raised):
            raise UnsupportedError(f"a predicate raised {outcome.error!r}") from outcome.error
        if outcome.value:
            ways.append(smt.conj(*explorer.condition))
    return smt.simplify(smt.disj(*ways))
