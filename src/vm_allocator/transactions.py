"""Transactions: operations on several allocators that happen together, or not at all.

Each operation that succeeded is logged with what undoes it. An exception that leaves the
`with` block undoes them, the last one first: from the state that an operation left behind,
its undo is never refused, and leads back to the state before it
(`spec/proofs/transactions.py`). That takes for granted that nobody else operates on these
allocators, past the transaction, while it is open.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast, overload

from .address import RangeAllocator
from .ids import ONE, IdAllocator
from .transaction_errors import RollBackError, TransactionStateError, UndoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from .moves import Move
    from .policy import Policy
    from .ranges import RangeInclusive
    from .resource import Id, IdCount, R, ResourceAllocator, S


class _Undo(NamedTuple):
    """What undoes an operation: a call that is not made yet."""

    call: Callable[..., object]
    arguments: tuple[Any, ...]
    options: dict[str, int]
    wanted: object = None

    def make(self) -> None:
        """Make the call. Raises what it raises, and `ValueError` if it grants another place."""
        got = self.call(*self.arguments, **self.options)
        if self.wanted is not None and got != self.wanted:
            raise ValueError(f"it granted {got!r}, not {self.wanted!r}: free that")

    def __str__(self) -> str:
        owner = getattr(self.call, "__self__", None)
        show: Callable[[object], str] = repr
        place = f"{type(owner).__name__}." if owner is not None else ""
        if isinstance(owner, RangeAllocator):
            # Which of several, and its values as people write them.
            show = owner._unit.show
            place = f"{type(owner).__name__} {owner._unit.show_range(owner.base, owner.last)}."
        shown = [show(argument) for argument in self.arguments]
        shown += [f"{key}={value!r}" for key, value in self.options.items()]
        return f"{place}{getattr(self.call, '__name__', self.call)}({', '.join(shown)})"


class _Phase(enum.Enum):
    """What a transaction may be used for now; the values say so to people."""

    NEW = "not begun: use it in a `with` statement"
    OPEN = "open: finish it first"
    PAUSED = "paused while a part of it is open: use that part"
    CLOSED = "over: begin another one with transaction()"


# Whatever alignment a range was allocated with, 1 puts it back: the default might refuse it.
_BACK_TO_ITS_PLACE: dict[str, int] = {"align": 1}
_PLAIN: dict[str, int] = {}


class Transaction:
    """Operations that are undone together if the `with` block is left by an exception.

    Made by `transaction()`. It holds for whatever is a `ResourceAllocator`: ours, whose further
    options may be given as ever, and others. Every operation costs O(1) beyond the
    allocator's own, and so does each undo.

    All operations raise what the allocator raises, with nothing changed and nothing logged:
    to catch a refusal within the block and to try something else is fine. A transaction is for
    one thread. An exception that a signal handler raises in these very methods, say between an
    operation and the line that logs it, can leave something undone.
    """

    def __init__(self, whole: Transaction | None = None) -> None:
        self._whole = whole
        self._log: list[_Undo] = [] if whole is None else whole._log
        self._mark = 0
        self._phase = _Phase.NEW

    def __len__(self) -> int:
        """Return how many operations an exception would undo now."""
        return len(self._log) - self._mark

    def __bool__(self) -> bool:
        """Whether it is a transaction: it is, also while it is empty."""
        return True

    # ---- the operations

    @overload
    def allocate(
        self,
        allocator: IdAllocator,
        resource: Id | None,
        size: IdCount = ...,
        *,
        align: int | None = ...,
        policy: Policy[Id] | None = ...,
        within: RangeInclusive[Id] | None = ...,
    ) -> Id: ...

    @overload
    def allocate(
        self,
        allocator: RangeAllocator[R, S],
        resource: R | None,
        size: S,
        *,
        align: int | None = ...,
        policy: Policy[R] | None = ...,
        within: RangeInclusive[R] | None = ...,
    ) -> R: ...

    @overload
    def allocate(self, allocator: ResourceAllocator[R, S], resource: R | None, size: S) -> R: ...

    def allocate(self, allocator: Any, resource: Any, size: Any = None, **options: Any) -> Any:
        """`allocator.allocate(resource, size, ...)`. Undone by freeing what was granted."""
        self._demand_open()
        units = _units(allocator, size)
        granted = allocator.allocate(resource, units, **options)
        self._log.append(_Undo(allocator.free, (granted, units), _PLAIN))
        return granted

    def allocate_many(
        self,
        allocator: RangeAllocator[R, S],
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> list[R]:
        """`allocator.allocate_many(count, size, ...)`. Undone by freeing each of them."""
        self._demand_open()
        granted = allocator.allocate_many(count, size, align=align, policy=policy, within=within)
        self._log.extend([_Undo(allocator.free, (start, size), _PLAIN) for start in granted])
        return granted

    @overload
    def free(self, allocator: IdAllocator, resource: Id, size: IdCount = ...) -> None: ...

    @overload
    def free(self, allocator: ResourceAllocator[R, S], resource: R, size: S) -> None: ...

    def free(self, allocator: Any, resource: Any, size: Any = None) -> None:
        """`allocator.free(resource, size)`. Undone by allocating exactly that range again.

        From here on the range may be allocated, by this transaction too. If the guest can
        still reach it, free it in a transaction of its own, after the device has let go.
        """
        self._demand_open()
        units = _units(allocator, size)
        allocator.free(resource, units)
        self._log.append(
            _Undo(allocator.allocate, (resource, units), _back(allocator), wanted=resource)
        )

    @overload
    def update(
        self,
        allocator: RangeAllocator[R, S],
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = ...,
        within: RangeInclusive[R] | None = ...,
    ) -> None: ...

    @overload
    def update(
        self,
        allocator: ResourceAllocator[R, S],
        old_resource: R | None,
        old_size: S | None,
        new_resource: R,
        new_size: S,
    ) -> None: ...

    def update(
        self,
        allocator: Any,
        old_resource: Any,
        old_size: Any,
        new_resource: Any,
        new_size: Any,
        **options: Any,
    ) -> None:
        """`allocator.update(...)`. Undone by moving the range back; with no old one, by freeing."""
        self._demand_open()
        allocator.update(old_resource, old_size, new_resource, new_size, **options)
        if old_resource is None:
            undo = _Undo(allocator.free, (new_resource, new_size), _PLAIN)
        else:
            ranges = (new_resource, new_size, old_resource, old_size)
            undo = _Undo(allocator.update, ranges, _back(allocator))
        self._log.append(undo)

    def update_many(
        self,
        allocator: RangeAllocator[R, S],
        changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
    ) -> None:
        """`allocator.update_many(changes, ...)`. Undone by changing all of them back at once.

        What was allocated is freed then, and what was freed is allocated. O(k) for k changes
        beyond the allocator's own cost.
        """
        self._demand_open()
        listed = list(changes)
        allocator.update_many(listed, align=align, within=within)
        back = [(new, old) for old, new in listed]
        self._log.append(_Undo(allocator.update_many, (back,), _BACK_TO_ITS_PLACE))

    def move(
        self,
        allocator: RangeAllocator[R, S],
        old_resource: R,
        old_size: S,
        new_resource: R,
        new_size: S,
        *,
        align: int | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> Move[R]:
        """`allocator.move(...)`. Undone by aborting it; if it was committed, by moving back.

        Commit or abort it as ever, in the transaction or, if that ends well, after it. One that
        was aborted already has nothing to undo. What a part commits of a move that was begun
        before the part stays committed if the part alone is undone.
        """
        self._demand_open()
        move = allocator.move(
            old_resource, old_size, new_resource, new_size, align=align, within=within, owner=owner
        )
        back = (allocator, move, (new_resource, new_size, old_resource, old_size))
        self._log.append(_Undo(_move_back, back, _PLAIN))
        return move

    def undo_with(self, call: Callable[..., object], *arguments: Any) -> None:
        """Log what undoes something else that has just been done, such as a mapping.

        `call(*arguments)` is made in its turn of the roll-back, and never otherwise.
        """
        self._demand_open()
        self._log.append(_Undo(call, arguments, _PLAIN))

    def part(self) -> Self:
        """Return a transaction within this one, which pauses until that is over.

        Left by an exception, the part undoes its own operations only. Those of a part that
        was left otherwise are undone with the whole.
        """
        self._demand_open()
        return type(self)(self)

    # ---- how it begins and ends

    def __enter__(self) -> Self:
        """Begin. Raises `TransactionStateError` for one that has begun before."""
        if self._phase is not _Phase.NEW:
            raise TransactionStateError(self._phase.value)
        if self._whole is not None:
            self._whole._pause()
        self._mark = len(self._log)
        self._phase = _Phase.OPEN
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep everything; or, after an exception, undo everything and let it pass.

        Raises `RollBackError` if something could not be undone; the rest is, nevertheless. If
        an exception that is no `Exception`, say a `KeyboardInterrupt`, is among what went
        wrong, that is a plain `BaseExceptionGroup`, which no `except Exception` swallows.
        """
        self._phase = _Phase.CLOSED
        try:
            if error is not None:
                self._roll_back(error)
            elif self._whole is None:
                self._log.clear()
        finally:
            if self._whole is not None:
                self._whole._resume()

    def _roll_back(self, error: BaseException) -> None:
        failures: list[BaseException] = []
        while len(self._log) > self._mark:
            try:
                self._undo_the_last()
            except BaseException as failure:  # noqa: BLE001  # the others have to be undone
                failures.append(failure)
        if not failures:
            return
        shown = "; ".join(
            one.brief if isinstance(one, UndoError) else repr(one) for one in failures
        )
        message = f"could not be undone: {shown}; everything else was"
        everything = [error, *failures]
        if all(isinstance(one, Exception) for one in everything):
            raise RollBackError(message, cast("list[Exception]", everything)) from error
        raise BaseExceptionGroup(message, everything) from error

    def _undo_the_last(self) -> None:
        undo = self._log.pop()
        try:
            undo.make()
        except Exception as failure:
            raise UndoError(str(undo)) from failure
        except BaseException as interruption:
            interruption.add_note(f"while undoing: {undo}")
            raise

    def _pause(self) -> None:
        self._demand_open()
        self._phase = _Phase.PAUSED

    def _resume(self) -> None:
        if self._phase is _Phase.PAUSED:
            self._phase = _Phase.OPEN

    def _demand_open(self) -> None:
        if self._phase is not _Phase.OPEN:
            raise TransactionStateError(self._phase.value)


