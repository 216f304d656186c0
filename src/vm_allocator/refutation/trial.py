"""Whether a call ends otherwise than the specification says, when it is simply made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vm_allocator.errors import AllocatorError
from vm_allocator.resource import Unit

from .expectation import Expected, members

if TYPE_CHECKING:
    from spec.proofs.subjects import Shipped

    from .recording import Call


def misbehaves(call: Call, expected: Expected, shipped: Shipped) -> bool:
    """Whether the shipped code, on its real index, shows anybody that something is wrong.

    If it does not, the call breaks a promise to the gap index that this index does not need.
    """
    try:
        allocator = _built(call, shipped)
    except Exception:  # noqa: BLE001  # the program says that the state cannot be built
        return True
    try:
        returned = getattr(allocator, call.method)(*call.arguments, **call.options)
        refusal = None
    except AllocatorError as error:
        returned, refusal = None, error.refusal
    except Exception:  # noqa: BLE001  # whatever it is: the specification knows no crashes
        return True
    assert expected.after is not None  # noqa: S101  # only a constructor leaves nothing
    try:
        live = [(r.start, r.end) for r in allocator]
    except Exception:  # noqa: BLE001  # a state that cannot even be read
        return True
    return (refusal, returned, live) != (
        expected.refusal,
        expected.returned,
        members(expected.after),
    )


def _built(call: Call, shipped: Shipped) -> Any:
    """Return an allocator in the state of the call, made by the public interface."""
    assert call.before is not None  # noqa: S101  # a constructor is called in no state
    base, last = call.before.base, call.before.last
    by_size = call.unit is Unit.ADDRESS
    given = (base, last - base + 1, call.alignment) if by_size else (base, last)
    allocator = shipped.kind(call.unit)(*given)
    allocator._align = call.alignment  # noqa: SLF001  # ids have no public way to it
    for start, end in members(call.before):
        allocator.allocate(start, end - start + 1, align=1)
    return allocator
