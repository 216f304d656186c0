"""What came of playing the BARs of a trace: data, and what follows from it."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from spec.model import OVERLAP
from vm_allocator.errors import hold

from .account import Bar, BarRange, GuestAccount

if TYPE_CHECKING:
    from .disagreement import Disagreement
    from .formats import Window


class WhenRefused(enum.Enum):
    """What the VMM does when a BAR is put where it cannot be."""

    KEEP = "keep"
    DROP = "drop"
    CLAIM = "claim"

    @property
    def meaning(self) -> str:
        """The policy in words."""
        return _MEANINGS[self]


_MEANINGS = {
    WhenRefused.KEEP: (
        "a BAR that is refused keeps the range that it holds, if any; nobody retries"
    ),
    WhenRefused.DROP: "a BAR that is refused is unmapped: it holds nothing; nobody retries",
    WhenRefused.CLAIM: (
        "a BAR that is put on another one waits, and is granted as soon as the range is free"
    ),
}


@dataclass(frozen=True)
class Refusal:
    """A request that allocator and oracle refused alike."""

    line: int
    t: float
    bar: Bar
    asked: BarRange
    held: BarRange | None
    """What the BAR held."""
    reason: str
    """The name of the reason in `spec/model.py`."""
    in_way: tuple[tuple[Bar, BarRange], ...]
    """The live ranges that share an address with what was asked for, lowest first."""


class Misplaced(NamedTuple):
    """A BAR that ends elsewhere than where the guest put it."""

    bar: Bar
    wanted: BarRange
    held: BarRange | None


class Ending(enum.Enum):
    """How a BAR ends that does not hold the range where the guest put it."""

    ELSEWHERE = "holds another range"
    NOTHING = "holds nothing, though no BAR in its right place is in the way"
    CONTESTED = "holds nothing: the guest left it on top of a BAR in its right place"
    NOWHERE = "holds nothing: the guest left it where no BAR can be"

    @property
    def is_wrong(self) -> bool:
        """Whether the VMM is to blame: for the last two, it is the guest."""
        return self in (Ending.ELSEWHERE, Ending.NOTHING)


class End(enum.Enum):
    """How a wait ends."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


@dataclass
class Wait:
    """A claim that was not granted at once."""

    line: int
    t: float
    bar: Bar
    asked: BarRange
    in_way: tuple[tuple[Bar, BarRange], ...]
    """The ranges that share an address with it when it is made, lowest first."""
    end: End | None = None
    """How it ended; `None` if it waits still."""
    end_line: int = 0
    end_t: float = 0.0


@dataclass
class ClaimAccount:
    """Every claim that was made, and what became of it."""

    claims: int = 0
    """Claims that were not refused: each of them is one of the following."""
    at_once: int = 0
    """Granted by the very call that made them."""
    waits: list[Wait] = field(default_factory=list)
    """The others, in the order in which they were made."""

    @property
    def later(self) -> int:
        """Claims that waited and were granted."""
        return sum(wait.end is End.GRANTED for wait in self.waits)

    @property
    def withdrawn(self) -> int:
        """Claims that waited until the BAR was moved on, unmapped or unplugged."""
        return sum(wait.end is End.WITHDRAWN for wait in self.waits)

    @property
    def still_waiting(self) -> int:
        """Claims that wait in the end."""
        return sum(wait.end is None for wait in self.waits)

    @property
    def longest(self) -> float:
        """The longest time in seconds that a claim waited until it was granted."""
        times = (wait.end_t - wait.t for wait in self.waits if wait.end is End.GRANTED)
        return max(times, default=0.0)

    def check(self) -> None:
        """Raise `BrokenInvariantError` unless every claim is accounted for."""
        ends = self.at_once + self.later + self.withdrawn + self.still_waiting
        hold("claims are granted, withdrawn, or wait", self.claims == ends, self)


@dataclass
class BarReplay:
    """What came of a trace of BARs."""

    windows: tuple[Window, ...]
    policy: WhenRefused
    guest: GuestAccount = field(default_factory=GuestAccount)
    held: dict[Bar, BarRange] = field(default_factory=dict)
    """What each BAR holds in the end."""
    allocated: int = 0
    """Ranges that became live; for claims, all that were granted."""
    updated: int = 0
    freed: int = 0
    crossed: int = 0
    """Moves between two windows; each also counts as allocated and as freed."""
    nothing_to_free: int = 0
    """Withdrawals of BARs that held nothing, having been refused or having waited in vain."""
    operations: int = 0
    """Calls that allocator and oracle both carried out."""
    refusals: list[Refusal] = field(default_factory=list)
    claims: ClaimAccount = field(default_factory=ClaimAccount)
    """Of the policy `CLAIM` alone."""
    impossible: set[Bar] = field(default_factory=set)
    """The BARs whose last place was refused, and not for what is live there."""
    disagreement: Disagreement | None = None

    @property
    def reasons(self) -> Counter[str]:
        """Refusals by reason."""
        return Counter(refusal.reason for refusal in self.refusals)

    @property
    def misplaced(self) -> list[Misplaced]:
        """The BARs that end elsewhere than where the guest put them, in order."""
        placed = sorted(self.guest.placed.items())
        return [
            Misplaced(bar, wanted, self.held.get(bar))
            for bar, wanted in placed
            if self.held.get(bar) != wanted
        ]

    @property
    def wrong(self) -> list[Misplaced]:
        """Those of the misplaced that the VMM is to blame for."""
        return [one for one in self.misplaced if self.ending_of(one).is_wrong]

    def ending_of(self, one: Misplaced) -> Ending:
        """Return how a misplaced BAR ends. O(n) in the number n of BARs."""
        if one.held is not None:
            return Ending.ELSEWHERE
        if one.bar in self.impossible:
            return Ending.NOWHERE
        right = (at for bar, at in self.held.items() if self.guest.placed.get(bar) == at)
        return Ending.CONTESTED if any(at.overlaps(one.wanted) for at in right) else Ending.NOTHING

    def in_way_of(self, bar: Bar, asked: BarRange) -> tuple[tuple[Bar, BarRange], ...]:
        """Return what other BARs hold of that range, lowest first. O(n log n)."""
        others = ((other, at) for other, at in self.held.items() if other != bar)
        found = [(other, at) for other, at in others if at.overlaps(asked)]
        return tuple(sorted(found, key=lambda item: item[1]))

    def account(self) -> str:
        """Return one line for people: what was refused or waited for, and how BARs end."""
        ends = f"{len(self.wrong)} of {len(self.guest.placed)} BARs end wrong"
        if self.policy is not WhenRefused.CLAIM:
            return f"policy {self.policy.value}: {len(self.refusals)} refused; {ends}"
        claims = self.claims
        return (
            f"policy {self.policy.value}: {len(self.refusals)} refused; {claims.claims} claims = "
            f"{claims.at_once} granted at once + {claims.later} granted later + "
            f"{claims.withdrawn} withdrawn + {claims.still_waiting} still waiting; {ends}"
        )

    def refuse(self, refusal: Refusal) -> None:
        """Note a refusal."""
        self.refusals.append(refusal)
        if refusal.reason != OVERLAP:
            self.impossible.add(refusal.bar)
