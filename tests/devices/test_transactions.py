"""Transactions: everything or nothing, whoever's allocators take part."""

from __future__ import annotations

import pytest

from tests.builders import addresses
from vm_allocator import (
    AddressAllocator,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    LastMatch,
    MisalignedError,
    NoSpaceError,
    NotAllocatedError,
    OverlapError,
    RollBackError,
    TransactionStateError,
    transaction,
)

SIZE = GuestUsize(0x1000)


class Ports:
    """A user's own allocator: it knows the seed interface and no more."""

    def __init__(self) -> None:
        self.live: dict[int, int] = {}
        self.broken = False

    def allocate(self, resource: GuestAddress | None, size: GuestUsize) -> GuestAddress:
        if self.broken:
            return GuestAddress(0xBAD)
        start = max(self.live, default=-1) + 0x100 if resource is None else resource
        if start in self.live:
            raise ValueError(start)
        self.live[start] = size
        return GuestAddress(start)

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        if self.broken or self.live.get(resource) != size:
            raise ValueError(resource)
        del self.live[resource]

    def update(
        self,
        old_resource: GuestAddress | None,
        old_size: GuestUsize | None,
        new_resource: GuestAddress,
        new_size: GuestUsize,
    ) -> None:
        if old_resource is not None and old_size is not None:
            self.free(old_resource, old_size)
        self.allocate(new_resource, new_size)


def pools() -> tuple[IdAllocator, AddressAllocator]:
    return IdAllocator(Id(5), Id(23)), AddressAllocator(
        GuestAddress(0), GuestUsize(0x10000), 0x1000
    )


class Oops(BaseException):
    """Like a KeyboardInterrupt: no Exception."""


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Oops, GeneratorExit])
def test_everything_is_undone_whatever_ends_it(error: type[BaseException]) -> None:
    irqs, mmio = pools()
    ports = Ports()
    kept = mmio.allocate(None, SIZE)
    odd = mmio.allocate(GuestAddress(0x8010), GuestUsize(0x10), align=1)
    port = ports.allocate(None, GuestUsize(8))
    before = (irqs.copy(), mmio.copy(), dict(ports.live))
    notes: list[str] = []
    with pytest.raises(error), transaction() as tx:
        tx.undo_with(notes.append, "first")
        assert tx.allocate(irqs, None) == 5
        assert tx.allocate(irqs, None, IdCount(4), align=4, policy=LastMatch) == 20
        tx.free(mmio, odd, GuestUsize(0x10))
        assert tx.allocate(mmio, GuestAddress(0x8000), SIZE) == 0x8000  # in the freed place
        tx.update(mmio, kept, SIZE, GuestAddress(0x800), SIZE, align=1)
        tx.update(mmio, None, None, GuestAddress(0x5000), SIZE)
        assert len(tx.allocate_many(mmio, 3, SIZE)) == 3
        tx.update(ports, port, GuestUsize(8), GuestAddress(0x40), GuestUsize(8))
        tx.free(ports, GuestAddress(0x40), GuestUsize(8))
        tx.allocate(ports, None, GuestUsize(4))
        tx.undo_with(notes.append, "second")
        assert len(tx) == 14
        raise error
    assert (irqs, mmio, ports.live) == before
    assert notes == ["second", "first"]


def test_a_transaction_that_ends_well_keeps_everything() -> None:
    irqs, mmio = pools()
    with transaction() as tx:
        irq = tx.allocate(irqs, None)
        tx.free(irqs, irq)
        tx.allocate(irqs, Id(9))
        tx.undo_with(pytest.fail)
        tx.allocate(mmio, None, SIZE)
    assert [one.start for one in irqs] == [9]
    assert len(mmio) == 1
    assert tx
    assert len(tx) == 0


