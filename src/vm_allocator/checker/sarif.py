"""The report as SARIF 2.1.0: properties are its rules, findings its results.

An allocator behind a protocol has no lines of source, so that no result has a physical
location: nothing of the machine that ran the check is in the file. Sections in brackets are
those of the standard, https://docs.oasis-open.org/sarif/sarif/v2.1.0/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vm_allocator._version import __version__

from .judge import Property
from .text import cut_text
from .words import answered, asked, shown_ranges

if TYPE_CHECKING:
    from .baseline import Baseline
    from .campaign import Report
    from .findings import Finding
    from .trial import Step

Sarif: TypeAlias = dict[str, Any]

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT: Final = "vmAllocatorFinding/v1"

MOST_STEPS: Final = 200
"""Calls of one trace that are written out: the last ones."""

MOST_TEXT: Final = 400
"""Characters of one text."""

_MOST_LIVE: Final = 8
"""Live ranges that are named in one state."""


def sarif(report: Report, baseline: Baseline | None = None) -> Sarif:
    """Return the report as a SARIF log, to be written as JSON.

    A finding that the baseline accepts is suppressed, with the reason as its justification.
    """
    reasons = {} if baseline is None else {one.finding: one.reason for one in baseline.accepted}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "vm-allocator check",
                        "semanticVersion": __version__,
                        "rules": [_rule(one) for one in Property],
                    }
                },
                "invocations": [{"executionSuccessful": report.coverage.tally.calls > 0}],
                "results": [
                    _result(report, one, reasons.get(one.fingerprint)) for one in report.findings
                ],
                "properties": {
                    "target": _cut(report.profile.name),
                    "seed": report.options.seed,
                    "calls": report.coverage.tally.calls,
                    "groupsNotListed": report.more_groups,
                },
            }
        ],
    }


def rule_id(broken: Property) -> str:
    """Return the name of a property as an identifier: "no-overlap"."""
    return broken.value.replace(" ", "-")


def _rule(one: Property) -> Sarif:
    return {
        "id": rule_id(one),
        "name": "".join(word.capitalize() for word in rule_id(one).split("-")),  # [3.49.7]
        "shortDescription": {"text": one.sentence},
        "defaultConfiguration": {"level": "error"},
    }


def _result(report: Report, finding: Finding, reason: str | None) -> Sarif:
    target = {"name": _cut(report.profile.name), "kind": "module"}
    found: Sarif = {
        "ruleId": rule_id(finding.broken),
        "ruleIndex": list(Property).index(finding.broken),
        "kind": "fail",
        "level": "error",
        "message": {"text": _message(finding)},
        "locations": [{"logicalLocations": [target]}],
        "fingerprints": {FINGERPRINT: finding.fingerprint},
        "occurrenceCount": max(1, finding.occurrences),
        "properties": {"foundBy": _cut(finding.found_by), "shrunk": finding.shrunk},
    }
    if finding.steps:
        steps = finding.steps[-MOST_STEPS:]
        before = len(finding.steps) - len(steps)
        flow = [_flow(number, step) for number, step in enumerate(steps, start=before + 1)]
        space = f"calls on a fresh allocator of {finding.space}"
        skipped = f"; the first {before} are left out" if before else ""
        found["codeFlows"] = [
            {"message": {"text": space + skipped}, "threadFlows": [{"locations": flow}]}
        ]
    if reason is not None:
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": _cut(reason)}
        ]
    return found


def _message(finding: Finding) -> str:
    """Return what is wrong, in lines."""
    lines = [finding.violation.words, f"Broken: {finding.broken.sentence}.", *finding.notes[:5]]
    return "\n".join(map(_said, lines))


def _flow(number: int, step: Step) -> Sarif:
    said = f"{number}. {asked(step.call)}: {answered(step.call, step.answer.reply)}"
    if step.violation is not None:
        said += f"; must be {step.expected}"
    live = shown_ranges(step.before[:_MOST_LIVE])
    more = len(step.before) - _MOST_LIVE
    return {
        "location": {"message": {"text": _said(said)}},
        "state": {"live before": {"text": f"{live} and {more} more" if more > 0 else live}},
        "importance": "important" if step.violation is None else "essential",
        "executionOrder": number,
    }


def _cut(text: str) -> str:
    return cut_text(text, MOST_TEXT)


def _said(text: str) -> str:
    """Return text for a message: no part of it is a link or a placeholder [3.11.5, 3.11.6]."""
    plain = _cut(text)
    if "](" in plain:
        plain = plain.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return plain.replace("{", "{{").replace("}", "}}")
