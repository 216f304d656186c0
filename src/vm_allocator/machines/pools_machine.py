"""The machine that drives ordered pools: three of them, whose spaces touch or lie apart."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Self

from spec.model import Allocator, Request
from spec.pools import Pools, PoolsStep
from vm_allocator.address import AddressAllocator
from vm_allocator.errors import AllocatorError, BrokenInvariantError
from vm_allocator.lockstep import Call, DisagreementError
from vm_allocator.modelling import Range, Refused
from vm_allocator.ordered_pools import OrderedPools
from vm_allocator.policy import LastMatch
from vm_allocator.resource import GuestAddress, GuestUsize
from vm_allocator.snapshots.text import dump_snapshot, load_snapshot

from .base import SessionMachine, has_live, step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from vm_allocator.policy import Policy
    from vm_allocator.ranges import RangeInclusive

    from .session import Subject

_LEFT_OUT = 1
"""Units that belong to no pool, between the second and the third."""


def pools(first: int, last: int, alignment: int) -> OrderedPools[GuestAddress, GuestUsize]:
    """Return pools that share the space: the middle, then what lies above, then below.

    A space of fewer than four units makes one pool.
    """
    size = last - first + 1
    third = size // 3
    if third < 1 or size - 2 * third <= _LEFT_OUT:
        parts = [(first, last)]
    else:
        low, high = first + third, first + 2 * third
        parts = [(low, high - 1), (high + _LEFT_OUT, last), (first, low - 1)]
    return OrderedPools(
        *(
            AddressAllocator(GuestAddress(start), GuestUsize(end - start + 1), alignment)
            for start, end in parts
        )
    )


@dataclass
class PoolsLockstep:
    """Pools beside their oracle. Every method raises `DisagreementError`; refusals are returned."""

    subject: Any
    """`OrderedPools`: `Any`, since plain numbers are drawn."""
    name: str = "pools"
    oracle: Pools = field(init=False)
    calls: list[Call] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.oracle = Pools(
            tuple(
                Allocator.initial(pool._unit.top, int(pool.base), int(pool.last))  # noqa: SLF001  # 32 bits or 64
                for pool in self.subject.pools
            )
        )
        self._setup = f"{self.name} = {self.subject!r}"
        self.compare()

    @property
    def model(self) -> Allocator:
        """The oracle of one of the pools, which numbers are drawn for: each in its turn."""
        return self.oracle.members[len(self.calls) % len(self.oracle.members)]

    # ---- the operations

    def allocate(
        self,
        size: int,
        align: int | None,
        policy: Policy[int] | None,
        within: RangeInclusive[int] | None,
    ) -> str | None:
        """Ask what is available, and allocate it."""
        wanted = self._request(size, align, within)

        def act() -> PoolsStep:
            return self.oracle.allocate_anywhere(
                lambda pool: (
                    pool.allocate_last(wanted)
                    if policy is LastMatch
                    else pool.allocate_first(wanted)
                )
            )

        options = {"align": align, "policy": policy, "within": within}
        would = _attempt(act)[0]
        try:
            found = self.subject.available(size, **options)
        except AllocatorError:
            found = None
        expected = None if would is None or would.granted is None else would.granted.start
        if found != expected:
            self._disagree(f"available({size:#x}, {options}): expected {expected}, got {found}")
        return self._both(
            f"allocate(None, {size:#x}, {options})",
            act,
            lambda: self.subject.allocate(None, size, **options),
        )

    def allocate_exactly(self, start: int, size: int, align: int | None) -> str | None:
        """Insist on a start."""
        wanted = self._request(size, align, None)
        return self._both(
            f"allocate({start:#x}, {size:#x}, align={align})",
            lambda: self.oracle.allocate_exact(wanted, start),
            lambda: self.subject.allocate(start, size, align=align),
        )

    def free(self, start: int, size: int) -> str | None:
        """Free a range."""
        return self._both(
            f"free({start:#x}, {size:#x})",
            lambda: self.oracle.free(start, size),
            lambda: self.subject.free(start, size),
        )

    def update(self, old: int, old_size: int, new: int, size: int, align: int | None) -> str | None:
        """Move a range."""
        wanted = self._request(size, align, None)
        return self._both(
            f"update({old:#x}, {old_size:#x}, {new:#x}, {size:#x}, align={align})",
            lambda: self.oracle.update(old, old_size, wanted, new),
            lambda: self.subject.update(old, old_size, new, size, align=align),
        )

    def fork(self, name: str) -> Self:
        """Return a copy of the pools beside their oracle; the two share one trace."""
        twin = copy(self)
        twin.subject = type(self.subject)(*(pool.copy() for pool in self.subject.pools))
        twin.name = name
        self.calls.append(Call(f"{name} = copies of {self.name}", "done", "done"))
        twin.compare()
        return twin

    def through_a_snapshot(self) -> None:
        """Go on with what is restored of the text of what is saved."""
        text = dump_snapshot(self.subject.save())
        restored = type(self.subject).restore(load_snapshot(text))
        self.calls.append(Call(f"{self.name} = restored {self.name}", "done", "done"))
        if restored != self.subject or dump_snapshot(restored.save()) != text:
            self._disagree(f"what is restored is something else: {restored!r}")
        self.subject = restored
        self.compare()

    # ---- the comparison

    def compare(self) -> None:
        """Raise `DisagreementError` unless each pool has the live ranges of its oracle."""
        try:
            for pool, oracle in zip(self.subject.pools, self.oracle.members, strict=True):
                pool._check()  # noqa: SLF001  # there for this caller
                found = [Range(int(live.start), int(live.end)) for live in pool]
                wanted: list[Range] = list(oracle.live)  # type: ignore[call-overload]  # finite
                if found != wanted:
                    self._disagree(f"expected {wanted} to be live in {pool!r}, got {found}")
        except BrokenInvariantError as error:
            self._disagree(f"{self.name}: {error}")

    def _both(self, text: str, act: Callable[[], PoolsStep], real: Callable[[], Any]) -> str | None:
        step, refusal = _attempt(act)
        wanted = f"refused: {refusal}" if step is None else _shown(step.granted)
        try:
            granted = real()
            # Nothing is returned for a free or an update: what it did is in the live ranges.
            actual = wanted if granted is None and step is not None else _shown_start(granted)
        except AllocatorError as error:
            actual = f"refused: {error.refusal}"
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
            actual = f"crashed: {error!r}"
        self.calls.append(Call(f"{self.name}.{text}", wanted, actual))
        if step is not None:
            self.oracle = step.after
        if wanted != actual:
            self._disagree(f"expected {wanted}, got {actual}")
        self.compare()
        return refusal

    def _disagree(self, difference: str) -> NoReturn:
        raise DisagreementError(self._setup, list(self.calls), difference) from None

    def _request(self, size: int, align: int | None, within: RangeInclusive[int] | None) -> Request:
        default: int = self.subject.pools[0].alignment
        top = self.oracle.members[0].top
        window = Range(0, top) if within is None else Range(int(within.start), int(within.end))
        return Request(size, default if align is None else align, window)


def _attempt(act: Callable[[], PoolsStep]) -> tuple[PoolsStep | None, str | None]:
    try:
        return act(), None
    except Refused as refused:
        return None, refused.refusal


def _shown(granted: Range | None) -> str:
    return "done" if granted is None else f"{granted.start:#x}"


def _shown_start(granted: int | None) -> str:
    return "done" if granted is None else f"{int(granted):#x}"


class PoolsMachine(SessionMachine):
    """Drives `factory(first, last, alignment)`: `OrderedPools`, and a copy of them."""

    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds pools in lockstep."""
        factory, alignment = self.run.factory, align()
        return lambda: PoolsLockstep(factory(first, last, alignment))

    def operate(self, on: str, method: str, *arguments: Any) -> None:
        """Carry out an operation that is granted or refused, and count which."""
        self.run.tally.count(self.do(on, method, *arguments))

    @step()
    def save_and_restore(self, chance: Random) -> None:
        """Go on with what is restored of a snapshot."""
        on, _ = self.choose(chance)
        self.do(on, "through_a_snapshot")

    @step()
    def allocate_anywhere(self, chance: Random) -> None:
        """Take what may lie anywhere: often more than one pool still has."""
        on, draw = self.choose(chance)
        size = draw.any_size()
        self.operate(on, "allocate", size, draw.align(), draw.order(), draw.window())

    @step()
    def fill(self, chance: Random) -> None:
        """Take all of a gap, so that the next pool has to help out."""
        on, draw = self.choose(chance)
        gaps: Sequence[Range] = list(draw.model.gaps())  # type: ignore[call-overload]  # finite
        size = max((end - start + 1 for start, end in gaps), default=1)
        self.operate(on, "allocate", size, 1, draw.order(), None)

    @step()
    def allocate_exactly(self, chance: Random) -> None:
        """Insist on a start: in a pool, across two, in none."""
        on, draw = self.choose(chance)
        self.operate(on, "allocate_exactly", draw.place(), draw.any_size(), draw.align_for_exact())

    @step(has_live)
    def free_a_live_range(self, chance: Random) -> None:
        """Free what is live."""
        on, draw = self.choose(chance, has_live)
        start, end = draw.live()
        self.operate(on, "free", start, end - start + 1)

    @step()
    def free_anything(self, chance: Random) -> None:
        """Free what was mostly never live."""
        on, draw = self.choose(chance)
        self.operate(on, "free", draw.place(), draw.any_size())

    @step(has_live)
    def move(self, chance: Random) -> None:
        """Move what is live: by little, or to another pool."""
        on, draw = self.choose(chance, has_live)
        old = draw.live()
        size = old.end - old.start + 1
        other = chance.choice(self._oracle(on).members)
        away = (chance.choice((other.base, other.last, other.base + 1)), size)
        new = draw.pick((draw.slide(old), draw.near(old), away, away))
        self.operate(on, "update", old.start, size, *new, draw.align_for_exact())

    def _oracle(self, on: str) -> Pools:
        subject: Any = self.session.subjects[on]
        oracle: Pools = subject.oracle
        return oracle
