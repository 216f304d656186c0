"""The rows as JSON and as JUnit XML, for machines to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from .rows import Section

if TYPE_CHECKING:
    from pathlib import Path

    from .rows import Row, Summary


def as_json(summary: Summary) -> str:
    """Return the summary as JSON.

    `holds`, `exit_code`, `seconds`, `seed`, and `rows`, each with `section`, `name`, `claim`,
    `verdict` (proved, refuted, unknown), `answer` (the verdict in the words of the table, where
    a bounded row is never called proved), `second_solver`, `second_opinion`, `holds`,
    `seconds`, `measure`, `evidence` (a list of lines) and `reason`. `not_looked_at` lists the
    `section` and `name` of what a refutation left undone.
    """
    data: dict[str, Any] = {
        "holds": summary.holds,
        "exit_code": summary.exit_code,
        "seconds": round(summary.seconds, 3),
        "seed": summary.seed,
        "rows": [_row(row) for row in summary.rows],
        "not_looked_at": [
            {"section": task.section.name.lower(), "name": task.name}
            for task in summary.not_looked_at
        ],
    }
    return json.dumps(data, indent=2)


def _row(row: Row) -> dict[str, Any]:
    return {
        "section": row.section.name.lower(),
        "name": row.name,
        "claim": row.claim,
        "verdict": row.verdict.value,
        "answer": row.answer,
        "second_solver": row.second_solver,
        "second_opinion": row.opinion.value,
        "holds": row.holds,
        "seconds": round(row.seconds, 3),
        "measure": row.measure,
        "evidence": list(row.evidence),
        "reason": row.reason,
    }


def write_junit(summary: Summary, path: Path) -> None:
    """Write one suite per section, one case per row; what was not looked at is skipped.

    Raises OSError when it cannot.
    """
    report = JUnitXml("vm-allocator verify")
    for section in Section:
        rows = [row for row in summary.rows if row.section is section]
        left = [task for task in summary.not_looked_at if task.section is section]
        if not rows and not left:
            continue
        suite = TestSuite(section.value)
        for row in rows:
            case = TestCase(row.name, f"verify.{section.name.lower()}", row.seconds)
            if not row.holds:
                problem = Failure(row.reason) if row.refuted else Error(row.reason)
                problem.text = "\n".join(row.evidence)
                case.result = [problem]
            suite.add_testcase(case)
        for task in left:
            case = TestCase(task.name, f"verify.{section.name.lower()}", 0.0)
            case.result = [Skipped("not looked at: something is wrong already")]
            suite.add_testcase(case)
        report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]  # untyped in junitparser
    report.write(str(path), pretty=True)