def test_a_refusal_that_is_caught_inside_is_no_part_of_it() -> None:
    irqs, mmio = pools()
    with transaction() as tx:
        with pytest.raises(NoSpaceError):
            tx.allocate(mmio, None, GuestUsize(1 << 40))
        with pytest.raises(NotAllocatedError):
            tx.free(irqs, Id(7))
        with pytest.raises(MisalignedError):
            tx.update(mmio, None, None, GuestAddress(1), SIZE)
        assert len(tx) == 0
        tx.allocate(irqs, None)
        with pytest.raises(OverlapError):
            tx.allocate(irqs, Id(5))
        assert len(tx) == 1


def test_a_size_is_not_left_out_for_addresses() -> None:
    _, mmio = pools()
    with pytest.raises(TypeError), transaction() as tx:
        tx.allocate(mmio, None)  # type: ignore[call-overload]  # that is what is refused
    assert len(mmio) == 0


def test_a_part_is_undone_alone_and_kept_with_the_whole() -> None:
    irqs, mmio = pools()
    with pytest.raises(ZeroDivisionError), transaction() as tx:
        tx.allocate(irqs, None)
        with pytest.raises(NoSpaceError), tx.part() as part:
            part.allocate(mmio, None, SIZE)
            part.allocate(mmio, None, GuestUsize(1 << 40))
        assert (len(mmio), len(irqs)) == (0, 1)
        with tx.part() as part:
            part.allocate(mmio, None, SIZE)
            assert len(part) == 1
            with pytest.raises(TransactionStateError, match="paused while a part of it is open"):
                tx.allocate(irqs, None)
        with pytest.raises(TransactionStateError, match="over: begin another"):
            part.allocate(mmio, None, SIZE)
        tx.allocate(irqs, None)
        assert len(tx) == 3
        raise ZeroDivisionError
    assert (len(mmio), len(irqs)) == (0, 0)


def test_it_is_used_once_and_in_a_with_statement() -> None:
    irqs, _ = pools()
    tx = transaction()
    with pytest.raises(TransactionStateError, match="not begun: use it in a `with` statement"):
        tx.allocate(irqs, None)
    with tx, pytest.raises(TransactionStateError, match="open"):
        tx.__enter__()
    with pytest.raises(TransactionStateError, match="over"):
        tx.free(irqs, Id(5))
    with pytest.raises(TransactionStateError, match="over"), tx:
        pass
    assert len(irqs) == 0


def test_an_undo_that_fails_is_named_and_the_others_are_made() -> None:
    irqs, mmio = pools()
    ports = Ports()
    with pytest.raises(RollBackError) as found, transaction() as tx:
        tx.allocate(irqs, None)
        tx.allocate(ports, None, GuestUsize(8))
        tx.allocate(mmio, None, SIZE)
        ports.broken = True
        raise RuntimeError("no such tap device")
    assert (len(irqs), len(mmio)) == (0, 0)
    assert isinstance(found.value.exceptions[0], RuntimeError)
    (failed,) = found.value.failed
    assert failed.undo.startswith("Ports.free(")
    assert isinstance(failed.__cause__, ValueError)
    assert "could not be undone: Ports.free(255, 8) (ValueError);" in str(found.value)
    assert "Ports.free(255, 8) (ValueError) failed: compare that allocator" in str(failed)
    assert isinstance(found.value.__cause__, RuntimeError)
    assert isinstance(found.value.subgroup(RuntimeError), RollBackError)


def test_an_undo_that_grants_another_place_has_failed() -> None:
    ports = Ports()
    port = ports.allocate(None, GuestUsize(8))
    with pytest.raises(RollBackError) as found, transaction() as tx:
        tx.free(ports, port, GuestUsize(8))
        ports.broken = True
        raise RuntimeError
    assert "granted 2989, not 255" in str(found.value.failed[0].__cause__)


@pytest.mark.parametrize("first", [RuntimeError, KeyboardInterrupt])
def test_no_interruption_is_swallowed(first: type[BaseException]) -> None:
    irqs, _ = pools()

    def interrupted() -> None:
        raise KeyboardInterrupt

    def broken() -> None:
        raise ValueError

    with pytest.raises(BaseExceptionGroup) as found, transaction() as tx:
        tx.allocate(irqs, None)
        tx.undo_with(interrupted if first is RuntimeError else broken)
        raise first
    assert not isinstance(found.value, Exception)
    assert isinstance(found.value.exceptions[0], first)
    assert found.value.subgroup(KeyboardInterrupt)
    assert len(irqs) == 0


