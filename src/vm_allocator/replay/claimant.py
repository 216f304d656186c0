"""A VMM that claims (`vm_allocator.claims`), playing a trace: one `Claims` per host window.

- A BAR claims the range where the guest put it, in the window that contains it. The VMM maps
  what it is told was granted, and nothing else.
- A BAR whose claim is made has left what it held; if that was in another window, it is released
  there, as `ClaimPools` does.
- A range that no window contains, or to which no BAR can be aligned, is refused by allocator
  and oracle alike. The guest has moved the BAR there nevertheless: it decodes nowhere, so what
  it held is released.
- When the guest withdraws a BAR, its claim is released, whether it was granted or waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm_allocator.claims import Claims
from vm_allocator.claims_lockstep import ClaimsLockstep
from vm_allocator.errors import hold
from vm_allocator.resource import GuestAddress, GuestUsize

from .account import Bar, BarRange
from .outcome import End, Refusal, Wait
from .places import alignment_of, containing, nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from spec.claims import Claims as Model
    from vm_allocator.address import AddressAllocator
    from vm_allocator.modelling import Outcome

    from .formats import Window
    from .outcome import BarReplay
    from .player import Moment

    Lock: TypeAlias = ClaimsLockstep[Bar, GuestAddress, GuestUsize]


class Claimant:
    """Claims in lockstep with their oracle, and the account of what became of each claim."""

    def __init__(
        self, result: BarReplay, make: Callable[[GuestAddress, GuestUsize], AddressAllocator]
    ) -> None:
        self.locks: dict[Window, Lock] = {}
        self._result = result
        self._make = make
        self._where: dict[Bar, Window] = {}
        self._waits: dict[Bar, Wait] = {}

    def place(self, now: Moment, bar: Bar, asked: BarRange) -> None:
        """Claim the range that the guest asks for; release whatever the BAR had."""
        result = self._result
        before, held = self._where.get(bar), result.held.get(bar)
        window = containing(result.windows, asked)
        lock = self._ask(window or before or nearest(result.windows, asked))
        # As they are before the claim is made: what it waits for, if it does.
        in_way = result.in_way_of(bar, asked)
        outcome = lock.claim(
            bar, GuestAddress(asked.start), GuestUsize(asked.size), align=alignment_of(asked)
        )
        if outcome.refusal is not None:
            result.refuse(Refusal(*now, bar, asked, held, outcome.refusal, in_way))
            if before is not None:
                self._release(now, bar, before)
            return
        hold("what is claimed lies in a window", window is not None, asked)
        if window is None:
            return
        if before is not None and before != window:
            result.crossed += bar in result.held
            self._release(now, bar, before)
        else:
            self._leave(now, bar)
        self._where[bar] = window
        result.claims.claims += 1
        self._tell(now, lock, outcome, window, claimed=bar)
        if lock.waits(bar):
            self._waits[bar] = Wait(*now, bar, asked, in_way)
            result.claims.waits.append(self._waits[bar])

    def withdraw(self, now: Moment, bar: Bar) -> None:
        """Release the claim of a BAR, if it has one."""
        window = self._where.get(bar)
        self._result.nothing_to_free += bar not in self._result.held
        if window is not None:
            self._release(now, bar, window)

    def _release(self, now: Moment, bar: Bar, window: Window) -> None:
        lock = self._ask(window)
        outcome = lock.release(bar)
        hold("who has a claim may release it", outcome.refusal is None, bar)
        self._leave(now, bar)
        del self._where[bar]
        self._tell(now, lock, outcome, window)

    def _leave(self, now: Moment, bar: Bar) -> None:
        """Unmap what the BAR held, or note that it waits no more."""
        self._result.freed += self._result.held.pop(bar, None) is not None
        wait = self._waits.pop(bar, None)
        if wait is not None:
            wait.end, wait.end_line, wait.end_t = End.WITHDRAWN, *now

    def _tell(
        self,
        now: Moment,
        lock: Lock,
        outcome: Outcome[Model],
        window: Window,
        claimed: Bar | None = None,
    ) -> None:
        """Map what was granted."""
        for bar, granted in lock.granted(outcome):
            at = BarRange(window.space, granted.start, granted.end - granted.start + 1)
            hold("a BAR is told once of what it holds", bar not in self._result.held, bar)
            self._result.held[bar] = at
            self._result.allocated += 1
            wait = self._waits.pop(bar, None)
            if wait is not None:
                wait.end, wait.end_line, wait.end_t = End.GRANTED, *now
            else:
                hold("who is granted at once has just claimed", bar == claimed, bar)
                self._result.claims.at_once += 1

    def _ask(self, window: Window) -> Lock:
        """Return the claims of a window and their oracle; made when they are first asked."""
        if window not in self.locks:
            size = GuestUsize(window.last - window.first + 1)
            claims = Claims[Bar, GuestAddress, GuestUsize](
                self._make(GuestAddress(window.first), size)
            )
            self.locks[window] = ClaimsLockstep(claims, window.space.value)
        return self.locks[window]
