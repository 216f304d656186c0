"""A trace of a model: plain values, each step of which was executed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vm_allocator.modelling import Model, Refused, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .subject import Operation, Rule, Subject


@dataclass(frozen=True)
class Call:
    """An operation and its arguments."""

    operation: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class TraceStep:
    """A call, and what came of it."""

    call: Call
    refusal: str | None
    """Why it was refused; `None` if it was granted."""
    after: Model


@dataclass(frozen=True)
class Trace:
    """A run of a model from how it begins, or from a state that is only assumed.

    `steps[0]` is the call of `initial` unless `start` is given: a state that every invariant
    holds in, and that need not be reachable.
    """

    subject: Subject
    start: Model | None
    steps: tuple[TraceStep, ...]

    @property
    def is_reachable(self) -> bool:
        """Whether it begins as the model begins."""
        return self.start is None

    @property
    def depth(self) -> int:
        """The number of actions."""
        return len(self.steps) - self.is_reachable

    @property
    def states(self) -> list[Model]:
        """Return the states in order, the first one included."""
        first = [] if self.start is None else [self.start]
        return [*first, *(step.after for step in self.steps)]

    @property
    def last(self) -> Model:
        """The state at the end."""
        return self.states[-1]

    def broken(self) -> list[Rule]:
        """Return the invariants that do not hold at the end."""
        return broken_in(self.subject, self.last)


def execute(subject: Subject, calls: Sequence[Call], start: Model | None = None) -> Trace:
    """Carry out the calls on plain values; the first one is `initial` unless there is a start.

    Raises `Refused` if `initial` refuses; other refusals are steps that change nothing.
    """
    steps: list[TraceStep] = []
    state = start
    for call in calls:
        state, refusal = _carried_out(subject, state, call)
        steps.append(TraceStep(call, refusal, state))
    return Trace(subject, start, tuple(steps))


def _carried_out(subject: Subject, state: Model | None, call: Call) -> tuple[Model, str | None]:
    if state is None:
        begun = subject.model.initial(**call.arguments)  # type: ignore[attr-defined]  # declared
        return _state(begun), None
    action = operation_of(subject, call.operation)
    try:
        return _state(action.method(state, **call.arguments)), None
    except Refused as refused:
        return state, refused.refusal


def _state(made: Any) -> Model:
    after: Model = made.after if isinstance(made, Step) else made
    return after


def operation_of(subject: Subject, name: str) -> Operation:
    """Return the action of this name."""
    return next(action for action in subject.actions if action.name == name)


def broken_in(subject: Subject, state: Model) -> list[Rule]:
    """Return the invariants that a plain state breaks, those about widths included."""
    return [rule for rule in subject.rules if not rule.predicate(state)]


def shorter(trace: Trace, steps: int) -> Trace:
    """Return the beginning of a trace, of so many steps."""
    return replace(trace, steps=trace.steps[:steps])
