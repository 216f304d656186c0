"""A transaction costs little beyond the operations that it is made of."""

from __future__ import annotations

from statistics import median
from time import thread_time_ns
from typing import TYPE_CHECKING

from vm_allocator import (
    AddressAllocator,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    IdCount,
    transaction,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE, PORTS = GuestUsize(0x1000), GuestUsize(32)
AT_MOST = 3.0
Granted = tuple[Id, GuestAddress, GuestAddress]


def test_a_transaction_of_three_allocations_costs_at_most_three_times_as_much() -> None:
    irqs = IdAllocator(Id(5), Id(400))
    mmio = AddressAllocator(GuestAddress(0), GuestUsize(1 << 32))
    pio = AddressAllocator(GuestAddress(0), GuestUsize(1 << 16))
    irqs.allocate_many(50)
    mmio.allocate_many(50, PAGE)
    pio.allocate_many(50, PORTS)

    def plain() -> Granted:
        return irqs.allocate(None), mmio.allocate(None, PAGE), pio.allocate(None, PORTS)

    def transacted() -> Granted:
        with transaction() as tx:
            return (
                tx.allocate(irqs, None),
                tx.allocate(mmio, None, PAGE),
                tx.allocate(pio, None, PORTS),
            )

    def timed(act: Callable[[], Granted]) -> int:
        began = thread_time_ns()
        irq, bar, port = act()
        took = thread_time_ns() - began
        irqs.free(irq, IdCount(1))
        mmio.free(bar, PAGE)
        pio.free(port, PORTS)
        return took

    times = [(timed(plain), timed(transacted)) for _ in range(2000)]
    assert median(two for _, two in times) <= AT_MOST * median(one for one, _ in times)
