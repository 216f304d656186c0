"""`UndoLog`: changes of a gap index that can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .gaps import GapIndex


class UndoLog:
    """An index, changed step by step, and what takes each step back.

    A step is written down before it is carried out, and looked for when it is to be taken back: so
    a log knows of each step, wherever an exception came. Preconditions are those of the index.
    """

    __slots__ = ("_added", "_index", "_removed")

    def __init__(self, index: GapIndex) -> None:
        self._index = index
        self._removed: list[tuple[int, int]] = []
        self._added: list[tuple[int, int]] = []

    def remove(self, start: int, end: int) -> None:
        """Free `start` to `end`. All that is freed is freed before anything is added."""
        self._removed.append((start, end))
        self._index.remove(start, end)

    def add(self, start: int, end: int) -> None:
        """Make `start` to `end` live."""
        self._added.append((start, end))
        self._index.add(start, end)

    def undo(self) -> None:
        """Bring the live ranges back that there were before the first step. O(steps * log n).

        If it is interrupted, it can be called again.
        """
        while self._added:
            start, end = self._added[-1]
            if self._index.is_live(start, end):
                self._index.remove(start, end)
            self._added.pop()
        while self._removed:
            start, end = self._removed[-1]
            if not self._index.is_live(start, end):
                self._index.add(start, end)
            self._removed.pop()