def test_an_undo_says_which_allocator_and_in_its_own_numbers() -> None:
    _, mmio = pools()
    with pytest.raises(RollBackError) as found, transaction() as tx:
        bar = tx.allocate(mmio, GuestAddress(0x4000), SIZE)
        mmio.free(bar, SIZE)  # past the transaction: what nobody should do
        raise RuntimeError
    assert found.value.failed[0].undo == "AddressAllocator 0x0-0xffff.free(0x4000, 0x1000)"
    assert isinstance(found.value.failed[0].__cause__, NotAllocatedError)


def test_a_whole_that_is_left_before_its_part_undoes_both() -> None:
    irqs, _ = pools()
    tx = transaction()
    tx.__enter__()
    part = tx.part()
    part.__enter__()
    part.allocate(irqs, None)
    error = RuntimeError()
    tx.__exit__(RuntimeError, error, None)
    assert len(irqs) == 0
    part.__exit__(RuntimeError, error, None)
    assert len(irqs) == 0
    with pytest.raises(TransactionStateError, match="over"):
        tx.allocate(irqs, None)


def test_an_update_of_many_is_changed_back_at_once() -> None:
    _, mmio = pools()
    first, second = mmio.allocate(None, SIZE), mmio.allocate(None, SIZE)
    odd = mmio.allocate(GuestAddress(0x8001), GuestUsize(0x1000), align=1)
    before = mmio.copy()
    one, other = addresses(first, first + 0xFFF), addresses(second, second + 0xFFF)
    changes = [
        (one, other),
        (other, one),
        (addresses(odd, odd + 0xFFF), None),
        (None, addresses(0x8000, 0x8FFF)),
    ]
    with pytest.raises(Oops), transaction() as tx:
        tx.update_many(mmio, iter(changes))
        assert len(tx) == 1
        assert list(mmio) == [one, other, addresses(0x8000, 0x8FFF)]
        with pytest.raises(OverlapError):
            tx.update_many(mmio, [(None, one)])
        assert len(tx) == 1
        raise Oops
    assert mmio == before


@pytest.mark.parametrize("end", ["pending", "commit", "abort"])
def test_a_move_is_undone_however_far_it_has_come(end: str) -> None:
    _, mmio = pools()
    bar = mmio.allocate(GuestAddress(0x1800), SIZE, align=1)
    before = mmio.copy()
    with pytest.raises(Oops), transaction() as tx:
        move = tx.move(mmio, bar, SIZE, GuestAddress(0x2000), SIZE, owner="nvme0/BAR0")
        assert move.owner == "nvme0/BAR0"
        if end != "pending":
            getattr(move, end)()
        assert move.is_committed == (end == "commit")
        tx.allocate(mmio, None, GuestUsize(0x200), align=1, policy=LastMatch)
        raise Oops
    assert mmio == before
    assert not move.is_pending
    with transaction() as tx:
        kept = tx.move(mmio, bar, SIZE, GuestAddress(0x2000), SIZE)
    assert list(mmio.moves()) == [kept]


def test_a_part_that_is_undone_leaves_a_move_of_the_whole_committed() -> None:
    _, mmio = pools()
    bar = mmio.allocate(None, SIZE)
    before = mmio.copy()
    with pytest.raises(Oops), transaction() as tx:
        move = tx.move(mmio, bar, SIZE, GuestAddress(0x4000), SIZE)
        with pytest.raises(KeyboardInterrupt), tx.part() as part:
            move.commit()
            part.allocate(mmio, bar, SIZE)
            raise KeyboardInterrupt
        assert list(mmio) == [addresses(0x4000, 0x4FFF)]
        raise Oops
    assert mmio == before
