"""The shipped source does what the model does: for all integers, any number of live ranges.

Each theorem runs a method of the real class on symbolic ints, with the contract of the gap
index (`spec/contract.py`) in the place of an index, next to the action of the model. They
must refuse for the same reason, or grant the same start, and leave the same live ranges.
The preconditions of the contract are claims of these theorems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from spec.model import (
    INVALID_ALIGNMENT,
    INVALID_SIZE,
    INVALID_SPACE,
    MAX_ALIGNMENT,
    U64_MAX,
    Allocator,
    Request,
)
from spec.proofs.cases import AllocatorCase, any_range, any_start
from spec.proofs.refinement_many import ABOUT_MANY
from spec.proofs.refinement_moves import ABOUT_MOVES
from spec.proofs.refinement_update_many import ABOUT_UPDATES
from spec.proofs.subjects import (
    Shipped,
    Subject,
    any_options,
    any_subject,
    outcome_of,
    reading,
)
from vm_allocator.modelling import Range, Step, attempt, is_power_of_two
from vm_allocator.policy import ExactMatch, FirstMatch, LastMatch
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource import Unit
from vm_allocator.symbolic.words import plain

Act = Callable[[], Step[Allocator]]
Call = Callable[[], int | None]
Operation = Callable[[AllocatorCase, Subject], tuple[Act, Call]]
"""Some operation with any arguments: as the model does it, and as the shipped code does."""


def allocate_anywhere(case: AllocatorCase, subject: Subject) -> tuple[Act, Call]:
    """`allocate` by FirstMatch, which is the default, or by LastMatch."""
    request, options = any_options(case, subject)
    policy = case.one_of("policy", (None, LastMatch))
    size = subject.size(request.size)
    before, allocator = subject.before, subject.allocator
    action = before.allocate_last if policy is LastMatch else before.allocate_first
    return (
        lambda: action(request),
        lambda: allocator.allocate(None, size, policy=policy, **options),
    )


def allocate_exactly(case: AllocatorCase, subject: Subject) -> tuple[Act, Call]:
    """`allocate` at a resource, or by ExactMatch."""
    request, options = any_options(case, subject)
    start = any_start(case, subject.before)
    resource, size = subject.word(start), subject.size(request.size)
    before, allocator = subject.before, subject.allocator
    if case.one_of("exactly", ("by resource", "by policy")) == "by policy":
        options["policy"], resource = ExactMatch(resource), None
    return (
        lambda: before.allocate_exact(request, start),
        lambda: allocator.allocate(resource, size, **options),
    )


def free(case: AllocatorCase, subject: Subject) -> tuple[Act, Call]:
    """`free` of any start and size."""
    start, size = any_range(case, subject.before)
    resource, units = subject.word(start), subject.size(size)
    before, allocator = subject.before, subject.allocator
    return lambda: before.free(start, size), lambda: allocator.free(resource, units)


def update(case: AllocatorCase, subject: Subject) -> tuple[Act, Call]:
    """`update` of any old range to any new one."""
    request, options = any_options(case, subject)
    start, (old_start, old_size) = any_start(case, subject.before), any_range(case, subject.before)
    old, new = subject.word(old_start), subject.word(start)
    old_units, units = subject.size(old_size), subject.size(request.size)
    before, allocator = subject.before, subject.allocator
    return (
        lambda: before.update(old_start, old_size, request, start),
        lambda: allocator.update(old, old_units, new, units, **options),
    )


def update_from_nothing(case: AllocatorCase, subject: Subject) -> tuple[Act, Call]:
    """`update` with no old range, which is an exact allocation."""
    request, options = any_options(case, subject)
    start = any_start(case, subject.before)
    new, size = subject.word(start), subject.size(request.size)
    before, allocator = subject.before, subject.allocator
    return (
        lambda: before.allocate_exact(request, start),
        lambda: allocator.update(None, None, new, size, **options),
    )


def allocate_a_block(case: AllocatorCase, subject: Subject) -> tuple[Act, Call]:
    """`allocate_block` of ids: as many as they are aligned to."""
    request, options = any_options(case, subject)
    options.pop("align", None)
    policy = case.one_of("policy", (None, LastMatch))
    block = Request(request.size, request.size, request.window)
    size = subject.size(request.size)
    before = subject.before
    allocator: Any = subject.allocator
    action = before.allocate_last if policy is LastMatch else before.allocate_first
    return (
        lambda: action(block),
        lambda: allocator.allocate_block(size, policy=policy, **options),
    )


OF_ALL: Final = (allocate_anywhere, allocate_exactly, free, update, update_from_nothing)
OF_IDS: Final = (allocate_a_block,)


def does_as_the_model(
    case: AllocatorCase, shipped: Shipped, unit: Unit, operation: Operation
) -> None:
    """Claim that the shipped operation ends as the model's action, in the same state."""
    subject = any_subject(case, shipped, unit, watched=False)
    act, call = operation(case, subject)
    expected = attempt(subject.before, act)
    with reading(case, shipped):
        subject.agrees(case, expected, call)


def stays_within_64_bits(
    case: AllocatorCase, shipped: Shipped, unit: Unit, operation: Operation
) -> None:
    """Claim that whatever is computed on the way, from 64-bit arguments, fits 64 bits."""
    subject = any_subject(case, shipped, unit, watched=True)
    _, call = operation(case, subject)
    with reading(case, shipped):
        granted, _ = outcome_of(call)
    case.claim(granted is None or 0 <= plain(granted) <= U64_MAX)


