"""Recorded traces, and the windows they were recorded in: read, typed, or refused by name.

One trace is one file of JSON lines. Three kinds exist; the first line tells which:

- `map` / `unmap` / `mark`: BARs as the machine mapped them (`NAME.jsonl`);
- `alloc` / `free` / `update` with a `bar`: the same run as requests to an allocator,
  held while decoded (`NAME.alloc.jsonl`) or until the device goes (`NAME.sticky.jsonl`);
- `alloc` / `free` / `update` with a `gsi`, and `reset`: interrupts (`NAME.irq.jsonl`).

Addresses are bytes, sizes are bytes, `t` is seconds since power-on. Fields that are not
named below are ignored, since recorders add some; everything else that differs from the
format is a `TraceError` with the file, the line and what to do. Reading is linear in the
file, and stops at `MAX_BYTES`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec

from vm_allocator.resource import U64_MAX

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 64 << 20
"""The largest file that is read: eighty times the largest recorded trace."""

MAX_PORT: Final = 0xFFFF
"""The last I/O port: x86 has 16 bits of them."""

WINDOWS_FILE: Final = "windows.json"
"""The name under which the windows lie beside a trace."""

Natural = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Place = Annotated[str, msgspec.Meta(pattern="^[!-~]{1,64}$")]
"""Where a device is, bus:slot.function as a rule: printable, since it is shown to people."""


class TraceError(Exception):
    """A file that cannot be played: which one, where, what is wrong, and what to do."""

    def __init__(self, file: Path, line: int | None, problem: str, remedy: str) -> None:
        super().__init__(file, line, problem, remedy)
        self.file = file
        self.line = line
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.file}" if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.problem}: {self.remedy}"


class Space(enum.StrEnum):
    """Which address space a BAR decodes in."""

    MMIO = "mmio"
    PIO = "pio"

    @property
    def last(self) -> int:
        """The last address that exists in it."""
        return U64_MAX if self is Space.MMIO else MAX_PORT


class Kind(enum.Enum):
    """What a trace records, as people read it."""

    MAPPED = "mapped and unmapped"
    DECODE = "follow decode"
    STICKY = "sticky"
    INTERRUPTS = "interrupts"


# ---- what a line may be


class _BarRecord(msgspec.Struct, frozen=True, tag_field="op"):
    device: Place  # at that moment: guests renumber buses
    bar: Natural
    space: Space
    base: Natural
    size: Positive
    t: Seconds


class Map(_BarRecord, frozen=True, tag="map"):
    """The machine mapped a BAR; `name` is the type of the device."""

    name: str = ""
    why: str = ""


class Unmap(_BarRecord, frozen=True, tag="unmap"):
    """The machine unmapped a BAR; `why` is the register write, or `unplug`, `vf-disable`, ..."""

    name: str = ""
    why: str = ""


class Mark(msgspec.Struct, frozen=True, tag_field="op", tag="mark"):
    """What the guest or the host does next: for people."""

    what: str
    t: Seconds


class Alloc(_BarRecord, frozen=True, tag="alloc"):
    """A BAR needs its range."""


class Free(_BarRecord, frozen=True, tag="free"):
    """A BAR gives its range back."""

    why: str = ""


class Update(_BarRecord, frozen=True, kw_only=True, tag="update"):
    """A BAR moves from `old` to `base`."""

    old: Natural


class VectorAlloc(msgspec.Struct, frozen=True, tag_field="op", tag="alloc"):
    """The first unmasked use of an MSI or MSI-X vector; the recorder made the `gsi` up."""

    device: Place
    entry: Natural
    gsi: Natural
    kind: str
    addr: Natural
    data: Natural
    t: Seconds


class VectorUpdate(msgspec.Struct, frozen=True, tag_field="op", tag="update"):
    """The guest gives a live vector another address or data."""

    device: Place
    entry: Natural
    gsi: Natural
    kind: str
    addr: Natural
    data: Natural
    t: Seconds


class VectorFree(msgspec.Struct, frozen=True, tag_field="op", tag="free"):
    """A vector is disabled."""

    device: Place
    entry: Natural
    gsi: Natural
    t: Seconds
    why: str = ""


class Reset(msgspec.Struct, frozen=True, tag_field="op", tag="reset"):
    """The machine is reset: every vector that is live is gone."""

    t: Seconds


BarRecord: TypeAlias = Map | Unmap | Mark | Alloc | Free | Update
VectorRecord: TypeAlias = VectorAlloc | VectorFree | VectorUpdate | Reset


class Line(NamedTuple):
    """A record and the number of its line in the file, from 1."""

    number: int
    record: BarRecord | VectorRecord


@dataclass(frozen=True)
class Trace:
    """The records of one file."""

    file: Path
    kind: Kind
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """NAME of NAME.jsonl, NAME.alloc.jsonl, and so on: the key of its windows."""
        name = self.file.name
        for ending in (".jsonl", ".alloc", ".sticky", ".irq"):
            name = name.removesuffix(ending)
        return name


_BARS: Final = msgspec.json.Decoder(Alloc | Free | Update)
_DECODERS: Final[dict[Kind, msgspec.json.Decoder[Any]]] = {
    Kind.MAPPED: msgspec.json.Decoder(Map | Unmap | Mark),
    Kind.DECODE: _BARS,
    Kind.STICKY: _BARS,
    Kind.INTERRUPTS: msgspec.json.Decoder(VectorAlloc | VectorFree | VectorUpdate | Reset),
}
_ANY: Final = msgspec.json.Decoder(dict[str, Any])

_KIND_HELP: Final = (
    "pass a recorded trace: JSON lines of map/unmap, or of alloc/free/update with a bar or a gsi"
)
_LINE_HELP: Final = "correct or remove that line, or record the trace again"


def read_trace(file: Path) -> Trace:
    """Return the records of a trace.

    Raises `TraceError` for a file that is missing, no regular file, empty, binary, longer
    than `MAX_BYTES`, of no known kind, or with a line that the kind does not allow.
    """
    raw_lines = _read(file).splitlines()
    if not raw_lines:
        raise TraceError(file, None, "it is empty", _KIND_HELP)
    kind = _kind(file, raw_lines[0])
    decoder = _DECODERS[kind]
    lines = []
    for number, raw in enumerate(raw_lines, start=1):
        try:
            lines.append(Line(number, decoder.decode(raw)))
        except msgspec.MsgspecError as error:
            raise TraceError(file, number, _reason(error, raw), _LINE_HELP) from None
    return Trace(file, kind, tuple(lines))


def _kind(file: Path, first: bytes) -> Kind:
    """Tell the kind of a trace: its first record decides, its name only decodes `sticky`."""
    try:
        record = _ANY.decode(first)
    except msgspec.MsgspecError as error:
        raise TraceError(file, 1, _reason(error, first), _KIND_HELP) from None
    op = record.get("op")
    if op in ("map", "unmap", "mark"):
        return Kind.MAPPED
    if op == "reset" or (op in ("alloc", "free", "update") and "gsi" in record):
        return Kind.INTERRUPTS
    if op in ("alloc", "free", "update") and "bar" in record:
        return Kind.STICKY if file.name.endswith(".sticky.jsonl") else Kind.DECODE
    raise TraceError(file, 1, f"no trace begins with the operation {op!r}", _KIND_HELP)


def _read(file: Path) -> bytes:
    """Return the bytes of a file of text, or raise `TraceError`."""
    try:
        if not file.is_file():
            problem = "it is no regular file" if file.exists() else "no such file"
            raise TraceError(file, None, problem, "pass the path of a file that exists")
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise TraceError(
                file, None, f"it has {size:,} bytes, more than {MAX_BYTES:,}", "split it"
            )
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise TraceError(file, None, f"it cannot be read ({reason})", "check the path") from None
    for number, raw in enumerate(content.splitlines(), start=1):
        if b"\0" in raw or not _is_utf8(raw):
            raise TraceError(file, number, "this is no text", "pass a file of JSON lines, in UTF-8")
    return content


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reason(error: msgspec.MsgspecError, raw: bytes) -> str:
    if not raw.strip():
        return "the line is blank"
    # The decoder's own words name the field; `$` is its name for the record. What it quotes
    # of the file goes to a terminal, so that nothing but printable text may remain.
    words = str(error).replace("`$.", "`")[:200]
    return "".join(c if c.isprintable() else "?" for c in words)


# ---- windows


class Window(NamedTuple):
    """An interval of one space that the host decodes: one allocator's space. Ends inclusive."""

    space: Space
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.space} {self.first:#x}-{self.last:#x}"


@dataclass(frozen=True)
class Windows:
    """The windows of one trace, lowest first in each space, and what had to be assumed."""

    all: tuple[Window, ...]
    notes: tuple[str, ...] = ()


class _Entry(msgspec.Struct):
    windows: list[tuple[Space, int | str, int | str]]


_WINDOWS: Final = msgspec.json.Decoder(dict[str, _Entry])
_WINDOWS_HELP: Final = (
    'write {"NAME": {"windows": [["mmio", FIRST, LAST], ...]}}, ends inclusive, '
    'as numbers or as "0x..." strings'
)


def read_windows(trace: Trace, file: Path | None) -> Windows:
    """Return the windows of a trace: from `file`, or from `windows.json` beside the trace.

    Where neither says anything of a space, all of it is one window, with a note. Raises
    `TraceError` for a file that is unreadable or malformed, or a `file` that was passed
    and does not know the trace.
    """
    source = trace.file.parent / WINDOWS_FILE if file is None else file
    if file is None and not source.exists():
        return whole_spaces(f"no {WINDOWS_FILE} beside the trace")
    try:
        entries = _WINDOWS.decode(_read(source))
    except msgspec.MsgspecError as error:
        raise TraceError(source, None, _reason(error, b"?"), _WINDOWS_HELP) from None
    entry = entries.get(trace.name)
    if entry is None and file is not None:
        known = ", ".join(entries) or "no trace at all"
        raise TraceError(
            source, None, f"it does not know {trace.name!r}, only {known}", _WINDOWS_HELP
        )
    if entry is None or not entry.windows:
        return whole_spaces(f"{WINDOWS_FILE} names no window for {trace.name}")
    found = sorted(_window(source, *parts) for parts in entry.windows)
    for lower, upper in pairwise(found):
        if lower.space == upper.space and upper.first <= lower.last:
            raise TraceError(
                source,
                None,
                f"the windows {lower} and {upper} of {trace.name} share addresses",
                "one address must have one allocator: separate or join them",
            )
    missing = [space for space in Space if all(window.space != space for window in found)]
    notes = tuple(f"no {space} window is known: all of {space} is one window" for space in missing)
    return Windows((*found, *(Window(space, 0, space.last) for space in missing)), notes)


def whole_spaces(because: str) -> Windows:
    """Return one window per space, with a note that says why."""
    windows = tuple(Window(space, 0, space.last) for space in Space)
    return Windows(windows, (f"{because}: all of each space is one window",))


def _window(source: Path, space: Space, first: int | str, last: int | str) -> Window:
    try:
        low, high = (int(end, 0) if isinstance(end, str) else end for end in (first, last))
    except ValueError:
        low, high = 1, 0
    if not 0 <= low <= high <= space.last:
        raise TraceError(source, None, f"{space} {first}-{last} is no window", _WINDOWS_HELP)
    return Window(space, low, high)
