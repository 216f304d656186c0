"""Made-up results, with round numbers."""

from __future__ import annotations

from typing import Any

from benchmarks.results import Results


def row(scenario: str, subject: str, size: int, ns: float | None, **more: Any) -> dict[str, Any]:
    """Return a row: measured, or not run."""
    measured = {"not_run": "too slow"} if ns is None else {"ns": ns, "slices": [ns]}
    return {"scenario": scenario, "subject": subject, "size": size, **measured, **more}


def made_up() -> Results:
    """Return a small run: ours meets most targets, and misses two."""
    return Results(
        machine={
            "processor": "A <processor>",
            "cores": "2",
            "load": "0.1",
            "system": "Linux x86_64",
            "python": "CPython 3.11",
            "rustc": "1.90",
        },
        plan={"rounds": 3},
        rows=[
            row("churn", "GapTree", 1000, 4_000.0, sum=7),
            row("churn", "GapTree", 100_000, 10_000.0, sum=7),
            row("churn", "SortedDict pair", 1000, 1_000.0, sum=0),
            row("churn", "SortedDict pair", 100_000, 2_000.0, sum=0),
            row("churn", "vm-allocator 0.1.4 (Rust)", 1000, 8_000.0, sum=7),
            row("churn", "vm-allocator 0.1.4 (Rust)", 100_000, None),
            row("exact", "GapTree", 1000, 3_000.0, sum=1),
            row("exact", "GapTree index", 1000, 2_000.0, sum=1),
            row("exact", "GapTree index (compiled)", 1000, 2_000.0, sum=1),
            row("exact", "SortedDict pair", 1000, 1_000.0, sum=2),
            row("smallest-id", "ids by IdBitmap", 1000, 1_000.0, sum=3),
            row("smallest-id", "ids by IdBitmap", 100_000, 4_000.0, sum=3),
        ],
        memory=[
            {"state": "mixed", "subject": "GapTree", "size": 1000, "bytes": 100.0},
            {"state": "dense-ids", "subject": "ids by IdBitmap", "size": 1000, "bytes": 8.0},
            {"state": "dense-ids", "subject": "ids by IdBitmap", "size": 10_000, "bytes": 0.5},
        ],
        worst=[
            {
                "subject": "GapTree",
                "size": 1000,
                "case": "all holes too small",
                "ns": 6_000_000,
                "operation": "first fit",
                "operations": 10,
            }
        ],
        notes=["a note"],
    )
