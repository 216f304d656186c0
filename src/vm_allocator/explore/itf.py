"""A trace of any model as ITF, and the plain states of an ITF trace.

The Informal Trace Format is that of Apalache's ADR-015: every integer is a `#bigint`, sets
and maps are tagged. As Quint writes them, an optional value is the variant `Some` or `None`, a
member of an enum a variant of its name; a row is a record. Each state holds the call that led
to it: `action`, `parameters`, `outcome`. Quint and Apalache traces have no such variables, or
others: whatever a state holds can be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vm_allocator.modelling import FiniteMap, FiniteSet, FiniteTable

if TYPE_CHECKING:
    from .trace import Trace

Itf: TypeAlias = dict[str, Any]

FORMAT: Final = "https://apalache-mc.org/docs/adr/015adr-trace.html"
CALL: Final = ("action", "parameters", "outcome")
_UNIT: Final[Itf] = {"#tup": []}


def itf(trace: Trace) -> Itf:
    """Return the trace, to be written as JSON."""
    subject = trace.subject
    broken = trace.broken()
    names = [field.name for field in fields(subject.model)]
    states = []
    if trace.start is not None:
        states.append({**_state(trace.start, names), **_call("assumed", {}, "")})
    for step in trace.steps:
        outcome = "granted" if step.refusal is None else f"refused: {step.refusal}"
        call = _call(step.call.operation, step.call.arguments, outcome)
        states.append({**_state(step.after, names), **call})
    return {
        "#meta": {
            "format": "ITF",
            "format-description": FORMAT,
            "source": str(subject.lines.file),
            "model": subject.name,
            "status": "violation" if broken else "ok",
            "reachable": trace.is_reachable,
            "description": "; ".join(f"{rule.name}: {rule.words}" for rule in broken),
        },
        "vars": [*names, *CALL],
        "states": [{"#meta": {"index": index}, **state} for index, state in enumerate(states)],
    }


@dataclass(frozen=True)
class Read:
    """An ITF trace as it can be drawn: variables, and their plain values state by state."""

    source: str
    variables: tuple[str, ...]
    states: tuple[dict[str, Any], ...]


def read(trace: object) -> Read:
    """Return the states of an ITF trace, whoever wrote it.

    Integers are ints, sets are frozen sets or tuples, maps and records dicts, a variant without a
    value its name. Raises `ValueError` if it is no ITF trace.
    """
    try:
        meta = trace.get("#meta", {})  # type: ignore[attr-defined]  # whatever it is, it is caught
        variables = tuple(map(str, trace["vars"]))  # type: ignore[index]  # likewise
        states = tuple(
            {name: plain(state[name]) for name in variables if name in state}
            for state in trace["states"]  # type: ignore[index]  # likewise
        )
        return Read(str(meta.get("source", "")), variables, states)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"this is no ITF trace: {error!r}") from None


def plain(value: Any) -> Any:  # noqa: PLR0911  # one line per kind
    """Return an ITF value as plain Python. Raises `ValueError` for what is no such value."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "#bigint" in value:
        return int(value["#bigint"])
    if "#set" in value:
        return [plain(one) for one in value["#set"]]
    if "#tup" in value:
        return tuple(plain(one) for one in value["#tup"])
    if "#map" in value:
        return [(plain(key), plain(row)) for key, row in value["#map"]]
    if "#unserializable" in value:
        return str(value["#unserializable"])
    if set(value) == {"tag", "value"}:
        inner = plain(value["value"])
        if value["tag"] == "Some":
            return inner
        return (
            None
            if value["tag"] == "None"
            else value["tag"]
            if inner == ()
            else (
                value["tag"],
                inner,
            )
        )
    return {name: plain(one) for name, one in value.items() if not name.startswith("#")}


def _state(state: Any, names: list[str]) -> Itf:
    return {name: value_of(getattr(state, name)) for name in names}


def _call(action: str, arguments: Any, outcome: str) -> Itf:
    parameters = {name: value_of(value) for name, value in arguments.items()}
    return {"action": action, "parameters": parameters, "outcome": outcome}


def value_of(value: Any) -> Any:  # noqa: PLR0911  # one line per kind
    """Return a plain value of a model in the format."""
    if isinstance(value, Enum):
        return {"tag": value.name, "value": _UNIT}
    if value is None:
        return {"tag": "None", "value": _UNIT}
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"#bigint": str(value)}
    if isinstance(value, FiniteSet):
        return {"#set": [value_of(member) for member in value]}
    if isinstance(value, FiniteTable | FiniteMap):
        rows = value.items().items()
        return {"#map": [[value_of(key), value_of(row)] for key, row in rows]}
    if isinstance(value, tuple):
        names = getattr(value, "_fields", ())
        return {name: value_of(part) for name, part in zip(names, value, strict=True)}
    return {"#unserializable": repr(value)}
