"""What the replay tests share: where the traces are, and small traces written in place."""

import json
from pathlib import Path
from typing import Any

from vm_allocator.replay import Trace, Windows, read_trace
from vm_allocator.replay.formats import Space, Window

TRACES = Path(__file__).parents[1] / "traces"
WINDOWS = Windows((Window(Space.MMIO, 0x1000, 0x8FFF), Window(Space.MMIO, 0x10000, 0x1FFFF)))


def bar(op: str, device: str, base: int, size: int = 0x1000, **more: object) -> dict[str, Any]:
    """One record of BAR 0 of a device, in memory space."""
    record = {"op": op, "device": device, "bar": 0, "space": "mmio", "base": base, "size": size}
    return {**record, "t": 0.5, **more}


def vector(op: str, device: str, gsi: int) -> dict[str, Any]:
    """One record of entry 0 of a device."""
    record = {"op": op, "device": device, "entry": 0, "gsi": gsi, "t": 0.5}
    return {**record, "kind": "msix", "addr": 0, "data": 0} if op != "free" else record


def write(file: Path, *records: dict[str, Any]) -> Path:
    """Write a trace."""
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def trace(folder: Path, *records: dict[str, Any], name: str = "small.alloc.jsonl") -> Trace:
    """Write a trace and read it."""
    return read_trace(write(folder / name, *records))
