"""Pictures in text, to scale: where BARs are, and a move that was refused.

Pure: ranges in, lines of `Text` out. A row is a piece of one address space; every column
stands for the same number of bytes, which the picture says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .account import BarRange
    from .outcome import BarReplay, Refusal

FULL, PART, FREE = "█", "▒", "·"
ASCII: Final = str.maketrans({FULL: "#", PART: "+", FREE: "."})
"""What to translate a picture with for a terminal that has no blocks."""

WIDTH: Final = 64
LABEL: Final = 15
MOST_ROWS: Final = 8
"""Live ranges in the way that are drawn; more are counted."""


class Scale(NamedTuple):
    """The bytes from `first` on, drawn as `width` columns of `step` bytes each."""

    first: int
    step: int
    width: int

    @classmethod
    def over(cls, ranges: Iterable[BarRange], width: int = WIDTH) -> Scale:
        """Return the scale that shows all of the ranges, from the lowest start on."""
        shown = list(ranges)
        first = min(r.start for r in shown)
        size = max(r.end for r in shown) - first + 1
        # A round step (a power of two) makes the columns addresses that people recognise.
        step = 1 << max(0, -(-size // width) - 1).bit_length()
        return cls(first // step * step, step, width)

    def row(self, ranges: Iterable[BarRange]) -> str:
        """Return the columns: filled, partly filled, or free."""
        filled = [0] * (self.width + 1)
        for r in ranges:
            low, high = r.start - self.first, r.end - self.first
            for column in range(max(0, low // self.step), min(high // self.step, self.width) + 1):
                left = max(low, column * self.step)
                filled[column] += min(high, (column + 1) * self.step - 1) - left + 1
        # Alignment to the step may push the last byte one column beyond the width.
        columns = filled if filled[-1] else filled[:-1]
        return "".join(
            FREE if count == 0 else FULL if count >= self.step else PART for count in columns
        )

    def axis(self) -> str:
        """Return a caption: the first address, and what a column is."""
        return f"from {self.first:#x}, a column is {self.step:#x} bytes"


def _line(label: str, row: str, style: str, after: str = "") -> Text:
    return Text.assemble((f"  {label:<{LABEL}}", "bold"), (row, style), f"  {after}")


def refused_move(refusal: Refusal) -> list[Text]:
    """Draw a refusal: what was asked for, what the BAR holds, and what is in the way."""
    asked, held, in_way = refusal.asked, refusal.held, refusal.in_way
    ranges = [asked, *(live for _, live in in_way)]
    near = held is not None and held.space == asked.space and _gap(held, asked) <= 8 * asked.size
    if held is not None and near:
        ranges.append(held)
    scale = Scale.over(ranges)
    lines = [
        Text(f"line {refusal.line}: {refusal.bar} asks for {asked}: refused, {refusal.reason}"),
        Text(f"  {asked.space} {scale.axis()}", "dim"),
        _line("asked", scale.row([asked]), "yellow", f"{refusal.bar}"),
    ]
    if held is None:
        lines.append(Text("  and holds nothing", "dim"))
    elif near:
        lines.append(_line("held, and kept", scale.row([held]), "green", f"{refusal.bar}"))
    else:
        lines.append(Text(f"  and keeps {held}, far from here", "dim"))
    lines += [
        _line("in the way", scale.row([live]), "red", f"{bar}") for bar, live in in_way[:MOST_ROWS]
    ]
    if len(in_way) > MOST_ROWS:
        lines.append(Text(f"  and {len(in_way) - MOST_ROWS} more in the way", "dim"))
    return lines


def _gap(one: BarRange, other: BarRange) -> int:
    """Return the bytes between two ranges of one space; negative when they overlap."""
    return max(one.start, other.start) - min(one.end, other.end) - 1


def address_map(result: BarReplay) -> list[Text]:
    """Draw each window that is in use as it is in the end: the guest's belief, and what is held."""
    lines: list[Text] = []
    for window in result.windows:
        believed, held = (
            [
                at
                for at in places.values()
                if at.space == window.space and at.start <= window.last and window.first <= at.end
            ]
            for places in (result.guest.placed, result.held)
        )
        if not believed + held:
            continue
        scale = Scale.over(believed + held)
        rows = scale.row(believed), scale.row(held)
        bars = "BAR" if len(held) == 1 else "BARs"
        lines += [
            Text.assemble((f"  {window}", "bold"), f": {len(held)} {bars}"),
            Text(f"  {scale.axis()}", "dim"),
            _line("guest believes", rows[0], "cyan"),
            _line("held", rows[1], "green" if set(believed) == set(held) else "red"),
        ]
    return lines
