"""What the synchronized allocators have in common: each method is one operation.

`synchronized` says what is defined besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from .address import RangeAllocator
from .gates import Gate, Gated
from .holds import Hold
from .moves import Move
from .resource import R, S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from .gaps import GapIndex
    from .policy import Policy
    from .ranges import RangeInclusive
    from .resource import Unit


class SynchronizedMove(Move[R]):
    """A move of an allocator that threads share: what ends it is one operation on that.

    `commit` and `abort` raise `ReentrantUseError`, or after a fork `ForkedInUseError`, besides
    what those of a `Move` raise. It is copied and pickled with its allocator: `moves()` of the
    copy has it.
    """

    __slots__ = ("_gate",)

    def __init__(  # noqa: PLR0917  # for the allocator alone
        self,
        gate: Gate,
        unit: Unit,
        index: GapIndex,
        pending: dict[tuple[int, int], Move[R] | Hold[R]],
        owners: dict[int, str],
        ends: tuple[int, int, int, int],
        owner: str | None,
    ) -> None:
        super().__init__(unit, index, pending, owners, ends, owner)
        self._gate = gate

    def commit(self) -> None:
        """See `Move.commit`."""
        with self._gate:
            super().commit()

    def abort(self) -> None:
        """See `Move.abort`."""
        with self._gate:
            super().abort()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Abort it, unless it has ended, whoever has ended it."""
        with self._gate.lock:
            super().__exit__(kind, error, trace)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} goes with its allocator: copy or pickle that, and take the move from its "
            "moves()"
        )


