"""What the theorems share: arbitrary requests, every kind of allocation, small states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spec.model import MAX_ALIGNMENT, U32_MAX, U64_MAX, Allocator, Request
from vm_allocator.modelling import FiniteRanges, Outcome, Range, Step, attempt
from vm_allocator.proving.theorem import Case

if TYPE_CHECKING:
    from random import Random

AllocatorCase = Case[Allocator]

FIRST: Final = "FirstMatch"
LAST: Final = "LastMatch"
EXACT: Final = "ExactMatch"
POLICIES: Final = (FIRST, LAST, EXACT)


def any_request(case: AllocatorCase, state: Allocator, name: str = "request") -> Request:
    """Return any request at all: of any size, alignment and window, sensible or not."""
    size = case.number(f"{name}.size", like=(1, 1, 2, 3, 4))
    align = case.number(f"{name}.align", like=(1, 1, 1, 2, 2, 4, MAX_ALIGNMENT))
    first = case.number(f"{name}.window.start", like=(state.base, state.base, state.base + 1))
    last = case.number(f"{name}.window.end", like=(state.last, state.last, state.last - 1))
    return Request(size, align, Range(first, last))


def any_start(case: AllocatorCase, state: Allocator, name: str = "start") -> int:
    """Return any integer; gaps are where starts are worth sampling."""
    return case.number(name, like=[gap.start for gap in case.members(state.gaps())])


def any_range(case: AllocatorCase, state: Allocator, name: str = "old") -> tuple[int, int]:
    """Return any start and any size, as a free or an update names them."""
    r = case.range(name, like=case.members(state.live))
    return r.start, r.end - r.start + 1


def allocate(before: Allocator, policy: str, request: Request, start: int) -> Step[Allocator]:
    """Allocate by any policy; `start` is for ExactMatch."""
    if policy == FIRST:
        return before.allocate_first(request)
    if policy == LAST:
        return before.allocate_last(request)
    return before.allocate_exact(request, start)


def any_allocation(case: AllocatorCase, before: Allocator) -> tuple[Request, Range, Allocator]:
    """Return a request that was granted by any policy, what it was granted, and what follows."""
    request = any_request(case, before)
    step = allocate(before, case.one_of("policy", POLICIES), request, any_start(case, before))
    assert step.granted is not None  # noqa: S101  # for the type checker: allocations grant
    return request, step.granted, step.after


def holds(address: int, r: Range) -> bool:
    """Whether the address lies in the range."""
    return r.start <= address <= r.end


def look_at(case: AllocatorCase, state: Allocator, address: int) -> None:
    """Hint: the address lies in a live range, or in a gap with live neighbours, or outside."""
    case.consider(address)
    state.gaps().lowest(lambda gap: holds(address, gap))


def small_state(model: type[Allocator], random: Random) -> Allocator:
    """Return a reachable state: a small space, or one at an end of 2^32 or 2^64, after a walk."""
    size, top = random.randint(1, 12), random.choice((U32_MAX, U64_MAX))
    base = random.choice((0, 0, 1, 3, top - size + 1, top - size))
    state = model.initial(top, base, base + size - 1)
    for _ in range(random.randint(0, 7)):
        state = _random_step(state, random).after
    return state


def _random_step(state: Allocator, random: Random) -> Outcome[Allocator]:
    request = Request(
        random.randint(1, 5), random.choice((1, 1, 2, 4)), Range(state.base, state.last)
    )
    start = random.randint(state.base, state.last)
    assert isinstance(state.live, FiniteRanges)  # noqa: S101  # for the type checker
    old = random.choice([*state.live, Range(start, start)])
    if random.random() < 0.25:  # noqa: PLR2004  # one step in four frees
        return attempt(state, lambda: state.free(old.start, old.end - old.start + 1))
    return attempt(state, lambda: allocate(state, random.choice(POLICIES), request, start))
