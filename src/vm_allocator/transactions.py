"""Transactions: operations on several allocators that happen together, or not at all.

Each operation that was carried out is logged with what undoes it. An exception that leaves the
`with` block undoes them, the last one first: from the state that an operation left behind,
its undo is never refused, and leads back to the state before it
(`spec/proofs/transactions.py`). That takes for granted that nobody else operates on these
allocators, past the transaction, while it is open.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, cast, overload

from .attempts import Attempt, as_one, change_back, is_done, move_back, pool_of, result_of
from .transaction_errors import RollBackError, TransactionStateError, UndoError
from .undoing import (
    PLAIN,
    Undo,
    back_to,
    ours,
    owners_of,
    units_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from .address import RangeAllocator
    from .ids import IdAllocator
    from .moves import Move
    from .policy import Policy
    from .ranges import RangeInclusive
    from .resource import Id, IdCount, R, ResourceAllocator, S


T = TypeVar("T")


class _Phase(enum.Enum):
    """What a transaction may be used for now; the values say so to people."""

    NEW = "not begun: use it in a `with` statement"
    OPEN = "open: finish it first"
    PAUSED = "paused while a part of it is open: use that part"
    CLOSED = "over: begin another one with transaction()"


class Transaction:
    """Operations that are undone together if the `with` block is left by an exception.

    Made by `transaction()`. It holds for whatever is a `ResourceAllocator`: ours, whose further
    options may be given as ever, and others. Every operation costs O(1) beyond the
    allocator's own, and so does each undo.

    All operations raise what the allocator raises, with nothing changed and nothing logged:
    to catch a refusal within the block and to try something else is fine. A transaction is for
    one thread. What other threads do to a synchronized allocator comes between its operations,
    and may take the place that an undo needs: `locked()` keeps them out of all of it.

    An exception that a signal handler raises in these very methods leaves each operation done
    and logged, or neither: `docs/faults.md` says where that ends.
    """

    def __init__(self, whole: Transaction | None = None) -> None:
        self._whole = whole
        self._log: list[Undo] = [] if whole is None else whole._log
        self._mark = 0
        self._phase = _Phase.NEW
        self._part: Transaction | None = None
        self._undoing: Undo | None = None
        self._attempt: Attempt
        self._failures: list[BaseException] = []
        self._interruption: BaseException | None = None
        self._is_left = False

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
        prefer: int | None = ...,
        owner: str | None = ...,
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
        prefer: int | None = ...,
        owner: str | None = ...,
    ) -> R: ...

    @overload
    def allocate(self, allocator: ResourceAllocator[R, S], resource: R | None, size: S) -> R: ...

    def allocate(self, allocator: Any, resource: Any, size: Any = None, **options: Any) -> Any:
        """`allocator.allocate(resource, size, ...)`. Undone by freeing what was granted."""
        self._demand_open()
        units = units_of(allocator, size)
        pool = ours(allocator)
        return self._do(
            pool,
            (allocator.allocate, (resource, units), options),
            lambda granted: [Undo(allocator.free, (granted, units), PLAIN, None, pool)],
        )

    def allocate_many(
        self,
        allocator: RangeAllocator[R, S],
        count: int,
        size: S,
        *,
        align: int | None = None,
        policy: Policy[R] | None = None,
        within: RangeInclusive[R] | None = None,
        owner: str | None = None,
    ) -> list[R]:
        """`allocator.allocate_many(count, size, ...)`. Undone by freeing each of them."""
        self._demand_open()
        options = {"align": align, "policy": policy, "within": within, "owner": owner}
        granted: list[R] = self._do(
            allocator,
            (allocator.allocate_many, (count, size), options),
            lambda starts: [
                Undo(allocator.free, (start, size), PLAIN, None, allocator) for start in starts
            ],
        )
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
        units = units_of(allocator, size)
        pool, ends = ours(allocator), (resource, units)
        with as_one(pool):
            undo = Undo(allocator.allocate, ends, back_to(allocator, resource), resource, pool)
            self._do(pool, (allocator.free, ends, PLAIN), lambda _: [undo])

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
        owner: str | None = ...,
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
        ranges, pool = (old_resource, old_size, new_resource, new_size), ours(allocator)
        with as_one(pool):
            if old_resource is None:
                undos = [Undo(allocator.free, (new_resource, new_size), PLAIN, None, pool)]
            elif options.get("owner") is None:
                back = (new_resource, new_size, old_resource, old_size)
                undos = [Undo(allocator.update, back, back_to(allocator), None, pool)]
            else:
                # Moving it back would leave it the new owner's, where it was nobody's.
                old, again = (old_resource, old_size), back_to(allocator, old_resource)
                undos = [
                    Undo(allocator.allocate, old, again, old_resource, pool),
                    Undo(allocator.free, (new_resource, new_size), PLAIN, None, pool),
                ]
            self._do(pool, (allocator.update, ranges, options), lambda _: undos)

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
        options = {"align": align, "within": within}
        with as_one(allocator):
            owners = owners_of(allocator, listed)
            self._do(
                allocator,
                (allocator.update_many, (listed,), options),
                lambda _: [Undo(change_back, (allocator, listed, owners), PLAIN, None, allocator)],
            )

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
        ends = (old_resource, old_size, new_resource, new_size)
        back = (new_resource, new_size, old_resource, old_size)
        with as_one(allocator):
            whose = allocator.owner_of(old_resource)
            move: Move[R] = self._do(
                allocator,
                (allocator.move, ends, {"align": align, "within": within, "owner": owner}),
                lambda begun: [
                    Undo(move_back, (allocator, begun, back, whose), PLAIN, None, allocator)
                ],
            )
            return move

    def undo_with(self, call: Callable[..., object], *arguments: Any) -> None:
        """Log what undoes something else that has just been done, such as a mapping.

        `call(*arguments)` is made in its turn of the roll-back, once, and never otherwise. Log
        a call that does no harm where nothing was done first, and then do it: so no interrupt
        comes between.
        """
        self._demand_open()
        self._log.append(Undo(call, arguments, PLAIN, None, pool_of(call, arguments)))

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
        try:
            if self._whole is not None:
                self._whole._pause(self)
            self._mark = len(self._log)
            self._phase = _Phase.OPEN
        except BaseException:
            self._phase = _Phase.NEW
            if self._whole is not None:
                self._whole._resume(self)
            raise
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
        wrong, that is a plain `BaseExceptionGroup`, which no `except Exception` swallows. An
        exception that interrupts the undoing is raised once everything is undone.
        """
        try:
            self._leave(error)
        except BaseException:
            self._leave(error)  # it goes on where it was interrupted, if it was
            raise

    def _leave(self, error: BaseException | None) -> None:
        """Keep or undo everything, unless that is done already."""
        if self._is_left:
            return
        self._phase = _Phase.CLOSED
        if error is not None:
            self._roll_back(error)
        elif self._whole is None:
            self._log.clear()
        if self._whole is not None:
            self._whole._resume(self)
        self._is_left = True
        if self._failures and error is not None:
            self._report(error)
        if self._interruption is not None:
            raise self._interruption

    def _roll_back(self, error: BaseException) -> None:
        """Undo everything, the last one first; what cannot be undone is noted, and left out."""
        del error
        while len(self._log) > self._mark:
            undo = self._log[-1]
            with as_one(undo.pool):
                begun = undo is self._undoing  # in a round before, which was interrupted
                if not begun:
                    if undo.pool is None:
                        self._attempt = Attempt(
                            undo.call, undo.arguments, undo.options, undo.wanted
                        )
                    else:
                        undo.pool._intent = None
                    self._undoing = undo
                if not begun or self._may_be_made(undo):
                    try:
                        self._make(undo)
                    except BaseException as failure:  # noqa: BLE001  # others are to be undone
                        self._failed(undo, failure)
                self._log.pop()

    def _make(self, undo: Undo) -> None:
        if undo.pool is None:
            self._attempt.make()
        else:
            undo.make()

    def _may_be_made(self, undo: Undo) -> bool:
        """Whether the undo that was begun would do something, and nothing twice."""
        return not (self._attempt.has_begun if undo.pool is None else self._was_made(undo))

    def _was_made(self, undo: Undo) -> bool:
        """Whether the undo that was begun is carried out."""
        if undo.pool is None:
            return self._attempt.is_done
        return is_done(undo.pool, undo.call, undo.arguments)

    def _failed(self, undo: Undo, failure: BaseException) -> None:
        """Note what came in the way of an undo: an interrupt, after which it is made, or an end."""
        if self._may_be_made(undo):
            try:
                self._make(undo)
            except BaseException as again:  # noqa: BLE001  # likewise
                failure = again
        if self._was_made(undo):
            self._interruption = failure
        elif isinstance(failure, Exception):
            error = UndoError(str(undo))
            error.__cause__ = failure
            self._failures.append(error)
        else:
            failure.add_note(f"while undoing: {undo}")
            self._failures.append(failure)

    def _report(self, error: BaseException) -> NoReturn:
        shown = "; ".join(
            one.brief if isinstance(one, UndoError) else repr(one) for one in self._failures
        )
        message = f"could not be undone: {shown}; everything else was"
        everything = [error, *self._failures]
        if self._interruption is not None:
            everything.append(self._interruption)
        if all(isinstance(one, Exception) for one in everything):
            raise RollBackError(message, cast("list[Exception]", everything)) from error
        raise BaseExceptionGroup(message, everything) from error

    def _do(
        self,
        pool: RangeAllocator[Any, Any] | None,
        operation: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]],
        undoing: Callable[[Any], list[Undo]],
    ) -> Any:
        """Carry out an operation and log what undoes it: both of these, or neither."""
        mark = len(self._log)
        if pool is None:
            attempt = Attempt(*operation)
            try:
                granted = attempt.make()
                self._log += undoing(granted)
            except BaseException:
                self._take_back(mark, undoing(attempt.result) if attempt.is_done else [])
                raise
            return granted
        call, arguments, options = operation
        with as_one(pool):
            pool._intent = None
            try:
                granted = call(*arguments, **options)
                self._log += undoing(granted)
            except BaseException:
                done = is_done(pool, call, arguments)
                self._take_back(mark, undoing(result_of(pool, call, arguments)) if done else [])
                raise
            return granted

    def _take_back(self, mark: int, undos: list[Undo]) -> None:
        """Leave out of the log what is beyond that mark, and make these undos instead."""
        del self._log[mark:]
        for undo in reversed(undos):
            if undo.pool is not None:
                undo.pool._intent = None
            undo.make()

    def _pause(self, part: Transaction) -> None:
        self._demand_open()
        self._part = part
        self._phase = _Phase.PAUSED

    def _resume(self, part: Transaction) -> None:
        if self._part is part and self._phase is _Phase.PAUSED:
            self._phase = _Phase.OPEN

    def _demand_open(self) -> None:
        if self._phase is not _Phase.OPEN:
            raise TransactionStateError(self._phase.value)


def atomically(tx: Transaction, work: Callable[[Transaction], T]) -> T:
    """Return what `work(tx)` returns, or undo it: `with tx: return work(tx)`, and more.

    The `with` statement calls `__exit__`, and an interrupt right before the first step of that
    has nothing undone. This function undoes it. O(1) beyond the work.

    >>> from vm_allocator import Id, IdAllocator
    >>> irqs = IdAllocator(Id(5), Id(23))
    >>> atomically(transaction(), lambda tx: tx.allocate(irqs, None))
    5
    """
    try:
        with tx:
            return work(tx)
    except BaseException as error:
        if tx._phase is not _Phase.NEW:
            tx._leave(error)
        raise


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
