"""An exploration as JUnit XML: one case per invariant, and one per action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from vm_allocator.proving.verdict import Verdict

from .words import steps_said

if TYPE_CHECKING:
    from pathlib import Path

    from .exploring import Exploration


def write_junit(found: Exploration, path: Path) -> None:
    """Write what holds, what is refuted (a failure) and what is not known (an error).

    Raises OSError when it cannot.
    """
    report = JUnitXml("vm-allocator explore")
    suite = TestSuite(found.subject.name)
    trace = found.search.trace
    broken = [] if trace is None else [rule.name for rule in trace.broken()]
    is_enough = found.proof is not None or found.options.accept_bounded
    for rule in found.subject.rules:
        case = TestCase(rule.name, "explore.invariant", 0.0)
        if trace is not None and rule.name in broken:
            problem: Failure | Error = Failure(rule.words)
            problem.text = "\n".join(steps_said(trace))
            case.result = [problem]
        elif found.verdict is not Verdict.PROVED or not is_enough:
            case.result = [Error(found.reason or "another invariant is refuted")]
        suite.add_testcase(case)
    for action in found.subject.actions:
        case = TestCase(f"{action.name} happens", "explore.action", 0.0)
        if action.name in found.dead:
            case.result = [Failure("it can never happen")]
        elif action.name in found.idle:
            case.result = [
                Error("it was not seen to happen")
                if trace is None
                else Skipped("the search ended where an invariant is broken")
            ]
        suite.add_testcase(case)
    report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]  # untyped in junitparser
    report.write(str(path), pretty=True)
