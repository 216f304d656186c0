"""Values, calls and states of a model in words: what every report shows."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from vm_allocator.checker.words import shown
from vm_allocator.modelling import FiniteMap, FiniteSet, FiniteTable, Model, Range

if TYPE_CHECKING:
    from .endings import Ending
    from .trace import Call, Trace, TraceStep


def said(value: Any) -> str:  # noqa: PLR0911  # one line per kind
    """Write a value as people read it: numbers in hex where a digit does not do."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return shown(value) if value >= 0 else str(value)
    if isinstance(value, Range):
        return f"{shown(value.start)}-{shown(value.end)}"
    if isinstance(value, FiniteSet):
        return "{" + ", ".join(map(said, value)) + "}"
    if isinstance(value, FiniteTable | FiniteMap):
        rows = value.items().items()
        return "{" + ", ".join(f"{said(key)}: {said(row)}" for key, row in rows) + "}"
    if isinstance(value, tuple):
        names = getattr(value, "_fields", ())
        parts = ", ".join(f"{n}={said(v)}" for n, v in zip(names, value, strict=False))
        return f"{type(value).__name__}({parts})"
    return repr(value)


def call_said(call: Call) -> str:
    """Write a call as a program would."""
    given = ", ".join(f"{name}={said(value)}" for name, value in call.arguments.items())
    return f"{call.operation}({given})"


def state_said(state: Model) -> str:
    """Write the variables of a state."""
    return "  ".join(f"{one.name}={said(getattr(state, one.name))}" for one in fields(state))


def steps_said(trace: Trace) -> list[str]:
    """Write a trace, a line per step: the call, and the state after it."""
    lines = []
    if trace.start is not None:
        lines.append(("in the state", state_said(trace.start)))
    lines += [(call_said(step.call), _outcome(step)) for step in trace.steps]
    width = min(48, max(len(call) for call, _ in lines))
    return [f"{call:<{width}}  {outcome}" for call, outcome in lines]


def _outcome(step: TraceStep) -> str:
    return state_said(step.after) if step.refusal is None else f"refused: {step.refusal}"


def ending_said(ending: Ending) -> str:
    """Write what may happen: an action, or its refusal at a guard."""
    if isinstance(ending, str):
        return f"{ending} is granted"
    return f"{ending.place}: {ending.operation} is refused: {ending.refusal}"
