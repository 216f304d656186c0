import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from typer.testing import CliRunner

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator, IdCount
from vm_allocator.address import RangeAllocator
from vm_allocator.commands import app
from vm_allocator.ids import ONE
from vm_allocator.replay import Makers, TraceError
from vm_allocator.replay.command import picture, run
from vm_allocator.replay.played import OURS

from .support import TRACES, bar, vector, write

PROVOKED = TRACES / "q35-provoked.alloc.jsonl"


class Ran:
    """What `run` printed and returned."""

    def __init__(
        self,
        *traces: Path,
        windows: Path | None = None,
        json_output: bool = False,
        junit: Path | None = None,
        makers: Makers = OURS,
        encoding: str = "utf-8",
    ) -> None:
        out, err = io.BytesIO(), io.StringIO()
        text = io.TextIOWrapper(out, encoding=encoding)
        self.code = run(
            traces,
            windows=windows,
            json_output=json_output,
            junit=junit,
            console=Console(file=text, width=120),
            progress=Console(file=err, width=120),
            makers=makers,
        )
        text.flush()
        self.out, self.err = out.getvalue().decode(encoding), err.getvalue()


# ---- what people see


def test_the_report_says_what_the_guest_did() -> None:
    ran = Ran(PROVOKED)
    assert ran.code == 0
    for line in (
        "policy keep: a BAR that is refused keeps the range that it holds",
        " 44  moves to a new address",
        "  4  swaps of two BARs",
        " 18  placements outside every window, by 9 BARs",
        " 18  refused: out-of-bounds",
        "line 475: 00:01.0 BAR4 asks for mmio 0xffffc000-0xffffffff: out-of-bounds",
        "holds: allocators and oracle agreed on all 2,028 operations",
    ):
        assert line in ran.out
    assert ran.err.startswith("replaying q35-provoked.alloc.jsonl")


def test_a_refused_move_is_drawn_to_scale() -> None:
    left, right, none = "█" * 32 + "·" * 32, "·" * 32 + "█" * 32, " " * 10
    assert (
        "line 533: 00:08.0 BAR0 asks for mmio 0xfe900000-0xfe9fffff: refused, overlap\n"
        "  mmio from 0xfe800000, a column is 0x8000 bytes\n"
        f"  asked{none}{right}  00:08.0 BAR0\n"
        f"  held, and kept {left}  00:08.0 BAR0\n"
        f"  in the way     {right}  00:09.0 BAR0\n"
    ) in Ran(PROVOKED).out


def test_a_terminal_without_blocks_gets_ascii() -> None:
    ran = Ran(PROVOKED, encoding="ascii")
    assert "  held, and kept " + "#" * 32 + "." * 32 in ran.out


def test_several_traces_are_summed_up(tmp_path: Path) -> None:
    ran = Ran(PROVOKED, TRACES / "q35-sriov.irq.jsonl", tmp_path / "none.jsonl")
    assert ran.code == 2
    assert "none.jsonl: no such file: pass the path of a file that exists" in ran.out
    assert "3 traces: unknown" in ran.out


def test_bars_in_the_wrong_place_and_assumptions_are_told(tmp_path: Path) -> None:
    file = write(
        tmp_path / "x.alloc.jsonl",
        *(bar("alloc", f"{number:02}", 0x1000) for number in range(20)),
        bar("alloc", "big", 0x1000, 0x1000),
        bar("update", "00", 0x40000000, old=0x1000),
        *(bar("alloc", f"small{number:02}", 0x100000 + 16 * number, 16) for number in range(12)),
        bar("update", "00", 0x100000, 0x1000, old=0x40000000),
        bar("free", "never", 0x1000),
    )
    ran = Ran(file)
    assert ran.code == 0
    for line in (
        "note: no windows.json beside the trace: all of each space is one window",
        "note: 1 records contradict the ones before them",
        "01 BAR0: the guest believes mmio 0x1000-0x1fff, holds nothing",
        "and keeps mmio 0x40000000-0x40000fff, far from here",
        "and 4 more in the way",
        "... and 13 more",
    ):
        assert line in ran.out


# ---- what machines read


def test_the_json_is_stable_and_has_only_ints() -> None:
    ran = Ran(PROVOKED, TRACES / "q35-sriov.irq.jsonl", json_output=True)
    read = json.loads(ran.out, parse_float=lambda text: pytest.fail(f"{text} is no int"))
    bars, vectors = read["traces"]
    assert (read["format"], read["verdict"], bars["policy"]) == (1, "holds", "keep")
    assert bars["refusals"]["by_reason"] == {"out-of-bounds": 18, "overlap": 4}
    assert bars["refusals"]["listed"][0] == {
        "line": 475,
        "t": 18388000,
        "bar": "00:01.0 BAR4",
        "asked": {"space": "mmio", "start": 0xFFFFC000, "size": 0x4000},
        "held": {"space": "mmio", "start": 0xFE000000, "size": 0x4000},
        "reason": "out-of-bounds",
        "in_way": [],
    }
    assert bars["windows"][0] == {"space": "mmio", "first": 0xA0000, "last": 0xBFFFF}
    assert bars["misplaced"] == []
    assert bars["guest"]["moves"] == 44
    assert len(bars["guest"]["outside_bars"]) == 9
    assert tuple(vectors["vectors"][key] for key in ("allocated", "peak", "live")) == (34, 6, 1)
    unknown = json.loads(Ran(Path("none.jsonl"), json_output=True).out)
    assert unknown["verdict"] == "unknown"
    assert "no such file" in unknown["traces"][0]["error"]


