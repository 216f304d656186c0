"""The windows of a trace: which one a range lies in, and what a BAR is aligned to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vm_allocator.arithmetic import is_power_of_two
from vm_allocator.resource import MAX_ALIGNMENT

from .formats import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .account import BarRange
    from .formats import Window

LEAST_ALIGNMENT: Final = {Space.MMIO: 16, Space.PIO: 4}


def containing(windows: Sequence[Window], at: BarRange) -> Window | None:
    """Return the window that a range lies in."""
    for window in windows:
        if window.space == at.space and window.first <= at.start and at.end <= window.last:
            return window
    return None


def nearest(windows: Sequence[Window], at: BarRange) -> Window:
    """Return the window of the same space that is least far from a range; the lowest such."""
    return min(
        (window for window in windows if window.space == at.space),
        key=lambda window: max(window.first - at.start, at.end - window.last),
    )


def alignment_of(at: BarRange) -> int:
    """Return what a BAR of this size and space is aligned to, in bytes."""
    least = LEAST_ALIGNMENT[at.space]
    if is_power_of_two(at.size):
        return min(max(at.size, least), MAX_ALIGNMENT)
    return least
