"""The three policies: what each makes of a guest that puts BARs on one another."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from typer.testing import CliRunner

from vm_allocator.address import AddressAllocator
from vm_allocator.claims import ClaimPools, Claims
from vm_allocator.commands import app
from vm_allocator.replay import BarReplay, Kind, WhenRefused, play_bars, read_trace, read_windows
from vm_allocator.replay.account import Bar, BarRange
from vm_allocator.replay.command import run
from vm_allocator.replay.formats import Alloc, Free, Map, Space, Unmap, Update
from vm_allocator.replay.outcome import Ending
from vm_allocator.replay.places import alignment_of, containing
from vm_allocator.resource import GuestAddress, GuestUsize

from .support import TRACES, WINDOWS, bar, trace, write

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO, THREE = Bar("one", 0), Bar("two", 0), Bar("three", 0)
NAMES = sorted(
    file.name for file in TRACES.glob("*.jsonl") if read_trace(file).kind is not Kind.INTERRUPTS
)

# Refused by keep and by drop; wrong in the end by either; claims, and granted later.
GOLDEN = {
    "i440fx-seabios.alloc.jsonl": (120, 8, 2, 1, 2888, 8),
    "i440fx-seabios.sticky.jsonl": (48, 9, 24, 4, 201, 9),
    "q35-hotplug-acpi.alloc.jsonl": (0, 0, 0, 0, 186, 0),
    "q35-hotplug-acpi.jsonl": (0, 0, 0, 0, 186, 0),
    "q35-hotplug-acpi.sticky.jsonl": (0, 0, 0, 0, 103, 0),
    "q35-hotplug-pciehp.alloc.jsonl": (0, 0, 0, 0, 142, 0),
    "q35-hotplug-pciehp.jsonl": (0, 0, 0, 0, 142, 0),
    "q35-hotplug-pciehp.sticky.jsonl": (0, 0, 0, 0, 59, 0),
    "q35-provoked.alloc.jsonl": (22, 22, 0, 0, 353, 4),
    "q35-provoked.jsonl": (22, 22, 0, 0, 353, 4),
    "q35-provoked.sticky.jsonl": (22, 22, 0, 1, 61, 4),
    "q35-seabios-fwonly.alloc.jsonl": (0, 0, 0, 0, 360, 0),
    "q35-seabios-fwonly.jsonl": (0, 0, 0, 0, 360, 0),
    "q35-seabios-fwonly.sticky.jsonl": (0, 0, 0, 0, 110, 0),
    "q35-sriov.alloc.jsonl": (0, 0, 0, 0, 262, 0),
    "q35-sriov.jsonl": (0, 0, 0, 0, 262, 0),
    "q35-sriov.sticky.jsonl": (0, 0, 0, 0, 68, 0),
}


def _at(start: int, size: int = 0x1000) -> BarRange:
    return BarRange(Space.MMIO, start, size)


def _play(folder: Path, policy: WhenRefused, *records: dict[str, Any]) -> BarReplay:
    result = play_bars(trace(folder, *records).lines, WINDOWS, policy)
    assert result.disagreement is None
    return result


SWAP = (
    bar("alloc", "one", 0x1000),
    bar("alloc", "two", 0x2000),
    bar("update", "one", 0x2000, old=0x1000, t=1.0),
    bar("update", "two", 0x1000, old=0x2000, t=1.25),
)


@pytest.mark.parametrize("name", NAMES)
def test_with_claims_no_recorded_bar_ends_wrong(name: str) -> None:
    recorded = read_trace(TRACES / name)
    windows = read_windows(recorded, None)
    keep, drop, claim = (play_bars(recorded.lines, windows, policy) for policy in WhenRefused)
    assert (keep.disagreement, drop.disagreement, claim.disagreement) == (None, None, None)
    assert GOLDEN[name] == (
        len(keep.refusals),
        len(drop.refusals),
        len(keep.wrong),
        len(drop.wrong),
        claim.claims.claims,
        claim.claims.later,
    )
    assert claim.misplaced == []
    account = claim.claims
    ends = account.at_once + account.later + account.withdrawn + account.still_waiting
    assert account.claims == ends
    assert set(claim.reasons) <= {"out-of-bounds"}
    # Nothing is lost: what was granted and not given up is held, where the guest put it.
    assert claim.allocated - claim.freed == len(claim.held)
    assert claim.held == {at: where for at, where in claim.guest.placed.items() if at in claim.held}


def test_a_swap_ends_right_with_claims_alone(tmp_path: Path) -> None:
    keep, drop, claim = (_play(tmp_path, policy, *SWAP) for policy in WhenRefused)
    assert {ONE: _at(0x1000), TWO: _at(0x2000)} == keep.held
    assert {TWO: _at(0x1000)} == drop.held
    assert {ONE: _at(0x2000), TWO: _at(0x1000)} == claim.held
    assert [len(result.wrong) for result in (keep, drop, claim)] == [2, 1, 0]
    assert [keep.ending_of(one) for one in keep.misplaced] == [Ending.ELSEWHERE] * 2
    assert [drop.ending_of(one) for one in drop.misplaced] == [Ending.NOTHING]
    (wait,) = claim.claims.waits
    assert (wait.bar, wait.line, wait.end_line, wait.asked) == (ONE, 3, 4, _at(0x2000))
    assert ((TWO, _at(0x2000)),) == wait.in_way
    assert claim.claims.longest == 0.25
    assert (claim.claims.claims, claim.claims.at_once, claim.claims.later) == (4, 3, 1)


def test_waits_that_end_otherwise_are_accounted_for(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        WhenRefused.CLAIM,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x1000),
        bar("update", "two", 0x3000, old=0x1000),
        bar("alloc", "three", 0x1000),
        bar("free", "three", 0x1000),
        bar("alloc", "three", 0x3000),
        bar("update", "three", 0x10000, old=0x3000),
        bar("alloc", "four", 0x1000),
    )
    account = result.claims
    assert (account.claims, account.at_once, account.later) == (7, 3, 0)
    assert (account.withdrawn, account.still_waiting) == (3, 1)
    # The guest left two BARs at one place: it is not the VMM that is wrong.
    assert result.wrong == []
    assert [result.ending_of(one) for one in result.misplaced] == [Ending.CONTESTED]
    assert result.nothing_to_free == 1


def test_a_bar_outside_every_window_holds_nothing_and_wakes_who_waited(tmp_path: Path) -> None:
    records = (
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x1000),
        bar("update", "one", 0x9000, old=0x1000),
    )
    result = _play(tmp_path, WhenRefused.CLAIM, *records)
    assert {TWO: _at(0x1000)} == result.held
    assert [result.ending_of(one) for one in result.misplaced] == [Ending.NOWHERE]
    assert (result.wrong, result.reasons) == ([], {"out-of-bounds": 1})
    kept = _play(tmp_path, WhenRefused.KEEP, *records)
    assert {one.bar for one in kept.wrong} == {ONE, TWO}
    back = _play(tmp_path, WhenRefused.CLAIM, *records, bar("update", "one", 0x2000, old=0x9000))
    assert (back.held[ONE], back.misplaced) == (_at(0x2000), [])


def test_a_move_between_windows_releases_the_one_that_is_left(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        WhenRefused.CLAIM,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x1000),
        bar("update", "one", 0x10000, old=0x1000),
    )
    assert {ONE: _at(0x10000), TWO: _at(0x1000)} == result.held
    assert (result.crossed, result.claims.later, result.misplaced) == (1, 1, [])


@pytest.mark.parametrize("name", ["i440fx-seabios.sticky.jsonl", "q35-provoked.alloc.jsonl"])
def test_claim_pools_end_as_the_replay_does(name: str) -> None:
    recorded = read_trace(TRACES / name)
    windows = read_windows(recorded, None)
    pools = ClaimPools[Bar]()
    claims = {
        window: Claims[Bar, GuestAddress, GuestUsize](
            AddressAllocator(GuestAddress(window.first), GuestUsize(window.last - window.first + 1))
        )
        for window in windows.all
    }
    for _, record in recorded.lines:
        if not isinstance(record, (Map, Unmap, Alloc, Free, Update)):
            continue
        one = Bar(record.device, record.bar)
        asked = BarRange(record.space, record.base, record.size)
        window = containing(windows.all, asked)
        if isinstance(record, (Map, Alloc, Update)) and window is not None:
            start, size = GuestAddress(asked.start), GuestUsize(asked.size)
            pools.claim(claims[window], one, start, size, align=alignment_of(asked))
        elif pools.pool_of(one) is not None:
            pools.release(one)
    held = {
        grant.owner: BarRange(window.space, grant.start, grant.range.size)
        for window, pool in claims.items()
        for grant in pool
    }
    assert play_bars(recorded.lines, windows, WhenRefused.CLAIM).held == held


# ---- what people and machines read


def _ran(*traces: Path, **options: Any) -> tuple[int, str]:
    out = io.StringIO()
    console, progress = Console(file=out, width=100), Console(file=io.StringIO())
    code = run(traces, console=console, progress=progress, **options)
    return code, out.getvalue()


def test_the_policies_stand_side_by_side_and_count_alone(tmp_path: Path) -> None:
    code, shown = _ran(write(tmp_path / "x.alloc.jsonl", *SWAP))
    assert code == 0
    for line in (
        "policy keep: a BAR that is refused keeps the range that it holds",
        "The policies side by side                                         keep   drop   claim",
        "placements refused                                                   2      1       0",
        "+ granted later                                                                     1",
        "BARs that end wrong                                                  2      1       0",
    ):
        assert " ".join(line.split()) in " ".join(shown.split())


@pytest.mark.parametrize(("policy", "code"), [("keep", 1), ("drop", 1), ("claim", 0)])
def test_a_policy_that_is_named_must_end_right(tmp_path: Path, policy: str, code: int) -> None:
    file = write(tmp_path / "x.alloc.jsonl", *SWAP)
    junit = tmp_path / "x.xml"
    words = ["replay", "--policy", policy, "--json", "--junit", str(junit), str(file)]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == code
    (read,) = json.loads(ran.stdout)["traces"]
    assert (read["policy"], read["verdict"]) == (policy, "refuted" if code else "holds")
    assert read["wrong"] == {"keep": 2, "drop": 1, "claim": 0}[policy]
    assert read["others"] == []
    case = ET.parse(junit).getroot()[0][0]  # noqa: S314  # our own file
    assert (case.find("failure") is not None) == bool(code)
    assert f"policy {policy}: " in (case.findtext("system-out") or "")


def test_two_policies_that_are_named_are_compared_and_judged(tmp_path: Path) -> None:
    file = write(tmp_path / "x.alloc.jsonl", *SWAP)
    code, shown = _ran(file, policies=(WhenRefused.CLAIM, WhenRefused.DROP))
    assert code == 1
    assert "Waits" in shown
    assert (
        "line 3: one BAR0 claims mmio 0x2000-0x2fff, waits for two BAR0: granted at line 4" in shown
    )
    assert "refuted: a BAR ends wrong" in shown


def test_the_json_lists_every_wait(tmp_path: Path) -> None:
    file = write(tmp_path / "x.alloc.jsonl", *SWAP)
    _, shown = _ran(file, policies=(WhenRefused.CLAIM,), json_output=True)
    claims = json.loads(shown)["traces"][0]["claims"]
    assert claims == {
        "claims": 4,
        "at_once": 3,
        "later": 1,
        "withdrawn": 0,
        "still_waiting": 0,
        "longest": 250_000,
        "waits": [
            {
                "line": 3,
                "t": 1_000_000,
                "bar": "one BAR0",
                "asked": {"space": "mmio", "start": 0x2000, "size": 0x1000},
                "in_way": [
                    {
                        "bar": "two BAR0",
                        "range": {"space": "mmio", "start": 0x2000, "size": 0x1000},
                    }
                ],
                "end": "granted",
                "end_line": 4,
                "end_t": 1_250_000,
            }
        ],
    }