def test_junit_has_a_case_per_trace(tmp_path: Path) -> None:
    junit = tmp_path / "replay.xml"
    ran = Ran(PROVOKED, tmp_path / "none.jsonl", junit=junit, makers=Makers(FreesFirst))
    assert ran.code == 1
    suite = ET.parse(junit).getroot()[0]  # noqa: S314  # our own file
    assert tuple(suite.get(key) for key in ("tests", "failures", "errors")) == ("2", "1", "1")
    assert "mmio.update(" in (suite[0][0].text or "")


def test_a_junit_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    ran = Ran(PROVOKED, junit=tmp_path / "no" / "replay.xml")
    assert ran.code == 2
    assert "replay.xml cannot be written (No such file or directory)" in ran.err


# ---- allocators that are wrong


class FreesFirst(AddressAllocator):
    """An update that frees the old range before it knows whether the new one is granted."""

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
        **more: object,
    ) -> None:
        if old_resource is not None and old_size is not None:
            self.free(old_resource, old_size)
        self.allocate(new_resource, new_size, **more)  # type: ignore[arg-type]  # passed on as is


class BlindExact(AddressAllocator):
    """An exact allocation looks at its first byte alone: live ranges further on are missed."""

    def _demand_free(self, start: int, end: int, part_start: int, part_end: int) -> None:
        if start != part_start or self._index.overlapping(start, start) is None:
            return
        super()._demand_free(start, end, part_start, part_end)


class Crashes(AddressAllocator):
    """An exception that is no refusal."""

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        raise KeyError(resource, size)


class HandsOutTwice(IdAllocator):
    """Answers with the id before."""

    def allocate(self, resource: Id | None, size: IdCount = ONE, **more: object) -> Id:
        granted = RangeAllocator.allocate(self, resource, size, **more)  # type: ignore[arg-type]  # passed on as is
        return Id(max(24, granted - 1))


def test_an_update_that_frees_first_is_reported_with_the_fewest_records() -> None:
    ran = Ran(PROVOKED, makers=Makers(FreesFirst))
    assert ran.code == 1
    shown = ran.out[ran.out.index("refuted: ") :]
    # One allocation and the refused move of that BAR are enough.
    assert "0xfe000000-0xfe003fff, got none" in shown
    assert "first at line 475 of the trace; lines 72, 475 alone show this" in shown
    assert shown.count("  mmio.") == 2
    assert "  # refused: out-of-bounds" in shown


def test_an_exact_allocation_that_is_blind_to_live_ranges_is_reported() -> None:
    ran = Ran(TRACES / "i440fx-seabios.alloc.jsonl", json_output=True, makers=Makers(BlindExact))
    assert ran.code == 1
    (trace,) = json.loads(ran.out)["traces"]
    assert trace["verdict"] == "refuted"
    found = trace["disagreement"]
    assert found["difference"].startswith("expected refused: overlap")
    assert len(found["lines"]) == 2
    assert found["lines"][-1] <= found["line"]


def test_an_exception_that_is_no_refusal_is_reported() -> None:
    ran = Ran(PROVOKED, makers=Makers(Crashes))
    assert ran.code == 1
    assert "expected done, got crashed: KeyError" in ran.out


def test_an_id_handed_out_twice_is_reported(tmp_path: Path) -> None:
    file = write(
        tmp_path / "x.irq.jsonl",
        *(vector("alloc", f"{number}", 24 + number) for number in range(9)),
    )
    ran = Ran(file, makers=Makers(ids=HandsOutTwice))
    assert ran.code == 1
    assert "refuted: expected 25, got 24" in ran.out


def test_a_finding_of_bounded_size(tmp_path: Path) -> None:
    class LosesTheHundredth(AddressAllocator):
        def allocate(
            self, resource: GuestAddress | None, size: GuestUsize, **more: object
        ) -> GuestAddress:
            if len(self) == 99:
                raise KeyError(resource)
            return super().allocate(resource, size, **more)  # type: ignore[arg-type]  # passed on as is

    records = (bar("alloc", f"{number}", 0x1000 * number) for number in range(120))
    ran = Ran(write(tmp_path / "x.alloc.jsonl", *records), makers=Makers(LosesTheHundredth))
    assert ran.code == 1
    assert "... 50 calls before" in ran.out
    assert "lines 93, 94, 95, 96, 97, 98, 99, 100 and 92 before alone show this" in ran.out


# ---- the command itself


def test_the_command_line() -> None:
    runner = CliRunner()
    helped = runner.invoke(app, ["replay", "--help"])
    assert "vm-allocator replay tests/traces/q35-provoked.alloc.jsonl" in helped.output
    windows = str(TRACES / "windows.json")
    good = runner.invoke(app, ["replay", str(PROVOKED), "--windows", windows, "--json"])
    assert good.exit_code == 0
    assert json.loads(good.stdout)["verdict"] == "holds"
    assert "replaying" in good.stderr
    bad = runner.invoke(app, ["replay", "none.jsonl"])
    assert bad.exit_code == 2
    assert "no such file" in bad.stdout


def test_the_picture_is_the_same_every_time(tmp_path: Path) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    for target in (one, two):
        picture(PROVOKED, target)
    assert one.read_bytes() == two.read_bytes()
    svg = one.read_text(encoding="utf-8")
    assert "in&#160;the&#160;way" in svg
    assert str(TRACES) not in svg
    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314  # our own file
    with pytest.raises(TraceError, match="no such file"):
        picture(tmp_path / "none.jsonl", one)
