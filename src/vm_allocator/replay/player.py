"""Play the BARs of a recorded trace against our allocators and the oracle together.

One `AddressAllocator` per host window. What the guest asks for is asked of allocator and
oracle in lockstep; the result says what the guest did, what was refused and why, and where
BARs ended. The rules, which are a VMM's:

- A BAR that holds nothing is allocated exactly where the guest put it.
- A BAR that holds a range is moved: `update` within a window; between windows (or spaces)
  the new range is allocated first and the old one freed then, so that a refusal changes
  nothing.
- A range that no window contains is asked of the allocator that holds the BAR, or else of the
  window next to it: allocator and oracle must both say that it is out of bounds.
- When the guest withdraws a BAR, what the BAR *holds* is freed, which is not always what the
  trace says; a BAR that holds nothing, having been refused, frees nothing.
- Alignment: a BAR decodes addresses that are multiples of its size, at least 16 bytes for
  memory and 4 for I/O, because the bits below read as zero whatever the guest writes (PCI
  Local Bus Specification 3.0, section 6.2.5.1). So that is asked for, and the oracle decides.
  A size that is no power of two is no BAR's, and asks for that least alignment alone.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vm_allocator.address import AddressAllocator
from vm_allocator.arithmetic import is_power_of_two
from vm_allocator.errors import hold
from vm_allocator.lockstep import DisagreementError, Lockstep
from vm_allocator.resource import MAX_ALIGNMENT, GuestAddress, GuestUsize

from .account import Bar, BarRange, GuestAccount
from .disagreement import Disagreement, disagreement
from .formats import Alloc, Free, Map, Space, Unmap, Update, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .formats import Line, Windows

LEAST_ALIGNMENT: Final = {Space.MMIO: 16, Space.PIO: 4}


class WhenRefused(enum.Enum):
    """What the VMM does with a BAR whose request was refused."""

    KEEP = "keep"

    @property
    def meaning(self) -> str:
        """The policy in words."""
        return "a BAR that is refused keeps the range that it holds, if any; nobody retries"


@dataclass(frozen=True)
class Refusal:
    """A request that allocator and oracle refused alike."""

    line: int
    t: float
    bar: Bar
    asked: BarRange
    held: BarRange | None
    """What the BAR held, and holds still."""
    reason: str
    """The name of the reason in `spec/model.py`."""
    in_way: tuple[tuple[Bar, BarRange], ...]
    """The live ranges that share an address with what was asked for, lowest first."""


class Misplaced(NamedTuple):
    """A BAR that ends elsewhere than where the guest put it."""

    bar: Bar
    wanted: BarRange
    held: BarRange | None


@dataclass
class BarReplay:
    """What came of a trace of BARs."""

    windows: tuple[Window, ...]
    policy: WhenRefused
    guest: GuestAccount = field(default_factory=GuestAccount)
    held: dict[Bar, BarRange] = field(default_factory=dict)
    """What each BAR holds in the end."""
    allocated: int = 0
    updated: int = 0
    freed: int = 0
    crossed: int = 0
    """Moves between two windows; each also counts as allocated and as freed."""
    nothing_to_free: int = 0
    """Withdrawals of BARs that held nothing, having been refused."""
    operations: int = 0
    """Calls that allocator and oracle both carried out."""
    refusals: list[Refusal] = field(default_factory=list)
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


def play_bars(
    lines: Iterable[Line],
    windows: Windows,
    policy: WhenRefused = WhenRefused.KEEP,
    make: Callable[[GuestAddress, GuestUsize], AddressAllocator] = AddressAllocator,
) -> BarReplay:
    """Play the records of BARs; `make(base, size)` makes the allocator of a window.

    Never raises for what an allocator does: a disagreement with the oracle (a crash is one)
    ends the play and is in the result. O(n) per record in the number n of ranges that BARs
    ever had.
    """
    player = _Player(windows, policy, make)
    for line in lines:
        try:
            player.step(line)
        except DisagreementError as error:
            player.result.disagreement = disagreement(line.number, error)
            break
    player.result.operations = sum(len(lock.calls) for lock in player.locks.values())
    return player.result


class _Player:
    def __init__(
        self,
        windows: Windows,
        policy: WhenRefused,
        make: Callable[[GuestAddress, GuestUsize], AddressAllocator],
    ) -> None:
        self.result = BarReplay(windows.all, policy)
        self.locks: dict[Window, Lockstep[GuestAddress, GuestUsize]] = {}
        self._make = make

    def step(self, line: Line) -> None:
        record = line.record
        guest = self.result.guest
        if isinstance(record, (Map, Alloc, Update)):
            bar = Bar(record.device, record.bar)
            believed = guest.placed.get(bar)
            if isinstance(record, Update):
                guest.irregular += believed is None or believed.start != record.old
            else:
                guest.irregular += believed is not None
            asked = BarRange(record.space, record.base, record.size)
            guest.place(bar, asked, record.name if isinstance(record, Map) else "")
            self._place(line.number, record.t, bar, asked)
        elif isinstance(record, (Unmap, Free)):
            bar = Bar(record.device, record.bar)
            guest.withdraw(bar, unplugged=record.why.startswith("unplug"))
            held = self.result.held.pop(bar, None)
            if held is None:
                self.result.nothing_to_free += 1
            else:
                self._free(held)

    def _place(self, line: int, t: float, bar: Bar, asked: BarRange) -> None:
        """Get a BAR the range that the guest asks for, or refuse by the policy."""
        result = self.result
        held = result.held.get(bar)
        home = None if held is None else self._containing(held)
        window = self._containing(asked)
        if window is None:
            result.guest.outside += 1
            result.guest.outside_bars.add(bar)
            window = home or self._nearest(asked)
        lock = self._ask(window)
        start, size, align = GuestAddress(asked.start), GuestUsize(asked.size), _alignment(asked)
        if held is not None and window == home:
            old = GuestAddress(held.start), GuestUsize(held.size)
            refusal = lock.update(*old, start, size, align=align).refusal
            result.updated += refusal is None
        else:
            refusal = lock.allocate(start, size, align=align).refusal
            result.allocated += refusal is None
            if refusal is None and held is not None:
                self._free(held)
                result.crossed += 1
        if refusal is None:
            result.held[bar] = asked
            return
        in_way = sorted(
            ((other, live) for other, live in result.held.items() if live.overlaps(asked)),
            key=lambda item: item[1],
        )
        # WhenRefused.KEEP: `held` stays as it is. Another policy would act here.
        in_way = [item for item in in_way if item[0] != bar]
        result.refusals.append(Refusal(line, t, bar, asked, held, refusal, tuple(in_way)))

    def _free(self, held: BarRange) -> None:
        window = self._containing(held)
        hold("what a BAR holds lies in a window", window is not None, held)
        if window is not None:
            lock = self._ask(window)
            refusal = lock.free(GuestAddress(held.start), GuestUsize(held.size)).refusal
            hold("what a BAR holds is live", refusal is None, held)
            self.result.freed += 1

    def _ask(self, window: Window) -> Lockstep[GuestAddress, GuestUsize]:
        """Return the allocator of a window and its oracle; made when they are first asked."""
        if window not in self.locks:
            size = GuestUsize(window.last - window.first + 1)
            allocator = self._make(GuestAddress(window.first), size)
            self.locks[window] = Lockstep(allocator, window.space.value)
        return self.locks[window]

    def _containing(self, at: BarRange) -> Window | None:
        """Return the window that a range lies in."""
        for window in self.result.windows:
            if window.space == at.space and window.first <= at.start and at.end <= window.last:
                return window
        return None

    def _nearest(self, at: BarRange) -> Window:
        """Return the window of the same space that is least far from a range; the lowest such."""
        return min(
            (window for window in self.result.windows if window.space == at.space),
            key=lambda window: max(window.first - at.start, at.end - window.last),
        )


def _alignment(at: BarRange) -> int:
    """Return what a BAR of this size and space is aligned to, in bytes."""
    least = LEAST_ALIGNMENT[at.space]
    if is_power_of_two(at.size):
        return min(max(at.size, least), MAX_ALIGNMENT)
    return least
