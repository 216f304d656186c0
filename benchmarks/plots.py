"""Log-log pictures of the scenarios, as SVG: time per operation over live ranges."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

from .workloads import ABOUT

if TYPE_CHECKING:
    from .results import Results

WIDTH: Final = 720
HEIGHT: Final = 420
LEFT, TOP, RIGHT, BOTTOM = 70, 64, 235, 56
FONT: Final = 'font-family="sans-serif" font-size="12" role="img"'
LINE: Final = 15  # between two names beside the picture

# Okabe and Ito's colours, which are told apart without telling red from green.
COLOURS: Final = {
    "GapTree": "#0072b2",
    "GapTree (compiled)": "#0072b2",
    "GapTree index": "#56b4e9",
    "GapTree index (compiled)": "#56b4e9",
    "ids by IdBitmap": "#0072b2",
    "ids by IdBitmap (compiled)": "#0072b2",
    "SortedGaps": "#009e73",
    "ids by SortedGaps": "#009e73",
    "ids by GapTree": "#cc79a7",
    "SortedDict pair": "#000000",
    "portion": "#e69f00",
    "intervaltree": "#cc79a7",
    "vm-allocator 0.1.4 (Rust)": "#d55e00",
    "ids by vm-allocator 0.1.4 (Rust)": "#d55e00",
    "dbs-allocator 0.1.1 (Rust)": "#8c6d1f",
}
OTHER: Final = "#777777"


@dataclass(frozen=True)
class Axes:
    """Where numbers lie in the picture; both axes are logarithmic, in whole decades."""

    low_x: int
    high_x: int
    low_y: int
    high_y: int

    def x(self, size: float) -> float:
        """Return the place of a number of live ranges."""
        share = (log10(size) - self.low_x) / max(1, self.high_x - self.low_x)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, nanoseconds: float) -> float:
        """Return the place of a time."""
        share = (log10(nanoseconds) - self.low_y) / max(1, self.high_y - self.low_y)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def lines_of(results: Results, scenario: str) -> dict[str, list[tuple[int, float]]]:
    """Return the measured points of each subject that has any."""
    found = {}
    for subject in results.subjects(scenario):
        points = [(size, results.time(scenario, subject, size)) for size in results.sizes()]
        measured = [(size, time) for size, time in points if time is not None]
        if measured:
            found[subject] = measured
    return found


def picture(results: Results, scenario: str) -> str:
    """Return the picture of a scenario."""
    lines = lines_of(results, scenario)
    times = [time for points in lines.values() for _, time in points]
    axes = Axes(
        floor(log10(min(results.sizes()))),
        ceil(log10(max(results.sizes()))),
        floor(log10(min(times))),
        ceil(log10(max(times))),
    )
    machine = results.machine
    where = f"{machine['processor']}, {machine['python']}, rustc {machine['rustc']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f"<title>{escape(scenario)}: time per operation over live ranges</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold">{escape(scenario)}</text>',
        f'<text x="{LEFT}" y="44" fill="#444444">{escape(ABOUT[scenario])}</text>',
        *_grid(axes),
        *(_curve(axes, subject, points) for subject, points in lines.items()),
        *_names(axes, lines),
        f'<text x="{LEFT}" y="{HEIGHT - 8}" font-size="10" fill="#666666">{escape(where)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def shown_time(nanoseconds: float) -> str:
    """Write a time with the unit that suits it.

    >>> shown_time(12.34), shown_time(4567.0), shown_time(1.5e9)
    ('12 ns', '4.6 us', '1.5 s')
    """
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= scale * 0.9995:
            return f"{_two_digits(nanoseconds / scale)} {unit}"
    return f"{_two_digits(nanoseconds)} ns"


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"  # noqa: PLR2004  # two digits are two


def _grid(axes: Axes) -> list[str]:
    parts, below = [], HEIGHT - BOTTOM + 18
    for power in range(axes.low_x, axes.high_x + 1):
        x = axes.x(10**power)
        parts += [
            f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#dddddd"/>',
            f'<text x="{x:.1f}" y="{below}" text-anchor="middle">{10**power:,}</text>',
        ]
    for power in range(axes.low_y, axes.high_y + 1):
        y = axes.y(10**power)
        parts += [
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>',
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_decade(power)}</text>',
        ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - BOTTOM + 34}" text-anchor="middle">live ranges</text>'
    )
    return parts


def _decade(power: int) -> str:
    """Write a power of ten of nanoseconds, exactly."""
    units = ("ns", "us", "ms", "s")
    unit = min(max(power, 0) // 3, len(units) - 1)
    return f"{10.0 ** (power - 3 * unit):g} {units[unit]}"


def _curve(axes: Axes, subject: str, points: list[tuple[int, float]]) -> str:
    colour = COLOURS.get(subject, OTHER)
    places = [(axes.x(size), axes.y(time)) for size, time in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    # Python is drawn through; another build of the same subject has the same colour.
    dash = ' stroke-dasharray="6 3"' if subject.endswith(")") else ""
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
    return (
        f'<g fill="{colour}"><polyline points="{path}" fill="none" stroke="{colour}" '
        f'stroke-width="2"{dash}/>{dots}</g>'
    )


def _names(axes: Axes, lines: dict[str, list[tuple[int, float]]]) -> list[str]:
    """Write each name beside the end of its line, pushed down where two would meet."""
    ends = sorted((axes.y(points[-1][1]), subject) for subject, points in lines.items())
    parts, lowest = [], float(TOP)
    room = HEIGHT - BOTTOM - LINE * len(ends)
    for at, (wanted, subject) in enumerate(ends):
        y = max(lowest, min(wanted, room + LINE * (at + 1)))
        lowest = y + LINE
        last = axes.x(lines[subject][-1][0])
        left = WIDTH - RIGHT + 14
        parts.append(
            f'<line x1="{last + 5:.1f}" y1="{wanted:.1f}" x2="{left - 4}" y2="{y:.1f}" '
            f'stroke="{COLOURS.get(subject, OTHER)}" stroke-width="0.5"/>'
            f'<text x="{left}" y="{y + 4:.1f}" fill="{COLOURS.get(subject, OTHER)}">'
            f"{escape(subject)}</text>"
        )
    return parts
