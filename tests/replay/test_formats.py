import json
import os
from pathlib import Path

import pytest

from vm_allocator.replay import Kind, TraceError, Windows, formats, read_trace, read_windows
from vm_allocator.replay.formats import Alloc, Map, Reset, Space, Update, VectorAlloc, Window

from .support import TRACES, bar, trace, vector, write


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("q35-provoked.jsonl", Kind.MAPPED, 801),
        ("q35-provoked.alloc.jsonl", Kind.DECODE, 664),
        ("q35-provoked.sticky.jsonl", Kind.STICKY, 79),
        ("q35-provoked.irq.jsonl", Kind.INTERRUPTS, 34),
        ("q35-seabios-fwonly.irq.jsonl", Kind.INTERRUPTS, 19),
    ],
)
def test_the_first_record_tells_the_kind(name: str, kind: Kind, records: int) -> None:
    read = read_trace(TRACES / name)
    assert (kind, records) == (read.kind, len(read.lines))
    assert name.split(".", maxsplit=1)[0] == read.name


def test_records_are_typed_and_numbered_from_one(tmp_path: Path) -> None:
    records = bar("alloc", "00:01.0", 2**64 - 0x1000), bar("update", "00:01.0", 0, old=4096)
    first, second = trace(tmp_path, *records).lines
    assert (first.number, second.number) == (1, 2)
    assert isinstance(first.record, Alloc)
    assert isinstance(second.record, Update)
    assert (first.record.base, second.record.old) == (2**64 - 0x1000, 4096)


def test_fields_that_recorders_add_are_ignored(tmp_path: Path) -> None:
    records = bar("map", "00:01.0", 0, name="nvme", why="bar", colour="green"), {"op": "mark"}
    mapped = trace(tmp_path, records[0], {**records[1], "what": "boot", "t": 1}, name="x.jsonl")
    assert isinstance(mapped.lines[0].record, Map)
    vectors = trace(tmp_path, vector("alloc", "00:01.0", 24), {"op": "reset", "t": 3.5})
    assert [VectorAlloc, Reset] == [type(line.record) for line in vectors.lines]


GOOD = json.dumps(bar("alloc", "00:01.0", 4096)).encode()


