"""The report as JUnit XML, for the pages of CI systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from .judge import Property
from .text import cut_text
from .words import answered, asked

if TYPE_CHECKING:
    from .baseline import Baseline
    from .campaign import Report
    from .findings import Finding

MOST_STEPS: Final = 60
"""Calls of one trace that are written out: the last ones."""

MOST_TEXT: Final = 400
"""Characters of one text."""


def junit(report: Report, baseline: Baseline | None = None) -> JUnitXml:
    """Return one failed case per finding, and a passed one per property without any.

    A finding that the baseline accepts is a skipped case, with the reason. Properties that
    nothing was asked about have no case; where no call was made at all, one case is an error.
    """
    reasons = {} if baseline is None else {one.finding: one.reason for one in baseline.accepted}
    suite = TestSuite("vm-allocator check")
    name = cut_text(report.profile.name, MOST_TEXT)
    for finding in report.findings:
        title = f"{finding.broken.value}: {finding.title} [{finding.fingerprint}]"
        case = TestCase(cut_text(title, MOST_TEXT), name)
        reason = reasons.get(finding.fingerprint)
        if reason is None:
            problem: Failure | Skipped = Failure(cut_text(finding.violation.words, MOST_TEXT))
            problem.text = "\n".join(story(finding))
        else:
            problem = Skipped(cut_text(f"accepted: {reason}", MOST_TEXT))
        case.result = [problem]
        suite.add_testcase(case)
    broken = {finding.broken for finding in report.findings}
    for one in looked_at(report):
        if one not in broken:
            suite.add_testcase(TestCase(f"{one.value}: {one.sentence}", name))
    if not report.findings and not report.holds:
        case = TestCase("nothing was checked", name)
        case.result = [Error("not one call was made")]
        suite.add_testcase(case)
    if report.more_groups:
        case = TestCase("findings that are not listed", name)
        case.result = [Failure(f"{report.more_groups} more groups were counted")]
        suite.add_testcase(case)
    suite.time = round(report.seconds, 3)
    found = JUnitXml("vm-allocator check")
    found.add_testsuite(suite)
    found.update_statistics()  # type: ignore[no-untyped-call]  # untyped in junitparser
    return found


def story(finding: Finding) -> list[str]:
    """Return a finding in lines: the property, the trace, what was expected, the notes."""
    lines = [
        f"{finding.broken.sentence}",
        f"on a fresh allocator of {finding.space}:",
    ]
    steps = finding.steps[-MOST_STEPS:]
    if len(steps) < len(finding.steps):
        lines.append(f"  ... {len(finding.steps) - len(steps)} calls before")
    for step in steps:
        line = f"  {asked(step.call)}  ->  {answered(step.call, step.answer.reply)}"
        lines.append(line if step.violation is None else f"{line}   must be: {step.expected}")
    lines += [finding.violation.words, *finding.notes]
    lines.append(f"seen {finding.occurrences:,} times; finding {finding.fingerprint}")
    return [cut_text(line, MOST_TEXT) for line in lines]


def looked_at(report: Report) -> list[Property]:
    """Return the properties that the calls of the campaign could have shown to be broken."""
    profile, tally = report.profile, report.coverage.tally
    asked_for = {operation for (operation, _), calls in tally.outcomes.items() if calls}
    outcomes = {outcome for (_, outcome), calls in tally.outcomes.items() if calls}
    refused = bool(outcomes - {"granted"})
    looked = {
        Property.SPACE: bool(tally.spaces),
        Property.BOUNDS: True,
        Property.NO_OVERLAP: True,
        Property.ALIGNMENT: profile.align or profile.default_alignment > 1,
        Property.COMPLETENESS: "granted" in outcomes,
        Property.OPTIMALITY: bool(
            asked_for & {"allocate first", "allocate last", "allocate exact"}
        ),
        Property.EXACT_FREE: "free" in asked_for,
        Property.ATOMICITY: refused,
        Property.CONSERVATION: profile.lists,
        Property.TWO_PHASE: "move_begin" in asked_for,
        Property.VALIDITY: bool(outcomes & {"invalid-size", "invalid-alignment"}),
        Property.REASON: profile.reasons and refused,
        Property.NO_CRASH: True,
        Property.NO_HANG: True,
        Property.PROTOCOL: True,
    }
    return [one for one in Property if tally.calls and looked.get(one, True)]
