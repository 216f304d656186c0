"""The report as one page of HTML that needs nothing besides itself.

What the page shows is computed here as plain data; `page.html` draws it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from .judge import Property
from .pictured import Limits, pictured, wrong_calls
from .text import cut_text
from .words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .campaign import Report
    from .findings import Finding
    from .pictured import Wrong

MOST_FINDINGS: Final = 60
"""Findings on one page: the first ones, which have the shortest traces."""

MOST_BYTES: Final = 900_000
"""Of data in a page. Where it is more, traces are shown from a later call on, texts cut shorter."""

LIMITS: Final = (
    Limits(200, 400, 400),
    Limits(200, 160, 200),
    Limits(100, 160, 100),
    Limits(50, 160, 100),
    Limits(30, 160, 60),
    Limits(20, 120, 40),
    Limits(8, 60, 16),
    Limits(3, 40, 8),
)
"""From generous to what always fits."""

_ESCAPES: Final = str.maketrans(
    {
        c: f"\\u{ord(c):04x}"
        for c in ("<", ">", "&", "\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}")
    }
)


def html_page(report: Report) -> str:
    """Return the page. Text of the target is data in it, and never markup or a program."""
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return filled(template, page_data(report))


def filled(template: str, data: dict[str, Any]) -> str:
    """Return a page with its data in it, and with a policy that lets nothing else into it."""
    policy = "; ".join(
        [
            "default-src 'none'",
            *(
                f"{kind}-src '{_digest(template, tag)}'"
                for kind, tag in (("script", "script"), ("style", "style"))
            ),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return template.replace("$POLICY", policy, 1).replace("$DATA", as_script_data(data), 1)


def as_script_data(data: dict[str, Any]) -> str:
    """Return JSON that can stand in a script element whatever it holds."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def page_data(report: Report) -> dict[str, Any]:
    """Return what the page shows.

    `target`, `verdict` and `summary` (lines) of the whole; `left_out` (lines): what is not on
    the page; `properties`: every property in words; `findings`, each with `id` (the
    fingerprint), `title`, `broken`, `sentence`, `words`, `occurrences`, `found_by`, `notes`,
    and its trace as `pictured` describes it.
    """
    data: dict[str, Any] = {}
    wrong = [wrong_calls(one) for one in report.findings[:MOST_FINDINGS]]
    for limits in LIMITS:
        data = _page_data(report, wrong, limits)
        if len(as_script_data(data).encode()) <= MOST_BYTES:
            break
    return data


def _page_data(
    report: Report, wrong: Sequence[Mapping[int, Wrong]], limits: Limits
) -> dict[str, Any]:
    pairs = zip(report.findings, wrong, strict=False)
    found = [_finding(finding, calls, limits) for finding, calls in pairs]
    return {
        "target": cut_text(report.profile.name, limits.text),
        "verdict": verdict(report),
        "summary": _summary(report),
        "left_out": _left_out(report, limits, found),
        "properties": [[one.value, one.sentence] for one in Property],
        "findings": found,
    }


def verdict(report: Report) -> str:
    """Return the outcome in a line."""
    if report.holds:
        return "no counterexample was found"
    if not report.findings:
        return "nothing was checked: not one call was made"
    count = len(report.findings) + report.more_groups
    return "1 finding" if count == 1 else f"{count} findings"


def _summary(report: Report) -> list[str]:
    tally = report.coverage.tally
    ended = {
        "time": "the time limit",
        "calls": "the limit of calls",
        "interrupt": "an interrupt",
        "failures": "failures to start the target",
    }
    looked = f"{tally.calls:,} calls in {tally.sequences:,} sequences"
    lines = [
        f"{looked} on {len(tally.spaces):,} spaces, {report.seconds:.1f} s",
        f"at most {tally.most_live:,} ranges live at once",
        f"seed {report.options.seed}; ended by {ended.get(report.stopped_by, report.stopped_by)}",
    ]
    if tally.skipped:
        lines.append(f"{tally.skipped:,} calls were skipped by the target, and do not count")
    lines += [
        f"every sequence of {calls} call{'s' * (calls != 1)} "
        f"in {spaces} space{'s' * (spaces != 1)} of {units} unit{'s' * (units != 1)}"
        for (units, calls), spaces in sorted(report.coverage.complete.items())
    ]
    lines += [
        f"drawn: {title}, {count} unit{'s' * (count != 1)}"
        for title, count in report.coverage.drawn.items()
    ]
    return [cut_text(line, 200) for line in lines[:20]]


def _left_out(report: Report, limits: Limits, found: list[dict[str, Any]]) -> list[str]:
    lines = []
    hidden = len(report.findings) - len(found)
    if hidden > 0:
        lines.append(f"{hidden} findings are not on this page: it shows the first {len(found)}")
    if report.more_groups:
        lines.append(
            f"{report.more_groups} more groups were counted, but not made small and not shown"
        )
    late = sum(one["skipped"] > 0 for one in found)
    if late:
        lines.append(f"{late} traces are shown from a later call on: the last {limits.steps} calls")
    if any(one["more_live"] for one in found):
        lines.append("where very many ranges are live, only the youngest are drawn")
    return lines


def _finding(finding: Finding, wrong: Mapping[int, Wrong], limits: Limits) -> dict[str, Any]:
    space = finding.space
    return {
        "id": finding.fingerprint,
        "title": cut_text(finding.title, limits.text),
        "broken": finding.broken.value,
        "sentence": finding.broken.sentence,
        "words": cut_text(finding.violation.words, 2 * limits.text),
        "occurrences": finding.occurrences,
        "found_by": cut_text(
            f"{finding.found_by}, after {finding.after_calls:,} calls", limits.text
        ),
        "notes": [cut_text(note, limits.text) for note in finding.notes[:5]],
        "space_text": str(space) if space.pools else f"{shown(space.base)} to {shown(space.last)}",
        **pictured(finding, wrong, limits),
    }


def _digest(template: str, tag: str) -> str:
    """Return the hash of the one element of that tag that has no attributes."""
    found = re.search(rf"<{tag}>(.*?)</{tag}>", template, re.DOTALL)
    inside = "" if found is None else found.group(1)
    return "sha256-" + base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
