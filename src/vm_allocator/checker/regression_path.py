"""What a regression test is about: the calls of a finding, and what must come of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .calls import Allocate, Batch, Done, Pick
from .judge import Judge, live_ranges
from .source import INDENT

if TYPE_CHECKING:
    from vm_allocator.modelling import Range

    from .calls import Call
    from .findings import Finding
    from .profile import Profile


def name_of(finding: Finding) -> str:
    """Return the name of the test."""
    return f"{finding.broken.name_of_test}_{finding.fingerprint}"


@dataclass(frozen=True)
class Must:
    """One call, and what the specification makes of it."""

    call: Call
    refusal: str | None
    start: int | None
    """Where an allocation must be, or where one that may be anywhere was."""
    starts: tuple[int | None, ...] | None
    """The same of a batch."""
    at: int | None
    """Which call of a batch must be refused."""
    live: tuple[Range, ...]
    """What must be live after it."""
    devices: dict[str, tuple[Range, ...]]
    """What devices must hold after it, lowest first."""


def path_of(finding: Finding, profile: Profile) -> list[Must]:
    """Walk along the calls as the specification does."""
    judge = Judge(profile, finding.space)
    state = judge.initial
    found = []
    for step in finding.steps:
        call, reply = step.call, step.answer.reply
        outcome = judge.expect(state, call)
        after, start = outcome.after, None if outcome.granted is None else outcome.granted.start
        starts = outcome.starts
        if anywhere(call) and isinstance(reply, Done):
            # Any place that fits is right: the trace goes on from the one that was chosen.
            judged = judge.judge(state, call, reply)
            if judged.violation is None and judged.after is not None:
                after, start, starts = judged.after, reply.start, reply.starts
        state = after
        live, devices = live_ranges(state), state.devices
        found.append(Must(call, outcome.refusal, start, starts, outcome.at, live, devices))
    return found


def anywhere(call: Call) -> bool:
    """Whether the target may choose a place."""
    if isinstance(call, Batch):
        return any(map(anywhere, call.calls))
    return isinstance(call, Allocate) and call.start is None and call.pick is Pick.ANY


def lists_live(finding: Finding) -> bool:
    """Whether the finding is about what the target says is live."""
    return bool(finding.steps) and finding.steps[-1].answer.live is not None


def note(must: Must) -> list[str]:
    """Return what is to be said before a call whose place is the target's choice."""
    if must.refusal is not None or not anywhere(must.call):
        return []
    return [f"{INDENT}# Any start that fits is right; the calls below go on from this one."]
