"""What the guest did, whatever an allocator makes of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .formats import Space


class Bar(NamedTuple):
    """A base address register, by the place of its device at that moment."""

    device: str
    number: int

    def __str__(self) -> str:
        return f"{self.device} BAR{self.number}"


class BarRange(NamedTuple):
    """`size` bytes of one space from `start` on."""

    space: Space
    start: int
    size: int

    @property
    def end(self) -> int:
        """The last byte, itself included. May lie beyond 2^64-1: guests write what they like."""
        return self.start + self.size - 1

    def overlaps(self, other: BarRange) -> bool:
        """Whether the two share an address."""
        return self.space == other.space and self.start <= other.end and other.start <= self.end

    def __str__(self) -> str:
        return f"{self.space} {self.start:#x}-{self.end:#x}"


@dataclass
class GuestAccount:
    """Counts of what the guest did with its BARs. Each placement is one of the first three.

    The size and the space of a BAR belong to its device: a BAR that changes them, or comes
    back after an unplug, is another device's, and its placement a first one.
    """

    first: int = 0
    """Placements of a BAR that had no place before."""
    moves: int = 0
    """Placements elsewhere than last time, with or without an unmapping in between."""
    remaps: int = 0
    """Placements where the BAR was last time: decode off and on again."""
    withdrawals: int = 0
    """BARs unmapped, or given back."""
    swaps: int = 0
    """Moves that complete an exchange: each of two BARs is where the other one started before."""
    takeovers: int = 0
    """First placements and moves onto addresses that another BAR had once been placed at."""
    onto_live: int = 0
    """Placements on addresses where another BAR is placed at that very moment."""
    outside: int = 0
    """Placements that no window contains."""
    outside_bars: set[Bar] = field(default_factory=set)
    """The BARs of those."""
    peak: int = 0
    """The largest number of BARs placed at one time."""
    placed: dict[Bar, BarRange] = field(default_factory=dict)
    """Where the guest believes its BARs to be now."""
    irregular: int = 0
    """Records that contradict the ones before them: a BAR freed that was never placed, ..."""

    _last: dict[Bar, BarRange] = field(default_factory=dict)
    _before: dict[Bar, BarRange] = field(default_factory=dict)
    _names: dict[Bar, str] = field(default_factory=dict)
    _seen: set[tuple[Bar, str]] = field(default_factory=set)
    _history: dict[BarRange, set[Bar]] = field(default_factory=lambda: defaultdict(set))

    @property
    def bars(self) -> int:
        """Distinct BARs: by place, number and, where the trace says it, type of the device."""
        return len(self._seen)

    @property
    def devices(self) -> int:
        """Distinct devices, told apart likewise."""
        return len({(bar.device, name) for bar, name in self._seen})

    def place(self, bar: Bar, at: BarRange, name: str = "") -> None:
        """Note that the guest put a BAR somewhere. O(ranges that BARs ever had)."""
        self._seen.add((bar, name))
        last = self._last.get(bar)
        if last is not None and (last.space, last.size) != (at.space, at.size):
            self._forget(bar)
            last = None
        if name != self._names.setdefault(bar, name):
            self._names[bar] = name
            self._forget(bar)
            last = None
        others = (held for other, held in self.placed.items() if other != bar)
        self.onto_live += any(held.overlaps(at) for held in others)
        if last == at:
            self.remaps += 1
        else:
            self._place_elsewhere(bar, last, at)
        self._last[bar] = self.placed[bar] = at
        self.peak = max(self.peak, len(self.placed))

    def _place_elsewhere(self, bar: Bar, last: BarRange | None, at: BarRange) -> None:
        self.takeovers += any(
            old.overlaps(at) and owners != {bar} for old, owners in self._history.items()
        )
        self._history[at].add(bar)
        if last is None:
            self.first += 1
            return
        self.moves += 1
        self._before[bar] = last
        self.swaps += any(
            other != bar
            and (before.space, before.start) == (at.space, at.start)
            and (self._last[other].space, self._last[other].start) == (last.space, last.start)
            for other, before in self._before.items()
        )

    def withdraw(self, bar: Bar, *, unplugged: bool) -> None:
        """Note that a BAR is unmapped, or gone for good."""
        self.withdrawals += 1
        self.irregular += self.placed.pop(bar, None) is None
        if unplugged:
            self._forget(bar)

    def _forget(self, bar: Bar) -> None:
        self._last.pop(bar, None)
        self._before.pop(bar, None)
