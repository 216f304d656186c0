"""Play the BARs of a recorded trace against our allocators and the oracle together.

One `AddressAllocator` per host window. What the guest asks for is asked of allocator and
oracle in lockstep; the result says what the guest did, what was refused and why, and where
BARs ended. The rules, which are a VMM's:

- A BAR that holds nothing is allocated exactly where the guest put it.
- A BAR that holds a range is moved: `update` within a window; between windows (or spaces)
  the new range is allocated first and the old one freed then, so that a refusal changes
  nothing.
- A BAR that is refused keeps what it holds (policy `keep`), or is unmapped (`drop`). By the
  policy `claim` it is not refused, unless no BAR can be there: see `claimant`.
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

from typing import TYPE_CHECKING, NamedTuple

from vm_allocator.address import AddressAllocator
from vm_allocator.errors import hold
from vm_allocator.lockstep import DisagreementError, Lockstep
from vm_allocator.resource import GuestAddress, GuestUsize

from .account import Bar, BarRange
from .claimant import Claimant
from .disagreement import disagreement
from .formats import Alloc, Free, Map, Unmap, Update
from .outcome import BarReplay, Refusal, WhenRefused
from .places import alignment_of, containing, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .formats import Line, Window, Windows


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
    result = BarReplay(windows.all, policy)
    vmm: _Refuser | Claimant = (
        Claimant(result, make) if policy is WhenRefused.CLAIM else _Refuser(result, make)
    )
    for line in lines:
        try:
            _step(result, vmm, line)
        except DisagreementError as error:
            result.disagreement = disagreement(line.number, error)
            break
    else:
        result.claims.check()
        _check_nothing_is_lost(vmm, result)
    result.operations = sum(len(lock.calls) for lock in vmm.locks.values())
    return result


class Moment(NamedTuple):
    """Where in the trace: the line, and the seconds since power-on."""

    line: int
    t: float


def _step(result: BarReplay, vmm: _Refuser | Claimant, line: Line) -> None:
    record, guest = line.record, result.guest
    if isinstance(record, (Map, Alloc, Update)):
        bar = Bar(record.device, record.bar)
        believed = guest.placed.get(bar)
        if isinstance(record, Update):
            guest.irregular += believed is None or believed.start != record.old
        else:
            guest.irregular += believed is not None
        asked = BarRange(record.space, record.base, record.size)
        guest.place(bar, asked, record.name if isinstance(record, Map) else "")
        if containing(result.windows, asked) is None:
            guest.outside += 1
            guest.outside_bars.add(bar)
        result.impossible.discard(bar)
        vmm.place(Moment(line.number, record.t), bar, asked)
    elif isinstance(record, (Unmap, Free)):
        bar = Bar(record.device, record.bar)
        guest.withdraw(bar, unplugged=record.why.startswith("unplug"))
        vmm.withdraw(Moment(line.number, record.t), bar)


def _check_nothing_is_lost(vmm: _Refuser | Claimant, result: BarReplay) -> None:
    """Raise `BrokenInvariantError` unless what is live is what BARs hold."""
    live = sorted(
        BarRange(window.space, int(r.start), r.size)
        for window, lock in vmm.locks.items()
        for r in lock.allocator
    )
    hold("what is live is what BARs hold", live == sorted(result.held.values()), live)


class _Refuser:
    """A VMM whose allocators refuse; what is done then is the policy `KEEP`, or `DROP`."""

    def __init__(
        self, result: BarReplay, make: Callable[[GuestAddress, GuestUsize], AddressAllocator]
    ) -> None:
        self.locks: dict[Window, Lockstep[GuestAddress, GuestUsize]] = {}
        self._result = result
        self._make = make

    def withdraw(self, _now: Moment, bar: Bar) -> None:
        """Free what a BAR holds."""
        held = self._result.held.pop(bar, None)
        if held is None:
            self._result.nothing_to_free += 1
        else:
            self._free(held)

    def place(self, now: Moment, bar: Bar, asked: BarRange) -> None:
        """Get a BAR the range that the guest asks for, or refuse by the policy."""
        result = self._result
        held = result.held.get(bar)
        home = None if held is None else containing(result.windows, held)
        window = containing(result.windows, asked) or home or nearest(result.windows, asked)
        lock = self._ask(window)
        start, size, align = GuestAddress(asked.start), GuestUsize(asked.size), alignment_of(asked)
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
        in_way = result.in_way_of(bar, asked)
        result.refuse(Refusal(*now, bar, asked, held, refusal, in_way))
        if held is not None and result.policy is WhenRefused.DROP:
            del result.held[bar]
            self._free(held)

    def _free(self, held: BarRange) -> None:
        window = containing(self._result.windows, held)
        hold("what a BAR holds lies in a window", window is not None, held)
        if window is not None:
            lock = self._ask(window)
            refusal = lock.free(GuestAddress(held.start), GuestUsize(held.size)).refusal
            hold("what a BAR holds is live", refusal is None, held)
            self._result.freed += 1

    def _ask(self, window: Window) -> Lockstep[GuestAddress, GuestUsize]:
        """Return the allocator of a window and its oracle; made when they are first asked."""
        if window not in self.locks:
            size = GuestUsize(window.last - window.first + 1)
            allocator = self._make(GuestAddress(window.first), size)
            self.locks[window] = Lockstep(allocator, window.space.value)
        return self.locks[window]