def refuses_contradictions(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """Claim that arguments that contradict each other are refused, and nothing changes."""
    subject = any_subject(case, shipped, unit, watched=False)
    request, options = any_options(case, subject)
    allocator, size = subject.allocator, request.size
    start, other = any_start(case, subject.before), any_start(case, subject.before, "other")
    case.assume(1 <= size <= subject.before.top + 1)
    case.assume(1 <= request.align <= MAX_ALIGNMENT and is_power_of_two(request.align))
    case.assume(start != other)
    policy: Any = case.one_of("policy", (FirstMatch, LastMatch, None)) or ExactMatch(other)
    calls: dict[str, Call] = {
        "a resource and a policy": lambda: allocator.allocate(
            start, size, policy=policy, **options
        ),
        "an old resource alone": lambda: allocator.update(start, None, other, size, **options),
        "an old size alone": lambda: allocator.update(None, size, other, size, **options),
    }
    with reading(case, shipped):
        _, refusal = outcome_of(calls[case.one_of("how", tuple(calls))])
    case.claim(refusal == "conflicting-request")
    case.claim(subject.unchanged())


def tells_what_is_available(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """Claim that `available` names what `allocate` would grant, or nothing, and changes nothing."""
    subject = any_subject(case, shipped, unit, watched=False)
    request, options = any_options(case, subject)
    policy = case.one_of("policy", (FirstMatch, LastMatch))
    before, allocator = subject.before, subject.allocator
    action = before.allocate_last if policy is LastMatch else before.allocate_first
    expected = attempt(before, lambda: action(request))
    with reading(case, shipped):
        found, refusal = outcome_of(
            lambda: allocator.available(request.size, policy=policy, **options)
        )
    senseless = expected.refusal in (INVALID_SIZE, INVALID_ALIGNMENT)
    case.claim(refusal == (expected.refusal if senseless else None))
    case.claim((found is None) == (expected.granted is None))
    if found is not None and expected.granted is not None:
        case.claim(found == expected.granted.start)
    case.claim(subject.unchanged())


def constructs_the_initial_state(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """Claim that a new allocator has the space that was asked for, or that none is possible."""
    base = case.number("base", like=(0, 1, unit.top))
    size = case.number("size", like=(1, 4, unit.top, unit.top + 1))
    align, last = case.number("alignment", like=(1, 2, 4)), base + size - 1
    by_size = unit is Unit.ADDRESS
    arguments = (base, size, align) if by_size else (base, last)
    spaces: list[Range] = []

    def index(first: int, end: int) -> None:
        spaces.append(Range(first, end))

    made: list[Range] = []

    def make() -> None:
        new = shipped.kind(unit)(*arguments)
        made.extend((Range(new._base, new._last), Range(new._align, new._align)))

    with reading(case, shipped, GapTree=index, SortedGaps=index):
        _, refusal = outcome_of(make)
    if by_size and not 1 <= size <= U64_MAX + 1:
        case.claim(refusal == INVALID_SIZE)
    elif not 0 <= base <= last <= unit.top:
        case.claim(refusal == INVALID_SPACE)
    elif by_size and not (1 <= align <= MAX_ALIGNMENT and is_power_of_two(align)):
        case.claim(refusal == INVALID_ALIGNMENT)
    else:
        case.claim(refusal is None)
        case.claim(made[0] == Range(base, last))
        case.claim(made[1].start == (align if by_size else 1))
        case.claim(len(spaces) == 1 and spaces[0] == Range(base, last))


def refinement_theorems(shipped: Shipped | None = None) -> list[Theorem]:
    """Return the theorems about the shipped modules, or about mutated copies of them."""
    modules = shipped or Shipped()
    return [theorem for unit in Unit for theorem in _theorems_of(unit, modules)]


def _theorems_of(unit: Unit, shipped: Shipped) -> Iterator[Theorem]:
    kind = f"the_{unit.value}_allocator"
    for operation in (*OF_ALL, *(OF_IDS if unit is Unit.ID else ())):
        name, about = operation.__name__, (operation.__doc__ or "").rstrip(".")
        yield _theorem(
            f"{kind}_does_{name}_as_the_model",
            f"{about}: the same start, or the same refusal, and the same live ranges.",
            partial(does_as_the_model, shipped=shipped, unit=unit, operation=operation),
        )
        yield _theorem(
            f"{kind}_does_{name}_within_64_bits",
            f"{about}: no sum or difference leaves [0, 2^64-1].",
            partial(stays_within_64_bits, shipped=shipped, unit=unit, operation=operation),
        )
    statements: tuple[Callable[..., None], ...] = (
        refuses_contradictions,
        tells_what_is_available,
        constructs_the_initial_state,
        *ABOUT_MANY,
        *ABOUT_UPDATES,
        *(ABOUT_MOVES if unit is Unit.ADDRESS else ()),
    )
    for statement in statements:
        yield _theorem(
            f"{kind}_{statement.__name__}",
            statement.__doc__ or "",
            partial(statement, shipped=shipped, unit=unit),
            statement.__module__,
        )


def _theorem(
    name: str, claim: str, state: Callable[[AllocatorCase], None], module: str = __name__
) -> Theorem:
    return Theorem(name, " ".join(claim.split()), module, state)
