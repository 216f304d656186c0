"""The files that a check leaves behind, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .html import html_page
from .itf import itf
from .junit import junit
from .regression import regression_test
from .sarif import sarif

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .baseline import Baseline
    from .campaign import Report


@dataclass(frozen=True)
class Files:
    """Where to write what; `None`: nowhere."""

    html: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    save: Path | None = None
    """A directory: `FINGERPRINT.itf.json` and `test_FINGERPRINT.py` for each finding."""

    def write(self, report: Report, target: Sequence[str], known: Baseline) -> None:
        """Write them all. `target` is what was named on the command line. Raises OSError."""
        if self.html is not None:
            self.html.write_text(html_page(report), encoding="utf-8")
        if self.junit is not None:
            junit(report, known).write(str(self.junit), pretty=True)
        if self.sarif is not None:
            self.sarif.write_text(_json(sarif(report, known)), encoding="utf-8")
        if self.save is None:
            return
        self.save.mkdir(parents=True, exist_ok=True)
        for finding in report.findings:
            trace = self.save / f"{finding.fingerprint}.itf.json"
            trace.write_text(_json(itf(finding)), encoding="utf-8")
            test = self.save / f"test_{finding.fingerprint}.py"
            source = regression_test(finding, target, report.profile)
            test.write_text(source, encoding="utf-8")


def _json(data: object) -> str:
    return json.dumps(data, indent=2) + "\n"
