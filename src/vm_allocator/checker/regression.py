"""A finding as a regression test: a short file that pytest runs, and that people can read.

What must happen is asked of the specification along its own path: where the target went
another way before the last call, the test says what was right there.
"""

from __future__ import annotations

import re
import shlex
from keyword import iskeyword
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from .as_json import call_as_json
from .calls import Allocate, Free, Pick, Update
from .regression_asked import asked_test, local, remote
from .regression_path import lists_live, name_of, note, path_of
from .source import INDENT, bracketed, imported, number, recorded
from .target import names_a_factory
from .text import cut_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .calls import Plain
    from .findings import Finding
    from .profile import Profile
    from .regression_path import Must

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
    path = path_of(finding, profile)
    if names_a_factory(words) and _importable(words[0]):
        if all(isinstance(must.call, (Allocate, Free, Update)) for must in path):
            parts = _python(words[0], path, finding, profile)
        else:
            parts = asked_test(local(words[0]), path, finding, profile)
    else:
        command = shlex.split(target) if isinstance(target, str) else words
        parts = asked_test(remote(command), path, finding, profile)
    end = recorded(finding.space, [step.call for step in finding.steps])
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


# ---- a factory in Python


def _python(name: str, path: list[Must], finding: Finding, profile: Profile) -> list[str]:
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
        if isinstance(must.call, (Allocate, Free, Update)):
            arguments, used = _arguments(must.call, takes_policy)
            names |= used
            body += _python_call(must, arguments, reasons=profile.reasons)
    if path and lists_live(finding):
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
        f"def {name_of(finding)}() -> None:",
        *body,
    ]


def _arguments(call: Plain, takes_policy: bool) -> tuple[list[str], set[str]]:  # noqa: FBT001  # one caller
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


def _python_call(must: Must, arguments: list[str], *, reasons: bool) -> list[str]:
    method = call_as_json(must.call)["op"]
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
        *note(must),
        *bracketed("granted = allocator.allocate(", arguments, ")", 1),
        f"{INDENT}assert granted == {number(must.start or 0)}",
    ]
