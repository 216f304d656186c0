"""Ranges of addresses in text: one line each, all to one scale.

A column is one address. Where an interval between two addresses that matter is too long for
that, its middle is cut out of every line, and the cut is marked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from vm_allocator.modelling import Range

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 64
"""Columns that are filled before anything is cut."""

SHORTEST: Final = 3
"""Columns of an interval that is cut: its first address, the cut, its last address."""

LONGEST_UNUSED: Final = 8
"""Columns of an interval in which nothing is drawn at all, at the most."""

EVERY: Final = 8
"""Columns from one address above them to the next, if there is room for it."""

FREE, CUT, POINT = "·", "⋯", "^"
LIVE: Final = "█▓"
"""Neighbours differ, so that two live ranges that touch are seen to be two."""
ASKED: Final = "▒"
WINDOW_FIRST, WINDOW, WINDOW_LAST, WINDOW_ONE = "├", "─", "┤", "│"

ASCII: Final = str.maketrans("·⋯█▓▒├─┤│", ".~#%+[-]|")
"""What to translate a drawing with for a terminal that has nothing but ASCII."""


@dataclass(frozen=True)
class Row:
    """A line: what it is called, what is drawn in it, and what is said beside it."""

    label: str
    note: str
    space: Range | None = None
    ranges: tuple[Range, ...] = ()
    marks: str = ASKED
    """One character per range, taken in turn; three for a window (first, middle, last)."""

    def shown(self) -> list[Range]:
        """Return whatever has a place in the picture."""
        return [r for r in (self.space, *self.ranges) if r is not None and r.start <= r.end]


def draw_rows(rows: Sequence[Row], *, ascii_only: bool = False) -> list[str]:
    """Return a line with addresses, and one line per row."""
    columns = _columns([r for row in rows for r in row.shown()])
    margin = max((len(row.label) for row in rows), default=0) + 2
    lines = [" " * margin + _axis(columns)] if columns else []
    drawn = [
        (f"{row.label:<{margin}}", "".join(_cell(row, column) for column in columns), row.note)
        for row in rows
    ]
    lines += [f"{label}{cells}  {note}" for label, cells, note in drawn]
    shown = [line.rstrip() for line in lines]
    return [line.translate(ASCII) for line in shown] if ascii_only else shown


# ---- where it is in the picture


@dataclass(frozen=True)
class Column:
    """One address, or the middle of an interval."""

    address: int
    cut: bool = False
    """Whether addresses from this one on are left out."""
    edge: bool = False
    """Whether something starts here, or ended just below."""


def _columns(shown: list[Range]) -> list[Column]:
    """Return the columns that all lines share: an address each, as long as that fits."""
    edges = sorted({edge for r in shown for edge in (r.start, r.end + 1)})
    pieces = [Range(edge, after - 1) for edge, after in pairwise(edges)]
    used = [any(r.start <= piece.start <= r.end for r in shown) for piece in pieces]

    def limits(longest: int) -> list[int]:
        return [longest if busy else min(longest, LONGEST_UNUSED) for busy in used]

    def width(longest: int) -> int:
        sizes = [piece.end - piece.start + 1 for piece in pieces]
        return sum(map(min, sizes, limits(longest)))

    fitting = (longest for longest in range(WIDTH, SHORTEST, -1) if width(longest) <= WIDTH)
    chosen = limits(next(fitting, SHORTEST))
    return [
        column
        for piece, limit in zip(pieces, chosen, strict=True)
        for column in _piece(piece, limit)
    ]


def _piece(piece: Range, longest: int) -> list[Column]:
    """Return the columns of an interval in which nothing begins or ends."""
    first, last = piece
    if last - first < longest:
        columns = [Column(address) for address in range(first, last + 1)]
    else:
        low, high = longest // 2, (longest - 1) // 2
        columns = [
            *(Column(address) for address in range(first, first + low)),
            Column(first + low, cut=True),
            *(Column(address) for address in range(last - high + 1, last + 1)),
        ]
    return [replace(columns[0], edge=True), *columns[1:]]


def _cell(row: Row, column: Column) -> str:
    """Return the character of a line in a column."""
    address = column.address
    for position, r in enumerate(row.ranges):
        if r.start <= address <= r.end:
            return CUT if column.cut else _mark(row.marks, position, address, r)
    if row.space is None:
        return " "
    if column.cut:
        return CUT
    return FREE if row.space.start <= address <= row.space.end else " "


def _mark(marks: str, position: int, address: int, r: Range) -> str:
    if marks[0] != WINDOW_FIRST:
        return marks[position % len(marks)]
    if r.start == r.end:
        return WINDOW_ONE
    return marks[0] if address == r.start else marks[2] if address == r.end else marks[1]


def _axis(columns: list[Column]) -> str:
    """Return addresses in hex, each over its column: the edges, then others where room is."""
    named = [position for position, column in enumerate(columns) if column.edge]
    named += range(0, len(columns), EVERY)
    widest = max((len(hex(column.address)) for column in columns), default=0)
    line = [" "] * (len(columns) + widest + 1)
    for position in named:
        label = hex(columns[position].address)
        around = line[max(position - 1, 0) : position + len(label) + 1]
        if not columns[position].cut and set(around) == {" "}:
            line[position : position + len(label)] = label
    return "".join(line).rstrip()
