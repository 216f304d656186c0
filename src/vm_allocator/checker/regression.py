"""A finding as a regression test: a short file that pytest runs, and that people can read.

What must happen is asked of the specification along its own path: where the target went
another way before the last call, the test says what was right there.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from keyword import iskeyword
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from .calls import Allocate, Done, Free, Pick, Update
from .judge import Judge, live_ranges
from .source import INDENT, bracketed, imported, number, quoted, recorded
from .target import names_a_factory
from .text import cut_text
from .words import shown_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.modelling import Range

    from .calls import Call
    from .findings import Finding
    from .profile import Profile

_POLICIES: Final = {Pick.FIRST: "FirstMatch", Pick.LAST: "LastMatch"}
_LONGEST_COMMENT: Final = 500
_COMMENT_WIDTH: Final = 84


def regression_test(finding: Finding, target: str | Sequence[str], profile: Profile) -> str:
    """Return the source of a test that fails as long as the finding is there.

    `target` is `package.module:factory`, or the command of an adapter. The test calls the
    factory's allocator directly, or drives the adapter; it ends with the literals that
    `vm-allocator replay` reads. A Python target that hangs makes the test hang.
    """
    words = [target] if isinstance(target, str) else list(target)
    if names_a_factory(words) and _importable(words[0]):
        parts = _python(words[0], _path(finding, profile), finding, profile)
    else:
        command = shlex.split(target) if isinstance(target, str) else words
        parts = _adapter(command, _path(finding, profile), finding, profile)
    space = finding.space
    end = recorded(space.base, space.last, [step.call for step in finding.steps])
    read = "# What `vm-allocator replay` reads."
    return "\n".join([*_comment(finding), "", *parts, "", "", read, *end, ""])


def _importable(name: str) -> bool:
    parts = re.split(r"[.:]", name)
    return all(part.isidentifier() and not iskeyword(part) for part in parts)


def _comment(finding: Finding) -> list[str]:
    told = [
        f"{finding.broken.value}: {finding.broken.sentence}.",
        f"When this was written: {finding.violation.words}.",
        f"Finding {finding.fingerprint} of `vm-allocator check`.",
    ]
    lines = [
        line for text in told for line in wrap(cut_text(text, _LONGEST_COMMENT), _COMMENT_WIDTH)
    ]
    return [f"# {line}" for line in lines]


def _name(finding: Finding) -> str:
    return f"test_{finding.broken.value.replace(' ', '_')}_{finding.fingerprint}"


# ---- what must happen


@dataclass(frozen=True)
class _Must:
    """One call, and what the specification makes of it."""

    call: Call
    refusal: str | None
    start: int | None
    """Where an allocation must be, or where one that may be anywhere was."""
    live: tuple[Range, ...]
    """What must be live after it."""


def _path(finding: Finding, profile: Profile) -> list[_Must]:
    """Walk along the calls as the specification does."""
    judge = Judge(profile, finding.space)
    state = judge.initial
    found = []
    for step in finding.steps:
        call, reply = step.call, step.answer.reply
        outcome = judge.expect(state, call)
        after, start = outcome.after, None if outcome.granted is None else outcome.granted.start
        if _anywhere(call) and isinstance(reply, Done):
            # Any place that fits is right: the trace goes on from the one that was chosen.
            judged = judge.judge(state, call, reply)
            if judged.violation is None and judged.after is not None:
                after, start = judged.after, reply.start
        state = after
        found.append(_Must(call, outcome.refusal, start, live_ranges(state)))
    return found


def _anywhere(call: Call) -> bool:
    return isinstance(call, Allocate) and call.start is None and call.pick is Pick.ANY


def _lists(finding: Finding) -> bool:
    """Whether the finding is about what the target says is live."""
    return bool(finding.steps) and finding.steps[-1].answer.live is not None


def _note(must: _Must) -> list[str]:
    if must.refusal is not None or not _anywhere(must.call):
        return []
    return [f"{INDENT}# Any start that fits is right; the calls below go on from this one."]


# ---- a factory in Python


def _python(name: str, path: list[_Must], finding: Finding, profile: Profile) -> list[str]:
    module, _, attribute = name.partition(":")
    refused = [must for must in path if must.refusal is not None]
    takes_policy = {"first", "last"} <= set(profile.policies)
    body = bracketed(
        f"allocator = {attribute}(",
        [number(finding.space.base), number(finding.space.size)],
        ")",
        1,
    )
    names = {"AllocatorError"} if refused else set()
    for must in path:
        arguments, used = _arguments(must.call, takes_policy)
        names |= used
        body += _python_call(must, arguments, reasons=profile.reasons)
    if path and _lists(finding):
        live = [f"({number(start)}, {number(end)})" for start, end in path[-1].live]
        body.append(f'{INDENT}live = allocator.live() if hasattr(allocator, "live") else allocator')
        body.append(f"{INDENT}found = [(one.start, one.end) for one in live]")
        body += bracketed("assert found == [", live, "]", 1)
    imports = ["import pytest", ""] if refused else []
    ours = imported("vm_allocator", names) if names else []
    imports += [*imported(module, {attribute.partition(".")[0]}), *ours]
    setup = []
    if refused:
        setup = [f'REFUSALS = (AllocatorError, *getattr({attribute}, "refusals", ()))', "", ""]
    start = [] if refused else [""]
    return [
        *imports,
        "",
        *start,
        *setup,
        f"def {_name(finding)}() -> None:",
        *body,
    ]


def _arguments(call: Call, takes_policy: bool) -> tuple[list[str], set[str]]:  # noqa: FBT001  # one caller
    """Return the arguments of a call of the seed interface, and the names that they need."""
    used: set[str] = set()
    if isinstance(call, Free):
        return [number(call.start), number(call.size)], used
    found = [number(call.old_start), number(call.old_size)] if isinstance(call, Update) else []
    found += ["None" if call.start is None else number(call.start), number(call.size)]
    if isinstance(call, Allocate) and call.start is None:
        policy = _POLICIES.get(call.pick)
        if policy is not None and (takes_policy or call.pick is Pick.LAST):
            used.add(policy)
            found.append(f"policy={policy}")
    if call.align is not None:
        found.append(f"align={number(call.align)}")
    if call.within is not None:
        used.add("RangeInclusive")
        found.append(f"within=RangeInclusive({', '.join(map(number, call.within))})")
    return found, used


def _python_call(must: _Must, arguments: list[str], *, reasons: bool) -> list[str]:
    method = {Allocate: "allocate", Free: "free", Update: "update"}[type(must.call)]
    if must.refusal is not None:
        named = " as refused:" if reasons else f":  # {must.refusal}"
        lines = [f"{INDENT}with pytest.raises(REFUSALS){named}"]
        lines += bracketed(f"allocator.{method}(", arguments, ")", 2)
        if reasons:
            lines.append(f'{INDENT}assert refused.value.refusal == "{must.refusal}"')
        return lines
    if not isinstance(must.call, Allocate):
        return bracketed(f"allocator.{method}(", arguments, ")", 1)
    return [
        *_note(must),
        *bracketed("granted = allocator.allocate(", arguments, ")", 1),
        f"{INDENT}assert granted == {number(must.start or 0)}",
    ]


# ---- an adapter's command


def _adapter(
    command: Sequence[str], path: list[_Must], finding: Finding, profile: Profile
) -> list[str]:
    space = finding.space
    names = {"Done", "Space"} | {type(must.call).__name__ for must in path}
    names |= {"Refused"} if any(must.refusal is not None for must in path) else set()
    names |= {"Pick"} if any(_picks(must.call) for must in path) else set()
    ranges = [must for must in path if not isinstance(must.call, Free) and must.call.within]
    lists = bool(path) and _lists(finding)
    body = [
        f"{INDENT}with closing(RemoteTarget(COMMAND, seconds=2.0)) as target:",
        *bracketed(
            "begun = target.begin(Space(", [number(space.base), number(space.last)], "))", 2
        ),
        f"{INDENT * 2}assert begun == Done()",
    ]
    for must in path:
        body += [f"{INDENT}{line}" for line in _note(must)]
        body += _ask(must.call)
        if must.refusal is not None:
            asserted = f"isinstance(answer.reply, Refused)  # {must.refusal}"
            if profile.reasons:
                asserted = f'answer.reply == Refused("{must.refusal}")'
            body.append(f"{INDENT * 2}assert {asserted}")
        else:
            start = number(must.start or 0) if isinstance(must.call, Allocate) else ""
            body.append(f"{INDENT * 2}assert answer.reply == Done({start})")
    if lists:
        body.append(f"{INDENT * 2}# Live must be: {shown_ranges(path[-1].live[:4])}.")
        live = [f"Range({number(start)}, {number(end)})" for start, end in path[-1].live]
        body += bracketed("assert list(answer.live or ()) == [", live, "]", 2)
    return [
        "from contextlib import closing",
        "",
        *imported("vm_allocator.checker.calls", names),
        "from vm_allocator.checker.remote import RemoteTarget",
        *(
            ["from vm_allocator.modelling import Range"]
            if ranges or (lists and path[-1].live)
            else []
        ),
        "",
        *bracketed("COMMAND = [", [quoted(word) for word in command], "]"),
        "",
        "",
        f"def {_name(finding)}() -> None:",
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


def _fields(call: Call) -> list[str]:
    """Return the arguments of the call's own class."""
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
