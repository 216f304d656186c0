"""A theorem is a function that takes a case and makes claims about it.

    @theorem
    def freeing_undoes_allocating(case: Case[Allocator]) -> None:
        '''The claim, in English.'''
        before = case.state()
        ...
        case.claim(after.live.same_as(before.live))

The same function is read twice. With a symbolic case every claim becomes obligations for
a prover: it is shown for all states and all numbers at once. With a concrete case it runs
on plain ints: that is how it is sampled, how its claims are seen to be reachable, and how
a counterexample is executed before anybody is shown it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vm_allocator.modelling import FiniteRanges, Model, Range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vm_allocator.modelling import RangeSet

M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Case(ABC, Generic[M]):
    """What a theorem speaks about: arbitrary states and numbers."""

    def __init__(self, model: type[M]) -> None:
        self.model = model

    @abstractmethod
    def state(self, name: str = "before", **known: object) -> M:
        """Return any state in which every invariant holds, its `known` fields as given."""

    @abstractmethod
    def read(self, state: M) -> M:
        """Return a state that the model made from nothing, in the reading of this case."""

    @abstractmethod
    def number(self, name: str, like: Sequence[int] = ()) -> int:
        """Return any integer, negative or huge ones included.

        `like` names values worth sampling; it restricts nothing.
        """

    @abstractmethod
    def one_of(self, name: str, options: Sequence[T]) -> T:
        """Return any one of the options."""

    @abstractmethod
    def assume(self, condition: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """Speak only of cases in which the condition holds."""

    @abstractmethod
    def claim(self, condition: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """Claim that the condition holds; it may be relied upon from here on."""

    @abstractmethod
    def consider(self, address: int) -> None:
        """Hint to the prover: "this address lies in a live range, in a gap, or outside".

        It is true of every address, so a hint can help a proof and never make it wrong.
        """

    @property
    @abstractmethod
    def is_symbolic(self) -> bool:
        """Whether numbers are symbolic: code outside of the language then needs summaries."""

    def word(self, value: int) -> int:
        """Return the value as a word of the code under proof: what it computes is watched.

        Every sum and difference that comes of it is claimed to lie in [0, 2^64-1]. Plain ints
        are not watched: there, only the symbolic reading looks.
        """
        return value

    def range(self, name: str, like: Sequence[Range] = ()) -> Range:
        """Return any pair of integers; it need not be a sensible range.

        `like` names ranges worth sampling; it restricts nothing.
        """
        start = self.number(f"{name}.start", [r.start for r in like])
        return Range(start, self.number(f"{name}.end", [r.end for r in like if r.start == start]))

    def members(self, ranges: RangeSet) -> Sequence[Range]:
        """Return the members of a set where they can be listed: hints for sampling."""
        return tuple(ranges) if isinstance(ranges, FiniteRanges) else ()


@dataclass(frozen=True)
class Theorem:
    """A sentence, and the function that states it."""

    name: str
    claim: str
    module: str
    state: Callable[[Case[Any]], None]

    @property
    def sentence(self) -> str:
        """The name as a person reads it."""
        return self.name.replace("_", " ")


def theorem(function: Callable[[Case[M]], None]) -> Theorem:
    """Make a theorem of a function. Its name is the sentence, its docstring the claim."""
    if not function.__doc__:
        raise ValueError(f"{function.__name__} has no docstring: say what it claims")
    claim = " ".join(function.__doc__.split())
    return Theorem(function.__name__, claim, function.__module__, function)
