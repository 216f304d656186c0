"""The words in which a model is written: state, actions, invariants, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self, TypeVar

from .arithmetic import Symbolic, SymbolicTruth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .tables import Range

F = TypeVar("F", bound="Callable[..., object]")
M = TypeVar("M", bound="Model")
T = TypeVar("T")


class IntMap(Protocol):
    """A total map from int to int. Immutable."""

    def at(self, key: int) -> int:
        """Return the value at `key`."""
        ...

    def put(self, key: int, value: int) -> IntMap:
        """Return the map that differs at `key` alone."""
        ...


class ModelError(Exception):
    """A model says what makes no sense: the message says what, and what to write instead."""


class Refused(Exception):  # noqa: N818  # a refusal is no error: the model says no, as it should
    """An action declines. Its state stays as it was: there is no other state to be in."""

    def __init__(self, refusal: str) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def require(condition: bool, refusal: str) -> None:  # noqa: FBT001  # reads as a sentence
    """Guard an action: refuse by this name unless the condition holds.

    Raises `ModelError` if the condition is no truth: a method that was not called, a number.
    """
    given: object = condition  # a type checker believes the annotation
    if not isinstance(given, bool):
        demand_truth(given, f"the guard {refusal!r}")
    if not condition:
        raise Refused(refusal)


def demand_truth(value: object, whose: str) -> None:
    """Raise `ModelError` unless the value is a truth, in whatever reading."""
    if not isinstance(value, bool | SymbolicTruth):
        found = f"of type {type(value).__name__}"
        if callable(value):
            found = "a method that is not called"
        elif isinstance(value, int | Symbolic):
            found = "a number"
        raise ModelError(f"{whose} is not boolean, but {found}: compare it, or call it")


def demand(found: T | None, refusal: str) -> T:
    """Guard an action: refuse by this name if there is nothing to act on."""
    if found is None:
        raise Refused(refusal)
    return found


@dataclass(frozen=True)
class Model:
    """A state. Subclasses add fields, `@invariant` predicates and `@action` methods."""

    @classmethod
    def invariants(cls) -> dict[str, Callable[[Self], bool]]:
        """Return the predicates that hold in every state, by name."""
        return _marked(cls, "__invariant__")

    @classmethod
    def actions(cls) -> dict[str, Callable[..., Step[Self]]]:
        """Return the actions, by name."""
        return _marked(cls, "__action__")


class Step(NamedTuple, Generic[M]):
    """What a granted action did: the state after it, and the range that it granted, if any.

    `starts` is of an action that grants several ranges: where they start, in order.
    """

    after: M
    granted: Range | None = None
    starts: Sequence[int] = ()


class Outcome(NamedTuple, Generic[M]):
    """What came of an action: a step, or a refusal and the state as it was."""

    after: M
    granted: Range | None
    refusal: str | None
    starts: Sequence[int] = ()


def attempt(before: M, act: Callable[[], Step[M]]) -> Outcome[M]:
    """Carry out an action of `before`. The meaning of a refusal is that nothing changes."""
    try:
        step = act()
    except Refused as refused:
        return Outcome(before, None, refused.refusal)
    return Outcome(step.after, step.granted, None, step.starts)


class Run(NamedTuple, Generic[M]):
    """An action carried out several times: how often, the state after, and what was granted."""

    after: M
    times: int
    starts: Sequence[int]


def repeat(times: int, before: M, act: Callable[[M], Step[M]]) -> Run[M]:
    """Carry out an action that grants a range, then again in the state after it, and so on.

    It ends after so many `times`, or before the first refusal.
    """
    after, starts = before, list[int]()
    while len(starts) < times:
        outcome = attempt(after, partial(act, after))
        if outcome.granted is None:
            break
        after = outcome.after
        starts.append(outcome.granted.start)
    return Run(after, len(starts), starts)


def for_each(items: Iterable[T], before: M, act: Callable[[M, T], M]) -> M:
    """Return the state after one item after the other was acted on; refused as soon as one is."""
    after = before
    for item in items:
        after = act(after, item)
    return after


def invariant(predicate: F) -> F:
    """Mark a method of a model as true in every state."""
    predicate.__invariant__ = True  # type: ignore[attr-defined]  # functions take attributes
    return predicate


def action(method: F) -> F:
    """Mark a method of a model as a step: it refuses (`require`, `demand`) or returns a `Step`."""
    method.__action__ = True  # type: ignore[attr-defined]  # functions take attributes
    return method


def _marked(cls: type, mark: str) -> dict[str, Any]:
    marked = {
        name: None
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if getattr(member, mark, False)
    }
    # What a subclass puts in the place of an action is that action.
    return {name: getattr(cls, name) for name in marked}
