"""The path explorer: a function is run again and again, until every path was taken.

Whenever the code asks a symbolic truth ("is start <= end?"), the explorer decides,
notes the decision, and comes back later for the other one. A path is the sequence of
its decisions; what is then known on it is the *path condition*.

An impossible path proves everything, so exploring it costs nothing but time. Who wants to
save that time passes `impossible`, and answers for it: a way that is left out because of a
wrong answer would be missing from every proof.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from . import smt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .smt import BoolTerm, IntTerm

T = TypeVar("T")
Decision: TypeAlias = "tuple[BoolTerm, bool]"

_OTHERWISE: Final = "run again, the code does otherwise (does it remember?)"

DEFAULT_PATH_LIMIT: Final = 2000


class Signal(BaseException):
    """A word of the proof engine. Not an Exception, so that no code under proof swallows it."""


class UnsupportedError(Signal):
    """The code did what a symbolic reading cannot follow. Never papered over."""


class PathLimitError(Signal):
    """More paths than the budget: the answer is `unknown`, not `proved`."""


class PathCut(Signal):
    """The path ends here on purpose."""


@dataclass(frozen=True)
class Returned(Generic[T]):
    """A path that ended with a value."""

    value: T


@dataclass(frozen=True)
class Raised:
    """A path that ended with an exception."""

    error: Exception


class Explorer:
    """Depth-first over the decisions of one function, each run replaying a prefix of them."""

    _active: list[Explorer] = []  # noqa: RUF012  # the stack of running explorations, process-wide

    def __init__(
        self,
        *,
        may_choose: bool = True,
        path_limit: int = DEFAULT_PATH_LIMIT,
        impossible: Callable[[BoolTerm], bool] = lambda _formula: False,
    ) -> None:
        self._may_choose = may_choose
        self._impossible = impossible
        self._path_limit = path_limit
        self._taken = 0
        self._trail: list[Decision] = []
        self._depth = 0
        self._pending: list[list[Decision]] = []
        self._fresh = 0
        self.condition: list[BoolTerm] = []
        self.run = object()
        """Identifies the run along the current path; another run has another."""

    @classmethod
    def active(cls) -> Explorer:
        """Return the innermost running exploration."""
        if not cls._active:
            raise UnsupportedError("a symbolic truth was asked for outside of an exploration")
        return cls._active[-1]

    def paths(self, function: Callable[[], T]) -> Iterator[Returned[T] | Raised]:
        """Run the function once per path; yield how each ended, cut ones left out.

        `condition` holds what is known on the path that was yielded last. Raises
        `PathLimitError` beyond the limit, and whatever `UnsupportedError` the code provokes.
        """
        self._pending = [[]]
        self._taken = 0
        while self._pending:
            self._taken += 1
            self._trail = self._pending.pop()
            self._depth = self._fresh = 0
            self.condition = []
            self.run = object()
            with self._running():
                try:
                    outcome: Returned[T] | Raised = Returned(function())
                except PathCut:
                    self._expect_replayed()
                    continue
                except Exception as error:  # noqa: BLE001  # an outcome of the code under proof
                    outcome = Raised(error)
            self._expect_replayed()
            yield outcome

    def decide(self, formula: BoolTerm) -> bool:
        """Return whether the formula holds on this path; it does from now on, or does not."""
        if smt.is_true(formula):
            return True
        if smt.is_false(formula):
            return False
        decision = self._next_decision(formula)
        self.assume(formula if decision else smt.neg(formula))
        return decision

    def choose(self) -> bool:
        """Return a decision that depends on no formula: both answers are explored."""
        self._demand_choice()
        return self._next_decision()

    def assume(self, formula: BoolTerm) -> None:
        """Know this on the rest of the path. The term is kept alive, and with it its id."""
        self.condition.append(formula)

    def fresh(self, name: str) -> IntTerm:
        """Return a new constant; the same one when the path is replayed."""
        self._demand_choice()
        self._fresh += 1
        return smt.integer(f"{name}!{self._fresh}")

    def _demand_choice(self) -> None:
        if not self._may_choose:
            raise UnsupportedError("a quantifier inside a quantifier: give the inner one a witness")

    def _next_decision(self, formula: BoolTerm = smt.TRUE) -> bool:
        if self._depth == len(self._trail):
            free = formula is smt.TRUE
            if not free and self._impossible(formula):
                self._trail.append((formula, False))
            else:
                if free or not self._impossible(smt.neg(formula)):
                    self._come_back([*self._trail, (formula, False)])
                self._trail.append((formula, True))
        asked, decision = self._trail[self._depth]
        if asked.get_id() != formula.get_id():
            raise UnsupportedError(f"{_OTHERWISE}: it asks {formula}, and asked {asked}")
        self._depth += 1
        return decision

    def _come_back(self, trail: list[Decision]) -> None:
        # Counted now, and not when it is taken: so a loop without an end meets the limit, too.
        if self._taken + len(self._pending) == self._path_limit:
            raise PathLimitError(f"more than {self._path_limit} paths")
        self._pending.append(trail)

    def _expect_replayed(self) -> None:
        if self._depth < len(self._trail):
            raise UnsupportedError(f"{_OTHERWISE}: it asks less than it did")

    @contextmanager
    def _running(self) -> Iterator[None]:
        self._active.append(self)
        try:
            yield
        finally:
            self._active.pop()
