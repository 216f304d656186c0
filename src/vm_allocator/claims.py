"""Claims: ranges that their owners put where they like, one at a time, as guests do.

A guest moves its BARs one by one, so that for some milliseconds two of them claim one
address. An allocator that refuses the second one leaves it wrong for good: the guest never
writes that register again. A claim waits instead. `spec/claims.py` says what each operation
must do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

from .address import AddressAllocator
from .claim_errors import InvalidOwnerError, NotClaimedError
from .errors import hold
from .ids import IdAllocator
from .owners import tag
from .ranges import RangeInclusive
from .resource import R, S, Unit
from .snapshots.claims import read_claims, save_claims
from .view import plain_int

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from .address import RangeAllocator
    from .gaps import GapIndex

O = TypeVar("O", bound="Hashable")  # noqa: E741  # an owner, as R is a resource and S a size


class Granted(NamedTuple, Generic[O, R]):
    """A claim that was granted: from now on the owner holds `start` to `end`, both included."""

    owner: O
    start: R
    end: R

    @property
    def range(self) -> RangeInclusive[R]:
        """What the owner holds."""
        return RangeInclusive(self.start, self.end)

    def __str__(self) -> str:
        return f"{self.owner}: {self.range!r}"


class Claims(Generic[O, R, S]):
    r"""Claims to exact ranges of one allocator: granted at once, or as soon as the range is free.

    An owner, any hashable value, has one claim at most: a range that it holds, or one that it
    waits for. What a call grants, to whomever, is what it returns, in the order in which the
    claims were made: map these ranges, and whoever has claimed and was not granted is not
    mapped anywhere until a later call says so.

    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
    >>> mmio = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x1000_0000))
    >>> claims = Claims[str, GuestAddress, GuestUsize](mmio)
    >>> low, high, size = GuestAddress(0xC000_0000), GuestAddress(0xC000_1000), GuestUsize(0x1000)
    >>> print(*claims.claim("nic", low, size))
    nic: RangeInclusive(0xc0000000, 0xc0000fff)
    >>> print(*claims.claim("disk", high, size))
    disk: RangeInclusive(0xc0001000, 0xc0001fff)

    The guest swaps the two, one register after the other:

    >>> claims.claim("nic", high, size)
    []
    >>> print(*claims.claim("disk", low, size), sep="\n")
    nic: RangeInclusive(0xc0001000, 0xc0001fff)
    disk: RangeInclusive(0xc0000000, 0xc0000fff)

    The ranges of owners are live in the allocator, where others may allocate beside them. What
    others free or move there may be what a claim waits for: `settle` grants it then. What an
    owner holds is for `claim` and `release` alone to free. For one thread.

    Every operation is O((w + 1) log n) in the numbers w of claims that wait and n of live
    ranges: a handful wait, for milliseconds.
    """

    def __init__(self, allocator: RangeAllocator[R, S]) -> None:
        self._allocator = allocator
        self._held: dict[O, tuple[int, int]] = {}
        # In the order in which the claims were made.
        self._waiting: dict[O, tuple[int, int]] = {}

    # ---- the operations

    def claim(
        self,
        owner: O,
        resource: R,
        size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> list[Granted[O, R]]:
        """Claim exactly `size` units at `resource`, in the place of all that the owner has.

        The owner has left the range that it held, which is free from now on, and what it waited
        for. Returns what is granted: claims that waited for that range, and this one, unless it
        has to wait. Owners and ranges that others hold or wait for are as they were.

        Raises, with nothing changed, what an exact `allocate` raises of a request that can never
        be granted: `InvalidTypeError`, `InvalidSizeError`, `InvalidAlignmentError`,
        `OutOfBoundsError`, `OutsideWindowError`, `MisalignedError`; `InvalidOwnerError`; and
        `NotAllocatedError` if the range that the owner held was freed past its claim.
        """
        allocator = self._allocator
        unit = allocator._unit
        if owner is None:
            raise InvalidOwnerError(unit, owner)
        span = allocator._span(size)
        granule = allocator._granule(align)
        start = plain_int(unit, "resource", resource)
        first, last = allocator._window(within)
        allocator._place(start, span, granule, first, last)
        self._give_up(owner)
        self._waiting[owner] = (start, start + span)
        return self.settle()

    def release(self, owner: O) -> list[Granted[O, R]]:
        """Free what the owner holds, or withdraw what it waits for. Returns what is granted.

        Raises, with nothing changed, `NotClaimedError` for an owner that has no claim, and
        `NotAllocatedError` if the range that it held was freed past its claim.
        """
        if not self._give_up(owner):
            raise NotClaimedError(self._allocator._unit, owner)
        return self.settle()

    def settle(self) -> list[Granted[O, R]]:
        """Grant every claim that waits for what is free, in order, and return these.

        `claim` and `release` end so. By itself it is for whoever has freed or moved, past the
        claims, what a claim may be waiting for. Never refused.
        """
        index = self._allocator._index
        granted: list[Granted[O, R]] = []
        for owner, (start, end) in self._queue():
            if index.overlapping(start, end) is None:
                if self._allocator._owners:
                    tag(self._allocator._owners, start, None)
                index.add(start, end)
                del self._waiting[owner]
                self._held[owner] = (start, end)
                granted.append(self._granted(owner, start, end))
        return granted

    # ---- what can be asked

    @property
    def allocator(self) -> RangeAllocator[R, S]:
        """The allocator in which the ranges of owners are live."""
        return self._allocator

    def held(self, owner: O) -> RangeInclusive[R] | None:
        """Return the range that the owner holds; `None` if there is none. O(1)."""
        return self._as_range(self._held.get(owner))

    def wanted(self, owner: O) -> RangeInclusive[R] | None:
        """Return the range that the owner waits for; `None` if there is none. O(1)."""
        return self._as_range(self._waiting.get(owner))

    def __len__(self) -> int:
        """Return the number of owners that hold a range. O(1)."""
        return len(self._held)

    def __iter__(self) -> Iterator[Granted[O, R]]:
        """Iterate over what owners hold, in the order in which it was granted."""
        return (self._granted(owner, *ends) for owner, ends in self._held.items())

    def __bool__(self) -> bool:
        """Whether they are claims: they are, also while nobody holds anything."""
        return True

    def waiting(self) -> Iterator[tuple[O, RangeInclusive[R]]]:
        """Iterate over the claims that wait, in the order in which they were made."""
        return ((owner, self._allocator._range(*ends)) for owner, ends in self._waiting.items())

    def owners(self) -> Iterator[O]:
        """Iterate over who holds a range or waits for one."""
        yield from self._held
        yield from self._waiting

    def copy(self) -> Self:
        """Return equal claims, of an equal allocator, that share nothing with these. O(n)."""
        twin = type(self)(self._allocator.copy())
        twin._held, twin._waiting = dict(self._held), dict(self._waiting)
        return twin

    def save(self) -> dict[str, Any]:
        """Return these claims and their allocator as plain data. O(n). See `restore`.

        Raises `NotSavableError` for an owner that is neither a string nor an int, and
        `SnapshotStateError` if what an owner holds was freed past its claim.
        """
        return save_claims(self)

    @classmethod
    def restore(cls, data: Any, *, index: Callable[[int, int], GapIndex] | None = None) -> Self:
        """Return new claims, to a new allocator, in the state that was saved, queue and all. O(n).

        Nothing is granted meanwhile. Raises what `RangeAllocator.restore` raises.
        """
        state, saved = read_claims(data)
        kind: type[RangeAllocator[Any, Any]] = (
            AddressAllocator if state.unit is Unit.ADDRESS else IdAllocator
        )
        made = cls(kind._made(state, index))
        saved.put(made)
        return made

    def __copy__(self) -> Self:
        return self.copy()

    def __repr__(self) -> str:
        return f"<Claims of {self._allocator!r}: {len(self._held)} held, {len(self._waiting)} wait>"

    def _check(self) -> None:
        """Raise `BrokenInvariantError` unless every invariant holds. O(n)."""
        state, live = repr(self), set(self._allocator)
        held = [self._allocator._range(*ends) for ends in self._held.values()]
        hold("what owners hold is live", set(held) <= live, state)
        hold("no two owners hold one range", len(set(held)) == len(held), state)
        hold("who holds does not wait", not self._held.keys() & self._waiting.keys(), state)

    # ---- their parts

    def _give_up(self, owner: O) -> bool:
        """Free what the owner holds and withdraw what it waits for; return whether it had any."""
        try:
            held = self._held.get(owner)
        except TypeError:
            raise InvalidOwnerError(self._allocator._unit, owner) from None
        if held is None:
            return self._waiting.pop(owner, None) is not None
        start, end = held
        self._allocator._demand_live(start, end - start)
        self._allocator._index.remove(start, end)
        del self._held[owner]
        return True

    def _demand_held(self, owner: O) -> None:
        """Raise `NotAllocatedError` if what the owner held was freed past its claim."""
        held = self._held.get(owner)
        if held is not None:
            self._allocator._demand_live(held[0], held[1] - held[0])

    def _queue(self) -> tuple[tuple[O, tuple[int, int]], ...]:
        """Return the claims that wait now, in order: a list that does not change meanwhile."""
        return tuple(self._waiting.items())

    def _granted(self, owner: O, start: int, end: int) -> Granted[O, R]:
        return Granted(owner, self._allocator._resource(start), self._allocator._resource(end))

    def _as_range(self, ends: tuple[int, int] | None) -> RangeInclusive[R] | None:
        return None if ends is None else self._allocator._range(*ends)


class ClaimPools(Generic[O]):
    """Claims in several pools: an owner has one claim at most, in one of them.

    For BARs that move from one window to another. Claims to different pools are never in each
    other's way: so the order of all claims is, in each pool, the order of the claims to it. A
    `pool` is any `Claims`; from then on nobody else claims and releases there.
    """

    def __init__(self) -> None:
        self._pools: dict[O, Claims[O, Any, Any]] = {}

    def claim(
        self,
        pool: Claims[O, R, S],
        owner: O,
        resource: R,
        size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> list[Granted[O, Any]]:
        """`pool.claim(owner, resource, size, ...)`, in the place of what the owner has anywhere.

        Returns what is granted in the pool that the owner leaves, and then in this one. Raises
        what `pool.claim` raises, with nothing changed.
        """
        old = self._pool_of(owner, pool._allocator._unit)
        if old is None or old is pool:
            granted: list[Granted[O, Any]] = []
            granted += pool.claim(owner, resource, size, align=align, within=within)
        else:
            # What may be refused comes first.
            old._demand_held(owner)
            own = pool.claim(owner, resource, size, align=align, within=within)
            granted = [*old.release(owner), *own]
        self._pools[owner] = pool
        return granted

    def release(self, owner: O) -> list[Granted[O, Any]]:
        """Free what the owner holds, or withdraw what it waits for. Returns what is granted.

        Raises, with nothing changed, what `Claims.release` raises.
        """
        old = self._pool_of(owner, Unit.ADDRESS)
        if old is None:
            raise NotClaimedError(Unit.ADDRESS, owner)
        granted = old.release(owner)
        del self._pools[owner]
        return granted

    def pool_of(self, owner: O) -> Claims[O, Any, Any] | None:
        """Return the pool that the owner holds or waits for a range of. O(1)."""
        return self._pools.get(owner)

    def _pool_of(self, owner: O, unit: Unit) -> Claims[O, Any, Any] | None:
        try:
            return self._pools.get(owner)
        except TypeError:
            raise InvalidOwnerError(unit, owner) from None
