"""A regression test whose calls are put to the target as the checker does it."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from vm_allocator.modelling import Range

from .calls import Allocate, Batch, Free, Pick, Update
from .device_calls import Kept, Need
from .regression_path import lists_live, name_of, note
from .source import INDENT, bracketed, imported, number, quoted
from .wide import Wide
from .words import shown_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .calls import Call, Space
    from .findings import Finding
    from .profile import Profile
    from .regression_path import Must


@dataclass(frozen=True)
class Opening:
    """How a test gets at its target: imports, further lines, and the expression."""

    imports: dict[str, set[str]]
    lines: list[str]
    target: str


def remote(command: Sequence[str]) -> Opening:
    """Return how a test gets at an adapter."""
    words = bracketed("COMMAND = [", [quoted(word) for word in command], "]")
    imports = {"vm_allocator.checker.remote": {"RemoteTarget"}}
    return Opening(imports, words, "RemoteTarget(COMMAND, seconds=2.0)")


def local(name: str) -> Opening:
    """Return how a test gets at what a factory makes."""
    module, _, attribute = name.partition(":")
    imports = {
        module: {attribute.partition(".")[0]},
        "vm_allocator.checker.local": {"LocalTarget"},
    }
    return Opening(imports, [], f"LocalTarget({attribute})")


def asked_test(opening: Opening, path: list[Must], finding: Finding, profile: Profile) -> list[str]:
    """Return the lines of the test."""
    space = finding.space
    calls = [part for must in path for part in _parts(must.call)]
    narrow = {type(call).__name__ for call in calls if not isinstance(call, Wide)}
    names = {"Done", "Space"} | narrow
    names |= {"Refused"} if any(must.refusal is not None for must in path) else set()
    names |= {"Pick"} if any(_picks(call) for call in calls) else set()
    lists = bool(path) and lists_live(finding)
    body = [
        f"{INDENT}with closing({opening.target}) as target:",
        *_begin(space),
        f"{INDENT * 2}assert begun == Done()",
    ]
    for must in path:
        body += [f"{INDENT}{line}" for line in note(must)]
        body += _ask(must.call)
        if must.refusal is not None:
            asserted = f"isinstance(answer.reply, Refused)  # {must.refusal}"
            if profile.reasons and not isinstance(must.call, Batch):
                asserted = f'answer.reply == Refused("{must.refusal}")'
            body.append(f"{INDENT * 2}assert {asserted}")
            if must.at is not None:
                body.append(f"{INDENT * 2}assert answer.reply.at in (None, {must.at})")
        else:
            start = number(must.start or 0) if isinstance(must.call, Allocate) else ""
            if must.starts is not None:
                start = f"starts={_source(must.starts)}"
            body.append(f"{INDENT * 2}assert answer.reply == Done({start})")
    if lists:
        body.append(f"{INDENT * 2}# Live must be: {shown_ranges(path[-1].live[:4])}.")
        live = [f"Range({number(start)}, {number(end)})" for start, end in path[-1].live]
        body += bracketed("assert list(answer.live or ()) == [", live, "]", 2)
        if finding.steps[-1].answer.devices is not None:
            devices = [
                f"{quoted(name)}: {_source(held)}" for name, held in path[-1].devices.items()
            ]
            body += bracketed("assert answer.devices == {", devices, "}", 2)
    imports = {"vm_allocator.checker.calls": names, **opening.imports, **_imports(calls)}
    if any("Range(" in line for line in body):
        imports["vm_allocator.modelling"] = {"Range"}
    return [
        "from contextlib import closing",
        "",
        *(line for module, found in sorted(imports.items()) for line in imported(module, found)),
        *(["", *opening.lines] if opening.lines else []),
        "",
        "",
        f"def {name_of(finding)}() -> None:",
        *body,
    ]


def _ask(call: Call) -> list[str]:
    kind, fields = type(call).__name__, _fields(call)
    asked = bracketed(f"answer = target.ask({kind}(", fields, "))", 2)
    if len(asked) == 1:
        return asked
    asked_for = bracketed(f"call = {kind}(", fields, ")", 2)
    return [*asked_for, f"{INDENT * 2}answer = target.ask(call)"]


def _picks(call: Call) -> bool:
    return isinstance(call, Allocate) and call.start is None and call.pick is not Pick.FIRST


def _begin(space: Space) -> list[str]:
    if space.pools:
        pools = [f"{quoted(name)}: {_source(one)}" for name, one in space.pools]
        return bracketed("begun = target.begin(Space.of({", pools, "}))", 2)
    ends = [number(space.base), number(space.last)]
    return bracketed("begun = target.begin(Space(", ends, "))", 2)


def _imports(calls: list[Call]) -> dict[str, set[str]]:
    """Return what is imported for calls that are about several ranges, by module."""
    found: dict[str, set[str]] = {}
    for call in calls:
        parts: list[object] = [call] if isinstance(call, Wide) else []
        parts += getattr(call, "needs", ()) + getattr(call, "keep", ())
        for part in parts:
            found.setdefault(type(part).__module__, set()).add(type(part).__name__)
    return found


def _parts(call: Call) -> list[Call]:
    return [call, *call.calls] if isinstance(call, Batch) else [call]


def _source(value: object) -> str:
    """Write a part of a call."""
    if isinstance(value, Range):
        return f"Range({number(value.start)}, {number(value.end)})"
    if isinstance(value, (Need, Kept)):
        given = [(one, name) for name, one in value._asdict().items() if one is not None]
        fields_of = [f"{name}={_source(one)}" for one, name in given]
        return f"{type(value).__name__}({', '.join(fields_of)})"
    if isinstance(value, tuple):
        comma = "," if len(value) == 1 else ""
        return f"({', '.join(map(_source, value))}{comma})"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, str):
        return quoted(value)
    return "None" if value is None else f"{type(value).__name__}({', '.join(_written(value))})"


def _written(value: Any) -> list[str]:
    """Return the arguments of a dataclass: those that are not its defaults."""
    if isinstance(value, (Allocate, Free, Update)):
        return _fields(value)
    found = [(field, getattr(value, field.name)) for field in fields(value)]
    return [
        _source(one) if field.default is MISSING else f"{field.name}={_source(one)}"
        for field, one in found
        if field.default is MISSING or one != field.default
    ]


def _fields(call: Call) -> list[str]:
    """Return the arguments of the call's own class."""
    if isinstance(call, (Wide, Batch)):
        return _written(call)
    if isinstance(call, Free):
        return [number(call.start), number(call.size)]
    if isinstance(call, Update):
        numbers = (call.old_start, call.old_size, call.start, call.size)
        found = [number(value) for value in numbers]
    else:
        found = [number(call.size)]
        if call.start is not None:
            found.append(f"start={number(call.start)}")
        elif call.pick is not Pick.FIRST:
            found.append(f"pick=Pick.{call.pick.name}")
    if call.align is not None:
        found.append(f"align={number(call.align)}")
    if call.within is not None:
        found.append(f"within=Range({', '.join(map(number, call.within))})")
    return found