def transaction() -> Transaction:
    """Return a transaction, to be used in a `with` statement.

    >>> from vm_allocator import AddressAllocator, GuestAddress, GuestUsize, Id, IdAllocator
    >>> irqs = IdAllocator(Id(5), Id(23))
    >>> mmio = AddressAllocator(GuestAddress(0xC000_0000), GuestUsize(0x2000))
    >>> with transaction() as tx:
    ...     irq = tx.allocate(irqs, None)
    ...     bar = tx.allocate(mmio, None, GuestUsize(0x1000), align=0x1000)
    >>> irq, hex(bar)
    (5, '0xc0000000')
    >>> with transaction() as tx:
    ...     irq = tx.allocate(irqs, None)
    ...     bar = tx.allocate(mmio, None, GuestUsize(0x2000))
    Traceback (most recent call last):
        ...
    vm_allocator.errors.NoSpaceError: no room for 0x2000 aligned to 0x1 within \
0xc0000000-0xc0001fff: free something, or ask for less
    >>> list(irqs)
    [RangeInclusive(5, 5)]
    """
    return Transaction()


def _move_back(allocator: RangeAllocator[R, S], move: Move[R], ends: tuple[R, S, R, S]) -> None:
    """Leave the old range of a move live, whichever way the move has come."""
    if move.is_pending:
        move.abort()
    elif move.is_committed:
        allocator.update(*ends, align=1)


def _units(allocator: object, size: object) -> object:
    """Return the size; ids come one at a time unless it is said otherwise."""
    return ONE if size is None and isinstance(allocator, IdAllocator) else size


def _back(allocator: object) -> dict[str, int]:
    """Return the options with which the allocator takes any of its ranges back."""
    return _BACK_TO_ITS_PLACE if isinstance(allocator, RangeAllocator) else _PLAIN
