"""A report as JSON: stable, for machines. Numbers are numbers; ranges are [start, end]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from .calls import Allocate, Batch, Failed, Free
from .wide import Wide
from .words import answered, asked

if TYPE_CHECKING:
    from vm_allocator.modelling import Range

    from .baseline import Baseline
    from .calls import Call
    from .campaign import Coverage, Report
    from .findings import Finding
    from .trial import Step

Json: TypeAlias = dict[str, Any]

FORMAT: Final = 1
"""Grows when a field changes its meaning or goes; new fields may come without."""

MOST_STEPS: Final = 200
"""Calls of one trace that are written out; the last ones."""


def as_json(report: Report, baseline: Baseline) -> Json:
    """Return the report as plain data.

    `format`, `holds`, `target` (its handshake), `seed`, `stopped_by` (time, calls, failures,
    interrupt), `seconds`, `coverage`, `more_groups` (groups that are not listed), `gone`
    (accepted findings that were not found) and `findings`: each with `finding` (its
    fingerprint), `new`, `property`, `sentence`, `operation`, `expected`, `actual`, `words`,
    `occurrences`, `found_by`, `after_calls`, `shrunk`, `notes`, `space` (of several pools also
    `pools`) and `steps`; a step has
    `call` (as in docs/protocol.md), `text`, `expected`, `answer`, `detail`, `before`, `wanted`
    and `after` (null where nobody can go on), and `reserved` while moves are pending.
    """
    new = {one.fingerprint for one in baseline.new(report.findings)}
    return {
        "format": FORMAT,
        "holds": report.holds or (bool(report.findings) and not new),
        "target": msgspec.to_builtins(report.profile),
        "seed": report.options.seed,
        "stopped_by": report.stopped_by,
        "seconds": round(report.seconds, 3),
        "coverage": _coverage(report.coverage),
        "more_groups": report.more_groups,
        "gone": [msgspec.to_builtins(entry) for entry in baseline.gone(report.findings)],
        "findings": [_finding(one) | {"new": one.fingerprint in new} for one in report.findings],
    }


def _finding(one: Finding) -> Json:
    _, operation, expected, actual = one.key
    return {
        "finding": one.fingerprint,
        "property": one.broken.value,
        "sentence": one.broken.sentence,
        "operation": operation,
        "expected": expected,
        "actual": actual,
        "words": one.violation.words,
        "occurrences": one.occurrences,
        "found_by": one.found_by,
        "after_calls": one.after_calls,
        "shrunk": one.shrunk,
        "notes": list(one.notes),
        "space": [one.space.base, one.space.last],
        **({"pools": one.space.message()} if one.space.pools else {}),
        "calls": len(one.steps),
        "steps": [_step(step) for step in one.steps[-MOST_STEPS:]],
    }


def _step(step: Step) -> Json:
    reply = step.answer.reply
    return {
        "call": call_as_json(step.call),
        "text": asked(step.call),
        "expected": step.expected,
        "answer": answered(step.call, reply),
        "detail": reply.detail if isinstance(reply, Failed) else "",
        "before": _ranges(step.before),
        **({"reserved": _ranges(step.reserved)} if step.reserved else {}),
        "wanted": _ranges(step.wanted),
        "after": None if step.after is None else _ranges(step.after),
    }


def call_as_json(call: Call) -> Json:
    """Return a call in the fields of docs/protocol.md."""
    if isinstance(call, Wide):
        return call.message()
    if isinstance(call, Batch):
        return {"op": "batch", "calls": [call_as_json(one) for one in call.calls]}
    if isinstance(call, Free):
        return {"op": "free", "start": call.start, "size": call.size}
    options: Json = {} if call.align is None else {"align": call.align}
    if call.within is not None:
        options["within"] = list(call.within)
    if not isinstance(call, Allocate):
        old = {"old_start": call.old_start, "old_size": call.old_size}
        return {"op": "update", **old, "start": call.start, "size": call.size, **options}
    place: Json = {"policy": call.pick.value} if call.start is None else {"start": call.start}
    return {"op": "allocate", "size": call.size, **place, **options}


def _coverage(coverage: Coverage) -> Json:
    tally = coverage.tally
    return {
        "calls": tally.calls,
        "sequences": tally.sequences,
        "skipped": tally.skipped,
        "spaces": len(tally.spaces),
        "spaces_refused": tally.spaces_refused,
        "most_live": tally.most_live,
        "states_of_tiny_spaces": len(tally.tiny_states),
        "outcomes": [
            {"operation": operation, "outcome": outcome, "calls": calls}
            for (operation, outcome), calls in sorted(tally.outcomes.items())
        ],
        "complete": [
            {"units": units, "calls": calls, "spaces": spaces}
            for (units, calls), spaces in sorted(coverage.complete.items())
        ],
        "drawn": dict(coverage.drawn),
        "units": coverage.units,
        "units_given_up": coverage.given_up,
    }


def _ranges(ranges: tuple[Range, ...]) -> list[list[int]]:
    return [[start, end] for start, end in ranges]
