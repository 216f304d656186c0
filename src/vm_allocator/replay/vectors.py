"""Play the interrupts of a recorded trace against our `IdAllocator` and the oracle together.

A vector asks for any GSI when the guest first uses it and gives it back when it is disabled,
or when the machine is reset, which the trace says with one record for all vectors. When the
guest gives a vector another address or data, the GSI stays: the allocator is not asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vm_allocator.errors import hold
from vm_allocator.ids import ONE, IdAllocator
from vm_allocator.lockstep import DisagreementError, Lockstep
from vm_allocator.resource import Id, IdCount

from .disagreement import Disagreement, disagreement
from .formats import Reset, VectorAlloc, VectorFree, VectorUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .formats import BarRecord, Line, VectorRecord

FIRST_GSI: Final = Id(24)
"""The pins of the I/O APIC come first: 0 to 23."""

LAST_GSI: Final = Id(4095)
"""KVM routes 4096 interrupts (KVM_MAX_IRQ_ROUTES in include/linux/kvm_host.h)."""


class Vector(NamedTuple):
    """One message-signalled interrupt of a device."""

    device: str
    entry: int

    def __str__(self) -> str:
        return f"{self.device} vector {self.entry}"


@dataclass
class VectorReplay:
    """What came of a trace of interrupts."""

    allocated: int = 0
    freed: int = 0
    """By the guest; resets apart."""
    freed_by_reset: int = 0
    resets: int = 0
    rewritten: int = 0
    """Changes of address or data of a live vector, which keep the GSI."""
    as_recorded: int = 0
    """Allocations that granted the number that the recorder had chosen, the lowest free one."""
    peak: int = 0
    """The largest number of vectors live at one time."""
    refusals: Counter[str] = field(default_factory=Counter)
    irregular: int = 0
    """Records that contradict the ones before them; nothing is asked for these."""
    operations: int = 0
    vectors: set[Vector] = field(default_factory=set)
    """All that were ever allocated."""
    held: dict[Vector, int] = field(default_factory=dict)
    """The GSI of each live vector in the end."""
    disagreement: Disagreement | None = None


def play_vectors(
    lines: Iterable[Line], make: Callable[[Id, Id], IdAllocator] = IdAllocator
) -> VectorReplay:
    """Play the records of interrupts; `make(first, last)` makes the allocator of GSIs.

    Never raises for what an allocator does: a disagreement with the oracle (a crash is one)
    ends the play and is in the result. O(n) per record in the number n of live vectors.
    """
    result = VectorReplay()
    number = 0
    try:
        lock = Lockstep(make(FIRST_GSI, LAST_GSI), "gsis")
        for number, record in lines:  # noqa: B007  # the handler below names the line
            _step(record, lock, result)
            result.operations = len(lock.calls)
    except DisagreementError as error:
        result.operations = len(error.calls)
        result.disagreement = disagreement(number, error)
    return result


def _step(
    record: BarRecord | VectorRecord, lock: Lockstep[Id, IdCount], result: VectorReplay
) -> None:
    if isinstance(record, Reset):
        result.resets += 1
        for vector in list(result.held):
            _free(vector, lock, result)
            result.freed_by_reset += 1
        return
    if not isinstance(record, (VectorAlloc, VectorFree, VectorUpdate)):
        return
    vector = Vector(record.device, record.entry)
    live = vector in result.held
    if isinstance(record, VectorAlloc) and not live:
        result.vectors.add(vector)
        outcome = lock.allocate(None, ONE)
        if outcome.granted is None:
            result.refusals[str(outcome.refusal)] += 1
            return
        result.held[vector] = outcome.granted.start
        result.allocated += 1
        result.as_recorded += outcome.granted.start == record.gsi
        result.peak = max(result.peak, len(result.held))
    elif isinstance(record, VectorFree) and live:
        _free(vector, lock, result)
        result.freed += 1
    elif isinstance(record, VectorUpdate) and live:
        result.rewritten += 1
    else:
        result.irregular += 1


def _free(vector: Vector, lock: Lockstep[Id, IdCount], result: VectorReplay) -> None:
    gsi = result.held.pop(vector)
    refusal = lock.free(Id(gsi), ONE).refusal
    hold("the GSI of a live vector is live", refusal is None, (vector, gsi))
