"""What a run found: rows of numbers, and the few questions that are asked of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]

ORDER: Final = (
    "GapTree", "ids by IdBitmap", "ids by GapTree", "SortedGaps", "ids by SortedGaps",
    "SortedDict", "portion", "intervaltree",
)  # fmt: skip
"""The subjects in tables, by how their names start; whatever else there is comes last."""


@dataclass(frozen=True)
class Results:
    """A run. Every time is in nanoseconds per operation, a median of slices."""

    machine: dict[str, str]
    plan: dict[str, Any]
    rows: list[Row]
    memory: list[Row]
    worst: list[Row]
    notes: list[str]

    def time(self, scenario: str, subject: str, size: int) -> float | None:
        """Return the time of an operation; `None` if it was not measured."""
        for row in self.rows:
            if (row["scenario"], row["subject"], row["size"]) == (scenario, subject, size):
                return row.get("ns")
        return None

    def reason(self, scenario: str, subject: str, size: int) -> str:
        """Return why it was not measured; nothing if there was nothing to measure."""
        for row in self.rows:
            if (row["scenario"], row["subject"], row["size"]) == (scenario, subject, size):
                return str(row.get("not_run", ""))
        return ""

    def ratio(self, scenario: str, subject: str, rival: str, size: int) -> float | None:
        """Return how many times as long the subject takes as the rival."""
        mine, theirs = self.time(scenario, subject, size), self.time(scenario, rival, size)
        return None if mine is None or theirs is None else mine / theirs

    def growth(self, scenario: str, subject: str) -> float | None:
        """Return how many times as long an operation takes at 10^5 as at 10^3."""
        small, large = self.time(scenario, subject, 1000), self.time(scenario, subject, 100_000)
        return None if small is None or large is None else large / small

    def sizes(self) -> list[int]:
        """Return the sizes, smallest first."""
        return sorted({row["size"] for row in self.rows})

    def scenarios(self) -> list[str]:
        """Return the scenarios, in the order of the run."""
        return list(dict.fromkeys(row["scenario"] for row in self.rows))

    def subjects(self, scenario: str) -> list[str]:
        """Return the subjects of a scenario: ours first, then Python's, then Rust's."""
        names = dict.fromkeys(row["subject"] for row in self.rows if row["scenario"] == scenario)
        return sorted(names, key=lambda name: (*(not name.startswith(o) for o in ORDER), name))

    def disagreements(self) -> list[str]:
        """Return where subjects placed what they were asked for differently."""
        found = []
        for scenario in self.scenarios():
            for size in self.sizes():
                sums: dict[int, list[str]] = {}
                for row in self.rows:
                    places = (row["scenario"], row["size"]) == (scenario, size) and "sum" in row
                    if places and not (scenario == "churn" and row["subject"] == "SortedDict pair"):
                        sums.setdefault(row["sum"], []).append(row["subject"])
                if len(sums) > 1:
                    groups = " | ".join(", ".join(names) for names in sums.values())
                    found.append(f"{scenario} at {size}: {groups}")
        return found

    def write(self, path: Path) -> None:
        """Write all of it as JSON, a row in a line."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = []
        for name, value in vars(self).items():
            lines = ",\n ".join(map(json.dumps, value)) if isinstance(value, list) else ""
            shown = f"[\n {lines}\n]" if lines else json.dumps(value)
            parts.append(f"{json.dumps(name)}: {shown}")
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def read(path: Path) -> Results:
    """Read what `write` has written."""
    return Results(**json.loads(path.read_text()))