class SynchronizedRanges(Gated, RangeAllocator[R, S]):
    """The methods of our own allocators, each of which is one operation.

    All of them raise `ReentrantUseError`, or after a fork `ForkedInUseError`, with nothing
    changed, besides what the method of the same name raises.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """Return one with a lock of its own, however it is going to be filled."""
        made = super().__new__(cls)
        made._gate = Gate()
        return made

    # ---- the operations. Some spell out what `with self._gate` does: that is a tenth faster.

    def allocate(
        self,
        resource: R | None,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
        owner: str | None = None,
    ) -> R:
        """See `RangeAllocator.allocate`."""
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                granted: R = _allocate(
                    self,
                    resource,
                    size,
                    align=align,
                    policy=policy,
                    within=within,
                    prefer=prefer,
                    owner=owner,
                )
                return granted  # typed here: what is looked up once is not
            finally:
                gate.busy = gate.broken

    def free(self, resource: R, size: S) -> None:
        """See `RangeAllocator.free`."""
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                _free(self, resource, size)
            finally:
                gate.busy = gate.broken

    def update(
        self,
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> None:
        """See `RangeAllocator.update`."""
        if old_resource is None and old_size is None:
            self.allocate(new_resource, new_size, align=align, within=within, owner=owner)
            return
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                _update(
                    self,
                    old_resource,
                    old_size,
                    new_resource,
                    new_size,
                    align=align,
                    within=within,
                    owner=owner,
                )
            finally:
                gate.busy = gate.broken

    def update_many(
        self,
        changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """See `RangeAllocator.update_many`."""
        with self._gate:
            super().update_many(changes, align=align, within=within)

    def move(
        self,
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> Move[R]:
        """See `RangeAllocator.move`: what ends the move is one operation, too."""
        with self._gate:
            return super().move(
                old_resource,
                old_size,
                new_resource,
                new_size,
                align=align,
                within=within,
                owner=owner,
            )

    def reserve(self, resource: R, size: S, *, owner: str) -> None:
        """See `RangeAllocator.reserve`."""
        with self._gate:
            super().reserve(resource, size, owner=owner)

    def unreserve(self, resource: R, size: S) -> None:
        """See `RangeAllocator.unreserve`."""
        with self._gate:
            super().unreserve(resource, size)

    def allocate_many(
        self,
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> list[R]:
        """See `RangeAllocator.allocate_many`."""
        with self._gate:
            return RangeAllocator.allocate_many(
                self, count, size, align=align, policy=policy, within=within, owner=owner
            )

    # ---- what is asked

    def available(
        self,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        prefer: int | None = None,
    ) -> R | None:
        """See `RangeAllocator.available`: once it is answered, another thread may be faster."""
        with self._gate:
            return super().available(size, align=align, policy=policy, within=within, prefer=prefer)

    def lookup(self, resource: R) -> RangeInclusive[R] | None:
        """See `RangeView.lookup`."""
        gate = self._gate
        with gate.lock:
            if gate.busy:
                raise gate.refusal()
            try:
                gate.busy = True
                found: RangeInclusive[R] | None = _lookup(self, resource)
                return found
            finally:
                gate.busy = gate.broken

    def __contains__(self, item: R | RangeInclusive[R]) -> bool:
        with self.locked():
            return super().__contains__(item)

    def __len__(self) -> int:
        with self._gate:
            return super().__len__()

    def __iter__(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over what is live now, whatever becomes of it meanwhile. O(n) at once."""
        with self._gate:
            return iter(list(super().__iter__()))

    def gaps(self) -> Iterator[RangeInclusive[R]]:
        """Iterate over the gaps of now, whatever becomes of them meanwhile. O(n) at once."""
        with self._gate:
            return iter(list(super().gaps()))

    def moves(self) -> Iterator[Move[R]]:
        """Iterate over the moves that are pending now, whatever becomes of them meanwhile."""
        with self._gate:
            return iter(list(super().moves()))

    def reserved(self) -> Iterator[tuple[RangeInclusive[R], Move[R] | Hold[R]]]:
        """Iterate over what is reserved now, whatever becomes of it meanwhile."""
        with self._gate:
            return iter(list(super().reserved()))

    def owner_of(self, resource: R) -> str | None:
        """See `RangeView.owner_of`."""
        with self._gate:
            return super().owner_of(resource)

    def owned_by(self, owner: str) -> list[RangeInclusive[R]]:
        """See `RangeView.owned_by`."""
        with self._gate:
            return super().owned_by(owner)

    @property
    def live_size(self) -> int:
        """Units in live ranges. O(n)."""
        with self._gate:
            return super().live_size

    @property
    def free_size(self) -> int:
        """Units in gaps. O(n)."""
        with self.locked():
            return super().free_size

    @property
    def largest_gap(self) -> int:
        """Units in the largest gap; 0 when the space is full. O(n)."""
        with self._gate:
            return super().largest_gap

    # ---- copies

    def copy(self) -> Self:
        """Return an equal allocator, with a lock of its own, that shares nothing with this one."""
        with self._gate:
            return super().copy()

    def __reduce__(self) -> tuple[Any, ...]:
        twin = self.copy()
        state = vars(self) | vars(twin) | {name: getattr(twin, name) for name in _STATE}
        del state["_gate"]
        # A move is of one allocator, and has its lock: what it says is kept, and a new one made.
        state["_pending"] = [
            (one.ends, one.owner, one.reserved()) if isinstance(one, Move) else one
            for one in twin._holders()
        ]
        return _bare, (type(self),), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        holders = state.pop("_pending")
        for name, value in state.items():
            setattr(self, name, value)
        self._pending = {}
        for one in holders:
            if isinstance(one, Hold):
                self._pending[one.ends] = one
            else:
                ends, owner, reserved = one
                self._new_move(ends, owner).resume(reserved)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SynchronizedRanges):
            other = other.copy()  # never both locks at once: others may compare them in turn
        with self.locked():
            return super().__eq__(other)

    # Allocators change; a hash that changes with them would be a trap.
    __hash__ = None  # type: ignore[assignment]  # the documented way to be unhashable

    def __repr__(self) -> str:
        with self.locked():
            return super().__repr__()

    def _check(self) -> None:
        with self.locked():
            super()._check()

    def _as_one(self) -> AbstractContextManager[object]:
        return self._gate.lock

    def _new_move(self, ends: tuple[int, int, int, int], owner: str | None) -> Move[R]:
        return SynchronizedMove(
            self._gate, self._unit, self._index, self._pending, self._owners, ends, owner
        )


# Looked up once: these are called often.
_allocate: Final[Callable[..., Any]] = RangeAllocator.allocate
_free: Final[Callable[..., Any]] = RangeAllocator.free
_update: Final[Callable[..., Any]] = RangeAllocator.update
_lookup: Final[Callable[..., Any]] = RangeAllocator.lookup

_STATE: Final = ("_unit", "_base", "_last", "_align", "_index", "_owners")


def _bare(kind: type[SynchronizedRanges[Any, Any]]) -> SynchronizedRanges[Any, Any]:
    """Return an allocator without a state, which pickle is about to give it."""
    return kind.__new__(kind)
