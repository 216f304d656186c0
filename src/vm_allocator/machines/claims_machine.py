"""The machine that claims ranges, as guests do: onto each other, back and forth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from vm_allocator.address import AddressAllocator
from vm_allocator.claims import Claims
from vm_allocator.claims_lockstep import ClaimsLockstep
from vm_allocator.resource import GuestAddress, GuestUsize

from .base import SessionMachine, has_gap, has_live, step

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .session import Subject

OWNERS: Final = ("disk", "nic", "gpu", "rng", "usb")


def has_owners(subject: Subject) -> bool:
    """Whether some range is held by an owner, or waited for."""
    return _lock(subject).has_owners()


def has_others(subject: Subject) -> bool:
    """Whether some live range is nobody's in particular."""
    return bool(_lock(subject).unclaimed())


def fresh_claims(base: int, size: int, alignment: int) -> Claims[Any, Any, Any]:
    """Return claims to the space of that base and size, all of it free."""
    return Claims(AddressAllocator(GuestAddress(base), GuestUsize(size), alignment))


class ClaimsMachine(SessionMachine):
    """Drives `factory(base, size, alignment)`: `Claims` of a fresh allocator, and a copy."""

    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds claims in lockstep."""
        factory, alignment = self.run.factory, align()
        return lambda: ClaimsLockstep[str, Any, Any](factory(first, last - first + 1, alignment))

    def operate(self, on: str, method: str, *arguments: Any, **options: Any) -> None:
        """Carry out an operation that is granted or refused, and count which."""
        self.run.tally.count(self.do(on, method, *arguments, **options).refusal)

    # ---- claims

    @step()
    def save_and_restore(self, chance: Random) -> None:
        """Go on with what is restored of a snapshot."""
        on, _ = self.choose(chance)
        self.do(on, "through_a_snapshot")

    @step()
    def claim_anything(self, chance: Random) -> None:
        """Claim any place, sensible or not, for anybody or, now and then, for nobody."""
        on, draw = self.choose(chance)
        request: dict[str, Any] = {"align": draw.align_for_exact(), "within": draw.window()}
        owner = None if draw.rarely() else draw.pick(OWNERS)
        self.operate(on, "claim", owner, draw.place(), draw.any_size(), **request)

    @step(has_gap)
    def claim_what_is_free(self, chance: Random) -> None:
        """Claim all of a gap, or its first units."""
        on, draw = self.choose(chance, has_gap)
        start, end = draw.gap()
        size = draw.pick((end - start + 1, 1, min(end - start + 1, 4)))
        self.operate(on, "claim", draw.pick(OWNERS), start, size, align=1)

    @step(has_live)
    def claim_what_is_taken(self, chance: Random) -> None:
        """Claim a place at, in, over or next to a live range; often several ask for the same."""
        on, draw = self.choose(chance, has_live)
        live = draw.live()
        same = (live.start, live.end - live.start + 1)
        start, size = draw.pick((same, same, draw.near(live), draw.slide(live)))
        self.operate(on, "claim", draw.pick(OWNERS), start, size, align=1)

    @step(has_live)
    def claim_after_another(self, chance: Random) -> None:
        """Two owners claim overlapping places, one after the other: the first one comes first."""
        on, draw = self.choose(chance, has_live)
        live = draw.live()
        first, second = chance.sample(OWNERS, 2)
        self.operate(on, "claim", first, *draw.near(live), align=1)
        self.operate(on, "claim", second, *draw.near(live), align=1)

    @step(has_owners)
    def release_one(self, chance: Random) -> None:
        """Release what somebody holds, or waits for; now and then what nobody does."""
        on, draw = self.choose(chance, has_owners)
        self.operate(on, "release", draw.pick(OWNERS))

    # ---- what others do, past the claims

    @step()
    def allocate_beside(self, chance: Random) -> None:
        """Allocate for nobody in particular."""
        on, draw = self.choose(chance)
        self.operate(on, "allocate", None, draw.size(), policy=draw.order(), align=1)

    @step(has_others)
    def free_beside(self, chance: Random) -> None:
        """Free what is nobody's, and mostly settle then; what is not settled comes later."""
        on, draw = self.choose(chance, has_others)
        start, end = draw.pick(_lock(self.session.subjects[on]).unclaimed())
        self.operate(on, "free", start, end - start + 1)
        if draw.pick((True, True, False)):
            self.operate(on, "settle")

    @step(has_others)
    def move_beside(self, chance: Random) -> None:
        """Move what is nobody's."""
        on, draw = self.choose(chance, has_others)
        start, end = draw.pick(_lock(self.session.subjects[on]).unclaimed())
        self.operate(on, "update", start, end - start + 1, draw.place(), draw.size(), align=1)

    @step()
    def settle(self, chance: Random) -> None:
        """Settle, whether there is anything to settle or not."""
        on, _ = self.choose(chance)
        self.operate(on, "settle")


def _lock(subject: Subject) -> ClaimsLockstep[Any, Any, Any]:
    return cast("ClaimsLockstep[Any, Any, Any]", subject)
