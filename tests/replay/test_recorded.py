"""The recorded traces, against golden numbers and against what their recorder counted."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from vm_allocator.replay import BarReplay, Kind, Played, VectorReplay, Verdict, play_file

from .support import TRACES

MORE_TRACES = "VM_ALLOCATOR_TRACES"
"""A directory of further traces that `test_more_traces_hold` plays."""


class Golden(NamedTuple):
    first: int
    moves: int
    remaps: int
    swaps: int
    takeovers: int
    onto_live: int
    outside: int
    allocated: int
    updated: int
    freed: int
    crossed: int
    refused: dict[str, int]
    misplaced: int


NONE: dict[str, int] = {}
PROVOKED = {"out-of-bounds": 18, "overlap": 4}

BARS = {
    "i440fx-seabios.alloc": Golden(
        46, 155, 2687, 7, 67, 8, 0, 2744, 24, 2700, 34, {"overlap": 120}, 2
    ),
    "i440fx-seabios.sticky": Golden(46, 155, 0, 7, 67, 9, 0, 112, 41, 66, 66, {"overlap": 48}, 24),
    "q35-hotplug-acpi": Golden(103, 0, 83, 0, 29, 0, 0, 186, 0, 168, 0, NONE, 0),
    "q35-hotplug-acpi.alloc": Golden(103, 0, 83, 0, 29, 0, 0, 186, 0, 168, 0, NONE, 0),
    "q35-hotplug-acpi.sticky": Golden(57, 0, 46, 0, 13, 0, 0, 103, 0, 84, 0, NONE, 0),
    "q35-hotplug-pciehp": Golden(55, 0, 87, 0, 6, 0, 0, 142, 0, 124, 0, NONE, 0),
    "q35-hotplug-pciehp.alloc": Golden(45, 0, 97, 0, 2, 0, 0, 142, 0, 124, 0, NONE, 0),
    "q35-hotplug-pciehp.sticky": Golden(45, 0, 14, 0, 2, 0, 0, 59, 0, 40, 0, NONE, 0),
    "q35-provoked": Golden(35, 44, 292, 4, 25, 4, 18, 349, 0, 315, 0, PROVOKED, 0),
    "q35-provoked.alloc": Golden(35, 44, 292, 4, 25, 4, 18, 327, 22, 293, 0, PROVOKED, 0),
    "q35-provoked.sticky": Golden(35, 44, 0, 4, 25, 4, 18, 35, 22, 0, 0, PROVOKED, 0),
    "q35-seabios-fwonly": Golden(50, 60, 250, 0, 0, 0, 0, 360, 0, 314, 0, NONE, 0),
    "q35-seabios-fwonly.alloc": Golden(50, 60, 250, 0, 0, 0, 0, 300, 60, 254, 0, NONE, 0),
    "q35-seabios-fwonly.sticky": Golden(50, 60, 0, 0, 0, 0, 0, 50, 60, 0, 0, NONE, 0),
    "q35-sriov": Golden(13, 15, 234, 0, 0, 0, 0, 262, 0, 254, 0, NONE, 0),
    "q35-sriov.alloc": Golden(13, 15, 234, 0, 0, 0, 0, 262, 0, 254, 8, NONE, 0),
    "q35-sriov.sticky": Golden(13, 15, 40, 0, 0, 0, 0, 68, 0, 59, 15, NONE, 0),
}

# allocated, freed by the guest, freed by resets, resets
VECTORS = {
    "q35-hotplug-acpi.irq": (85, 81, 0, 0),
    "q35-hotplug-pciehp.irq": (45, 41, 0, 0),
    "q35-provoked.irq": (27, 7, 0, 0),
    "q35-seabios-fwonly.irq": (0, 0, 0, 19),
    "q35-sriov.irq": (34, 32, 1, 2),
}


def _counted() -> dict[str, Any]:
    counted: dict[str, Any] = json.loads((TRACES / "windows.json").read_text(encoding="utf-8"))
    return counted


def _play(name: str) -> Played:
    played = play_file(TRACES / f"{name}.jsonl")
    assert Verdict.HOLDS is played.verdict
    return played


def _bars(name: str) -> BarReplay:
    result = _play(name).result
    assert isinstance(result, BarReplay)
    return result


def test_every_copied_trace_has_its_golden_numbers() -> None:
    copied = {file.name.removesuffix(".jsonl") for file in TRACES.glob("*.jsonl")}
    assert set(BARS) | set(VECTORS) == copied


@pytest.mark.parametrize("name", BARS)
def test_bars(name: str) -> None:
    result = _bars(name)
    guest = result.guest
    found = Golden(
        guest.first,
        guest.moves,
        guest.remaps,
        guest.swaps,
        guest.takeovers,
        guest.onto_live,
        guest.outside,
        result.allocated,
        result.updated,
        result.freed,
        result.crossed,
        dict(result.reasons),
        len(result.misplaced),
    )
    assert BARS[name] == found
    assert guest.irregular == 0
    # Nothing is lost: what was allocated and not freed is held.
    assert len(result.held) == result.allocated - result.freed


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    result = _play(name).result
    assert isinstance(result, VectorReplay)
    assert VECTORS[name] == (
        result.allocated,
        result.freed,
        result.freed_by_reset,
        result.resets,
    )
    # The recorder gave each vector the lowest free number, and so does FirstMatch.
    assert result.allocated == result.as_recorded
    assert (sum(result.refusals.values()), result.irregular) == (0, 0)
    assert _counted()[name.removesuffix(".irq")]["max_live_msi"] == result.peak


@pytest.mark.parametrize("name", [name for name in BARS if "." not in name])
def test_the_recorder_counted_the_same(name: str) -> None:
    mapped, followed = _bars(name).guest, _bars(f"{name}.alloc").guest
    counted = _counted()[name]
    assert counted["distinct_bars"] == mapped.bars
    assert counted["distinct_devices"] == mapped.devices
    assert counted["max_live_bars"] == mapped.peak
    assert counted["max_live_bars"] == followed.peak
    # The two files tell one story: what is an update in one is an unmap and a map in the other.
    assert mapped.moves == followed.moves
    assert mapped.first + mapped.remaps == followed.first + followed.remaps
    assert mapped.onto_live == followed.onto_live


def test_what_the_recorder_saw_overlap_is_what_is_refused_first() -> None:
    """As long as nothing was refused, the allocator holds what the machine had mapped."""
    file = TRACES / "i440fx-seabios.alloc.jsonl"
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines = [number for number, record in enumerate(records, 1) if "overlaps" in record]
    result = _bars("i440fx-seabios.alloc")
    first = result.refusals[0]
    assert len(lines) == result.guest.onto_live
    assert lines[0] == first.line
    in_way = [[*bar, at.start, at.size] for bar, at in first.in_way]
    assert records[first.line - 1]["overlaps"] == in_way


@pytest.mark.skipif(MORE_TRACES not in os.environ, reason=f"{MORE_TRACES} names no directory")
def test_more_traces_hold() -> None:
    files = sorted(Path(os.environ[MORE_TRACES]).glob("*.jsonl"))
    assert files
    verdicts = {file.name: play_file(file).verdict for file in files}
    assert dict.fromkeys(verdicts, Verdict.HOLDS) == verdicts


def test_sticky_is_told_by_the_name() -> None:
    played = _play("q35-sriov.sticky")
    assert played.trace is not None
    assert Kind.STICKY is played.trace.kind
