"""The files that a check leaves behind, for people and for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .html import html_page
from .itf import itf
from .regression import regression_test

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .campaign import Report


def write_files(
    report: Report,
    target: Sequence[str],
    *,
    html: Path | None = None,
    save: Path | None = None,
) -> None:
    """Write what is wanted. `target` is what was named on the command line. Raises OSError.

    `save` gets two files for each finding: `FINGERPRINT.itf.json` and `test_FINGERPRINT.py`.
    """
    if html is not None:
        html.write_text(html_page(report), encoding="utf-8")
    if save is None:
        return
    save.mkdir(parents=True, exist_ok=True)
    for finding in report.findings:
        trace = json.dumps(itf(finding), indent=2)
        (save / f"{finding.fingerprint}.itf.json").write_text(trace + "\n", encoding="utf-8")
        test = regression_test(finding, target, report.profile)
        (save / f"test_{finding.fingerprint}.py").write_text(test, encoding="utf-8")
