"""Whose ranges are, and what the platform holds: the shipped source, for any live ranges.

A range of the platform is in the index like a live one; the theorems are that it comes and goes
as the model's allocations and frees, and that nobody frees or moves it. Owners decide nothing:
that an operation with them does what it does without is part of each theorem here, and whose a
range is afterwards is claimed of the granted one and of any other. Shown of addresses: ids are
handled by the very same code.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from spec.model import Request
from spec.proofs.cases import any_range, any_start
from spec.proofs.subjects import (
    LEFT_OUT,
    Shipped,
    Subject,
    any_options,
    any_subject,
    outcome_of,
    reading,
)
from vm_allocator.errors import OverlapError
from vm_allocator.modelling import Range, attempt
from vm_allocator.policy import LastMatch
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from spec.proofs.cases import AllocatorCase

RESERVED: Final = "reserved"
NOT_RESERVED: Final = "not-reserved"
SOMEBODY, NEWCOMER = "somebody", "newcomer"


def allocates_with_a_preference_as_the_model(
    case: AllocatorCase, shipped: Shipped, unit: Unit
) -> None:
    """`allocate` with a preferred alignment: the same start or refusal, the same live ranges."""
    subject = any_subject(case, shipped, unit, watched=False)
    # What options say that are given is read by the methods that every `allocate` reads them by.
    request, options = any_options(case, subject, (LEFT_OUT,))
    prefer = case.number("prefer", like=(1, 2, 4, 8))
    policy = case.one_of("policy", (None, LastMatch))
    before, allocator = subject.before, subject.allocator
    with reading(case, shipped):
        expected = attempt(
            before,
            lambda: before.allocate_preferred(prefer, request, last=policy is LastMatch),
        )
        subject.agrees(
            case,
            expected,
            lambda: allocator.allocate(None, request.size, policy=policy, prefer=prefer, **options),
        )


def reserves_as_an_allocation(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`reserve` takes what an exact allocation would, for the same reasons not; then it is held."""
    subject = any_subject(case, shipped, unit, watched=False)
    before, allocator = subject.before, subject.allocator
    start, size = any_start(case, before), case.number("size", like=(1, 1, 2))
    request = Request(size, 1, Range(before.base, before.last))
    expected = attempt(before, lambda: before.allocate_exact(request, start))
    with reading(case, shipped):
        _, refusal = outcome_of(lambda: allocator.reserve(start, size, owner=SOMEBODY))
        case.claim(refusal == expected.refusal)
        case.claim(subject.index.state.live.same_as(expected.after.live))
        other, units = any_range(case, expected.after, "freed")
        freed = outcome_of(lambda: allocator.free(other, units))[1]
    held = expected.refusal is None and other == start and units == size
    case.claim((freed == RESERVED) == held)
    if held:
        case.claim(subject.index.state.live.same_as(expected.after.live))


def unreserves_as_a_free(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`unreserve` gives back exactly what was reserved, and nothing that is live."""
    subject = any_subject(case, shipped, unit, watched=False)
    before, allocator = subject.before, subject.allocator
    start, size = any_start(case, before), case.number("size", like=(1, 1, 2))
    other, units = any_range(case, before, "given back")
    case.assume(1 <= units <= before.top + 1)
    with reading(case, shipped):
        _, refusal = outcome_of(lambda: allocator.reserve(start, size, owner=SOMEBODY))
        taken = subject.index.state
        _, unreserved = outcome_of(lambda: allocator.unreserve(other, units))
    held = refusal is None and other == start and units == size
    case.claim((unreserved is None) == held)
    if held:
        case.claim(subject.index.state.live.same_as(before.live))
    else:
        case.claim(unreserved == NOT_RESERVED)
        case.claim(subject.index.state.live.same_as(taken.live))
    case.claim(bool(allocator._pending) == (refusal is None and not held))


def keeps_whose_a_range_is(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """After any operation, what it made live is whose it was said, and all else is whose it was."""
    subject = any_subject(case, shipped, unit, watched=False)
    before, owners = subject.before, _owned(case, subject)
    mine = owners.keys()[0]
    start, size = any_start(case, before), case.number("size", like=(1, 1, 2))
    owner = case.one_of("the new owner", (None, NEWCOMER))
    kind = case.one_of("operation", ("allocate", "free", "update"))
    old, units = any_range(case, before)
    with reading(case, shipped):
        _, refusal = outcome_of(_call(subject, kind, (old, units, start, size), owner))
    case.assume(refusal is None)
    of_old = SOMEBODY if kind == "update" and old == mine else None
    if kind != "free":
        case.claim(owners.get(start) == (of_old if owner is None else owner))
    if not (kind != "allocate" and old == mine) and not (kind != "free" and start == mine):
        case.claim(owners.get(mine) == SOMEBODY)


def names_whose_is_in_the_way(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """An error about a conflict names the owner of what is in the way, and changes no owner."""
    subject = any_subject(case, shipped, unit, watched=False)
    before, owners = subject.before, _owned(case, subject)
    mine = owners.keys()[0]
    start, size = any_start(case, before), case.number("size", like=(1, 1, 2))
    kind = case.one_of("operation", ("allocate", "update"))
    old, units = any_range(case, before)
    found: list[OverlapError] = []
    with reading(case, shipped):
        try:
            _call(subject, kind, (old, units, start, size), NEWCOMER)()
        except OverlapError as error:
            found.append(error)
        except Exception:  # noqa: BLE001  # every other refusal is another theorem's
            case.assume(False)  # noqa: FBT003  # likewise
    case.assume(bool(found))
    named = found[0].owner
    case.claim(named == (SOMEBODY if found[0].conflict_start == mine else None))
    case.claim(owners.get(mine) == SOMEBODY)


def _owned(case: AllocatorCase, subject: Subject) -> Any:
    """Let any one live range be somebody's; return the owners."""
    owners: Any = subject.allocator._owners
    mine = case.range("mine", like=case.members(subject.before.live))
    case.assume(mine in subject.before.live)
    owners[mine.start] = SOMEBODY
    return owners


def _call(
    subject: Subject, kind: str, numbers: tuple[int, int, int, int], owner: str | None
) -> Callable[[], Any]:
    old, units, start, size = numbers
    allocator = subject.allocator
    if kind == "allocate":
        return lambda: allocator.allocate(start, size, align=1, owner=owner)
    if kind == "free":
        return lambda: allocator.free(old, units)
    return lambda: allocator.update(old, units, start, size, align=1, owner=owner)


_STATEMENTS: Final[tuple[Callable[..., None], ...]] = (
    allocates_with_a_preference_as_the_model,
    reserves_as_an_allocation,
    unreserves_as_a_free,
    keeps_whose_a_range_is,
    names_whose_is_in_the_way,
)


def taken_theorems(shipped: Shipped | None = None) -> list[Theorem]:
    """Return the theorems about the shipped modules, or about mutated copies of them."""
    return [
        Theorem(
            f"the_address_allocator_{statement.__name__}",
            " ".join((statement.__doc__ or "").split()),
            __name__,
            partial(statement, shipped=shipped or Shipped(), unit=Unit.ADDRESS),
        )
        for statement in _STATEMENTS
    ]