@pytest.mark.parametrize(
    ("second_line", "says"),
    [
        (b"{", ":2: Input data was truncated"),
        (b"", ":2: the line is blank"),
        (b"[1]", ":2: Expected `object`, got `array`"),
        (b"\x00\x01", ":2: this is no text: pass a file of JSON lines"),
        (b"\xff\xfe", ":2: this is no text"),
        (GOOD.replace(b"alloc", b"steal"), ":2: Invalid value 'steal' - at `op`"),
        (GOOD.replace(b"mmio", b"dram"), ":2: Invalid enum value 'dram' - at `space`"),
        (GOOD.replace(b"4096", b"-1"), ":2: Expected `int` >= 0 - at `base`"),
        (GOOD.replace(b'"size": 4096', b'"size": 0'), ":2: Expected `int` >= 1 - at `size`"),
        (GOOD.replace(b'"bar": 0, ', b""), ":2: Object missing required field `bar`"),
        (GOOD.replace(b"4096", b"4096.0", 1), ":2: Expected `int`, got `float` - at `base`"),
        (GOOD.replace(b"00:01.0", b"\\u001b[31m"), ":2: Expected `str` matching regex"),
        (GOOD.replace(b"alloc", b"\\u001b[31m"), ":2: Invalid value '?[31m' - at `op`"),
        (GOOD.replace(b"0.5", b"1e300"), ":2: Expected `float` <= 1000000000.0 - at `t`"),
        (GOOD + GOOD, ":2: JSON is malformed"),
        (json.dumps(vector("alloc", "00:01.0", 24)).encode(), ":2: Object missing required field"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, second_line: bytes, says: str) -> None:
    file = tmp_path / "x.alloc.jsonl"
    file.write_bytes(GOOD + b"\n" + second_line + b"\n")
    with pytest.raises(TraceError) as caught:
        read_trace(file)
    assert str(caught.value).startswith(str(file) + says)
    assert caught.value.remedy
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty: pass a recorded trace"),
        (b"\n", "1: the line is blank"),
        (b'{"op": "alloc"}\n', "1: no trace begins with the operation 'alloc'"),
        (b'{"states": []}\n', "1: no trace begins with the operation None"),
        (b"hello\n", "1: JSON is malformed"),
        (b"\x7fELF\x02\x01\x01\x00\n", "1: this is no text"),
    ],
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(content)
    with pytest.raises(TraceError, match=r"x\.jsonl") as caught:
        read_trace(file)
    assert says in str(caught.value)


def test_files_that_cannot_be_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for file, says in (
        (tmp_path / "none.jsonl", "no such file"),
        (tmp_path, "no regular file"),
        (pipe, "no regular file"),
        (Path("a\0b"), "no such file|cannot be read"),
        (Path("x" * 5000), "cannot be read|no such file"),
    ):
        with pytest.raises(TraceError, match=says):
            read_trace(file)
    monkeypatch.setattr(formats, "MAX_BYTES", 10)
    with pytest.raises(TraceError, match="more than 10: split it"):
        read_trace(write(tmp_path / "big.jsonl", bar("alloc", "00:01.0", 4096)))


# ---- windows


def _windows(folder: Path, content: object, *, explicit: bool = True) -> Windows:
    one = trace(folder, bar("alloc", "00:01.0", 4096))
    file = folder / "windows.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_windows(one, file if explicit else None)


def test_windows_lie_beside_the_trace_or_in_a_file_that_is_passed(tmp_path: Path) -> None:
    listed = [["mmio", "0x2000", "0x2fff"], ["mmio", 0, 4095], ["pio", 0, 255]]
    content = {"small": {"windows": listed, "distinct_bars": 7}}
    expected = (
        Window(Space.MMIO, 0, 4095),
        Window(Space.MMIO, 0x2000, 0x2FFF),
        Window(Space.PIO, 0, 255),
    )
    for explicit in (True, False):
        assert Windows(expected) == _windows(tmp_path, content, explicit=explicit)


def test_without_windows_the_whole_space_is_one_and_a_note_says_so(tmp_path: Path) -> None:
    whole = Window(Space.MMIO, 0, 2**64 - 1), Window(Space.PIO, 0, 0xFFFF)
    one = trace(tmp_path, bar("alloc", "00:01.0", 4096))
    found = read_windows(one, None)
    assert whole == found.all
    assert "no windows.json beside the trace" in found.notes[0]
    contents: list[dict[str, object]] = [{}, {"small": {"windows": []}}]
    for content in contents:
        found = _windows(tmp_path, content, explicit=False)
        assert whole == found.all
        assert "names no window for small" in found.notes[0]
    found = _windows(tmp_path, {"small": {"windows": [["mmio", 0, 9]]}})
    assert (Window(Space.MMIO, 0, 9), Window(Space.PIO, 0, 0xFFFF)) == found.all
    assert "no pio window is known" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ({"small": {}}, "missing required field `windows`"),
        ({"small": {"windows": [["mmio", 0]]}}, "length 3"),
        ({"small": {"windows": [["dram", 0, 1]]}}, "Invalid enum value 'dram'"),
        ({"small": {"windows": [["mmio", 2, 1]]}}, "mmio 2-1 is no window"),
        ({"small": {"windows": [["mmio", "low", "high"]]}}, "mmio low-high is no window"),
        ({"small": {"windows": [["mmio", -1, 1]]}}, "mmio -1-1 is no window"),
        ({"small": {"windows": [["mmio", 0, 2**64]]}}, "is no window"),
        ({"small": {"windows": [["pio", 0, 65536]]}}, "pio 0-65536 is no window"),
        ({"small": {"windows": [["pio", 0, 9], ["pio", 9, 10]]}}, "share addresses"),
        ({"other": {"windows": []}}, "does not know 'small', only other"),
        ({}, "only no trace at all"),
    ],
)
def test_malformed_windows_are_refused(tmp_path: Path, content: object, says: str) -> None:
    with pytest.raises(TraceError, match=r"windows\.json") as caught:
        _windows(tmp_path, content)
    assert says in str(caught.value)


def test_a_windows_file_that_is_passed_must_exist(tmp_path: Path) -> None:
    one = trace(tmp_path, bar("alloc", "00:01.0", 4096))
    with pytest.raises(TraceError, match="no such file"):
        read_windows(one, tmp_path / "none.json")
