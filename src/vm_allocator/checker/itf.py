"""A finding as an ITF trace, and the calls of one back.

As in `vm_allocator.refutation.trace`: Apalache's ADR-015, integers as `#bigint`, what is left
out of a call as the variant `None`, the action that led to a state in that state. `live` is
what must be live, and `outcome` what must happen, by the specification; what the target did is
in `answer`, in the `#meta` of the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .as_json import call_as_json
from .calls import Allocate, Batch, Free
from .recorded import BadTraceError, Recorded, call_from_json
from .wide import Wide
from .words import answered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.modelling import Range

    from .calls import Call
    from .findings import Finding

Itf: TypeAlias = dict[str, Any]

FORMAT: Final = "https://apalache-mc.org/docs/adr/015adr-trace.html"
VARIABLES: Final = ("base", "last", "live", "action", "parameters", "outcome")

_ABOUT_ONE: Final = ("allocate", "free", "update")
_NUMBERS: Final = ("old_start", "old_size", "start", "size", "align")


def itf(finding: Finding) -> Itf:
    """Return the trace of a finding, to be written as JSON."""
    space = finding.space
    fixed = {"base": _int(space.base), "last": _int(space.last)}
    if space.pools:
        fixed["pools"] = _value(space.message())
    before = finding.steps[0].before if finding.steps else ()
    first = {"live": _ranges(before), "action": "init", "parameters": {}, "outcome": ""}
    states: list[Itf] = [{"#meta": {"index": 0}, **fixed, **first}]
    for index, step in enumerate(finding.steps, start=1):
        meta: Itf = {"index": index, "answer": answered(step.call, step.answer.reply)}
        if step.violation is not None:
            meta["violation"] = step.violation.words
        states.append(
            {
                "#meta": meta,
                **fixed,
                "live": _ranges(step.wanted),
                "action": _action(step.call),
                "parameters": _parameters(step.call),
                "outcome": step.expected,
            }
        )
    return {
        "#meta": {
            "format": "ITF",
            "format-description": FORMAT,
            "source": "spec/model.py",
            "status": "violation",
            "description": f"{finding.broken.value}: {finding.broken.sentence}",
            "finding": finding.fingerprint,
        },
        "vars": [*VARIABLES, "pools"] if space.pools else list(VARIABLES),
        "states": states,
    }


def calls_of(trace: object) -> Recorded:
    """Return the space and the calls of a trace that `itf` wrote.

    Raises `BadTraceError` if it is no such trace.
    """
    try:
        first, *others = trace["states"]  # type: ignore[index]  # whatever it is, it is caught
        base, last = _number(first["base"]), _number(first["last"])
        calls = tuple(_call(state["action"], state["parameters"]) for state in others)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, BadTraceError):
            raise
        raise BadTraceError(f"its states are not those of a finding ({error!r})") from None
    return Recorded.of(base, last, calls, _given(first.get("pools")))


# ---- into the format


def _action(call: Call) -> str:
    name: str = call_as_json(call)["op"]
    return name


def _parameters(call: Call) -> Itf:
    """Return the parameters of a call: of those about one range all that any of them has."""
    if isinstance(call, (Wide, Batch)):
        return {name: _value(value) for name, value in call_as_json(call).items() if name != "op"}
    found = {name: _optional(getattr(call, name, None)) for name in _NUMBERS}
    policy = call.pick.value if isinstance(call, Allocate) and call.start is None else None
    found["policy"] = _none() if policy is None else policy
    within = None if isinstance(call, Free) else call.within
    found["within"] = _none() if within is None else _range(within)
    return found


def _value(value: Any) -> Any:
    """Return a value of JSON: objects are records as they are, lists of all kinds are lists."""
    if value is None:
        return _none()
    if isinstance(value, int):
        return _int(value)
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    return value if isinstance(value, str) else [_value(one) for one in value]


def _none() -> Itf:
    return {"tag": "None", "value": {"#tup": []}}


def _optional(value: int | None) -> Any:
    return _none() if value is None else _int(value)


def _int(value: int) -> Itf:
    return {"#bigint": str(value)}


def _range(one: Range) -> Itf:
    return {"start": _int(one.start), "end": _int(one.end)}


def _ranges(ranges: Iterable[Range]) -> Itf:
    return {"#set": [_range(one) for one in ranges]}


# ---- and back


def _number(value: Any) -> int:
    return int(value["#bigint"])


def _given(value: Any) -> Any:
    """Return the value of JSON that `_value` wrote."""
    if isinstance(value, list):
        return [_given(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "#bigint" in value:
        return _number(value)
    if value.get("tag") == "None":
        return None
    return {name: _given(one) for name, one in value.items()}


def _call(action: object, parameters: Any) -> Call:
    if action not in _ABOUT_ONE:
        return call_from_json({"op": action} | _given(parameters))
    given = {
        name: value
        for name, value in parameters.items()
        if not (isinstance(value, dict) and value.get("tag") == "None")
    }
    call: Itf = {"op": action} | {name: _number(given[name]) for name in _NUMBERS if name in given}
    if "policy" in given:
        call["policy"] = given["policy"]
    if "within" in given:
        within = given["within"]
        call["within"] = [_number(within["start"]), _number(within["end"])]
    return call_from_json(call)
