"""Whether ranges may be live together in a space: gone through once, lowest first.

The logic has no data structure and, but for one walk, no loop: it is proved to refuse what
`spec/snapshots.py` refuses (`spec/proofs/refinement_snapshots.py`), lists of any length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EMPTY: Final = "invalid-range"
OUTSIDE: Final = "out-of-bounds"
OVERLAP: Final = "overlap"


class Entry(NamedTuple):
    """A range of a snapshot, both ends included, and where it stands: `moves[2].old`."""

    start: int
    end: int
    listed: str
    at: int
    part: str = ""
    owner: str | None = None

    @property
    def where(self) -> str:
        """The place, as a path."""
        return f"{self.listed}[{self.at}]{self.part}"


class Sweep:
    """What was accepted so far: all that can be in the way of what comes next is `highest`.

    Of all accepted entries that is the one that reaches highest: none starts above the next
    entry, so if any of them meets that, this one does.
    """

    __slots__ = ("_base", "_last", "highest")

    def __init__(self, base: int, last: int) -> None:
        self._base = base
        self._last = last
        self.highest: Entry | None = None

    def over(
        self, entries: Iterable[Entry], report: Callable[[Entry, str, Entry | None], None]
    ) -> None:
        """Go through the entries, which come lowest first; report each that cannot be. O(n).

        Reported are the entry, the reason, and the entry that it overlaps. Whatever overlaps
        another is an argument of at least one report.
        """
        for entry in entries:
            reason = self.take(entry)
            if reason:
                report(entry, reason, self.highest if reason == OVERLAP else None)
            self.keep(entry, reason)

    def take(self, entry: Entry) -> str:
        """Return why the entry cannot be live beside those before it; nothing if it can."""
        if entry.end < entry.start:
            return EMPTY
        if entry.start < self._base or self._last < entry.end:
            return OUTSIDE
        if self.highest is not None and entry.start <= self.highest.end:
            return OVERLAP
        return ""

    def keep(self, entry: Entry, reason: str) -> None:
        """Remember the entry for those after it, unless it is no range of the space."""
        if reason in (EMPTY, OUTSIDE):  # no hashes: it is proved
            return
        if self.highest is None or self.highest.end < entry.end:
            self.highest = entry
