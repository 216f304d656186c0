"""A counterexample as an ITF trace, and back.

The Informal Trace Format is what Apalache and Quint exchange traces in: Apalache's ADR-015,
https://apalache-mc.org/docs/adr/015adr-trace.html, revised 2023-09-14 (every integer is a
`#bigint`). A choice that is no string is a variant, as Quint writes them: `tag` and `value`.

Like Quint's, each state holds the action that led to it. The first state is the one before;
the second one is the state after *as the specification has it*, and not as the code does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vm_allocator.modelling import FiniteMap, Range
from vm_allocator.policy import ExactMatch, FirstMatch, LastMatch, Order
from vm_allocator.proving.concrete_case import Values

from .expectation import members

if TYPE_CHECKING:
    from spec.model import Allocator

    from .expectation import Expected
    from .recording import Call

Itf = dict[str, Any]

FORMAT: Final = "https://apalache-mc.org/docs/adr/015adr-trace.html"

_ORDERS: Final = {order.value: order for order in (FirstMatch, LastMatch)}
_UNIT: Final[Itf] = {"#tup": []}


def itf(
    theorem_name: str,
    claim: str,
    values: Values,
    call: Call | None = None,
    expected: Expected | None = None,
) -> Itf:
    """Return the counterexample as an ITF trace, to be written as JSON.

    Variables: the parts of the state (`base`, `last`, `live`, ...; with the state's name
    before them if there is not just one state), `action`, `parameters` (every number and
    choice of the call), `outcome`. Without a call and what is expected of it, the trace is
    the one state that the values describe.
    """
    parts = _parts(values)
    name = _only_state(parts)
    meta: Itf = {
        "format": "ITF",
        "format-description": FORMAT,
        "source": "spec/model.py",
        "status": "violation",
        "description": claim,
        "theorem": theorem_name,
    }
    if name is not None:
        meta["state"] = name
        parts = {part.removeprefix(f"{name}."): value for part, value in parts.items()}
    others = {
        "parameters": {
            **{key: _int(value) for key, value in values.numbers.items() if "." not in key},
            **{
                key: _int(value)
                for key, value in values.numbers.items()
                if "." in key and key not in _parts(values)
            },
            **{key: _choice(value) for key, value in values.choices.items()},
        },
    }
    states = [{**parts, "action": "init", **others, "outcome": ""}]
    if call is not None and expected is not None:
        after = {} if expected.after is None or call.before is None else _state(expected.after)
        done = {"action": call.method.strip("_"), **others, "outcome": expected.outcome}
        states.append({**parts, **after, **done})
    return {
        "#meta": meta,
        "vars": list(states[0]),
        "states": [{"#meta": {"index": index}, **state} for index, state in enumerate(states)],
    }


def values_of(trace: Itf) -> Values:
    """Return the values that an ITF trace of this module was made of.

    Raises `ValueError` if it is no such trace.
    """
    values = Values()
    try:
        name = trace["#meta"].get("state")
        state = trace["states"][0]
        for variable in trace["vars"]:
            if variable not in ("action", "parameters", "outcome"):
                own = variable if name is None else f"{name}.{variable}"
                _put(values, own, state[variable])
        for parameter, value in state["parameters"].items():
            _put(values, parameter, value)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"this is no trace of a counterexample: {error!r}") from None
    return values


# ---- into the format


def _parts(values: Values) -> Itf:
    """Return the parts of all states, by their full names."""
    states = {name.rpartition(".")[0] for name in (*values.ranges, *values.maps)}
    return {
        **{
            name: _int(value)
            for name, value in values.numbers.items()
            if name.rpartition(".")[0] in states
        },
        **{name: _ranges(ranges) for name, ranges in values.ranges.items()},
        **{name: _map(table) for name, table in values.maps.items()},
    }


def _only_state(parts: Itf) -> str | None:
    names = {name.rpartition(".")[0] for name in parts}
    return names.pop() if len(names) == 1 else None


def _state(state: Allocator) -> Itf:
    asked = state.asked.items() if isinstance(state.asked, FiniteMap) else {}
    return {
        "top": _int(state.top),
        "base": _int(state.base),
        "last": _int(state.last),
        "live": _ranges(members(state)),
        "asked": _map(asked),
    }


def _int(value: int) -> Itf:
    return {"#bigint": str(int(value))}


def _ranges(ranges: list[Range]) -> Itf:
    return {"#set": [{"start": _int(start), "end": _int(end)} for start, end in ranges]}


def _map(table: dict[int, int]) -> Itf:
    return {"#map": [[_int(key), _int(value)] for key, value in table.items()]}


def _choice(value: object) -> Any:
    if isinstance(value, str | bool):
        return value
    if value is None:
        return {"tag": "None", "value": _UNIT}
    if isinstance(value, Order):
        return {"tag": value.value, "value": _UNIT}
    if isinstance(value, ExactMatch) and isinstance(value.start, int):
        return {"tag": "ExactMatch", "value": _int(value.start)}
    return {"#unserializable": repr(value)}


# ---- and back


def _put(values: Values, name: str, value: Any) -> None:
    if isinstance(value, str | bool) or "tag" in value:
        values.choices[name] = _chosen(value)
    elif "#bigint" in value:
        values.numbers[name] = _number(value)
    elif "#set" in value:
        values.ranges[name] = [
            Range(_number(member["start"]), _number(member["end"])) for member in value["#set"]
        ]
    elif "#map" in value:
        values.maps[name] = {_number(key): _number(at) for key, at in value["#map"]}
    else:
        raise ValueError(f"{name} is {value!r}, which cannot be read back")


def _number(value: Itf) -> int:
    return int(value["#bigint"])


def _chosen(value: Any) -> object:
    if isinstance(value, str | bool):
        return value
    if value["tag"] == "None":
        return None
    if value["tag"] == "ExactMatch":
        return ExactMatch(_number(value["value"]))
    return _ORDERS[value["tag"]]
