"""Ordered pools: two of them, in any states, with any number of live ranges each.

More pools than two are a pool and the pools after it: what is tried second here may be all of
those that come later. That last step is said in words; three pools are tried by the machine
`pools`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, NO_SPACE, Request, overlaps
from spec.pools import Pools, PoolsStep
from spec.proofs.cases import (
    FIRST,
    LAST,
    AllocatorCase,
    allocate,
    any_range,
    any_request,
    any_start,
    look_at,
)
from vm_allocator.modelling import Range, Refused
from vm_allocator.proving.theorem import theorem

if TYPE_CHECKING:
    from collections.abc import Callable


def any_pools(case: AllocatorCase) -> Pools:
    """Return two pools whose spaces share no address, in any states."""
    first, second = case.state("first"), case.state("second")
    case.assume(first.top == second.top)
    case.assume(not overlaps(Range(first.base, first.last), Range(second.base, second.last)))
    return Pools((first, second))


def tried(pools: Pools, act: Callable[[], PoolsStep | None]) -> tuple[PoolsStep, str | None]:
    """Carry out an action; a refusal changes nothing."""
    try:
        step = act()
    except Refused as refused:
        return PoolsStep(pools), refused.refusal
    except Exception as error:  # noqa: BLE001  # a crash is an outcome: a bent specification has some
        return PoolsStep(pools), f"crash: {error!r}"
    # A bent specification may also say nothing at all.
    return (PoolsStep(pools), "no answer") if step is None else (step, None)


def _anywhere(case: AllocatorCase) -> tuple[Pools, Request, PoolsStep, str | None]:
    pools = any_pools(case)
    request = any_request(case, pools.members[0])
    policy = case.one_of("policy", (FIRST, LAST))
    step, refusal = tried(
        pools,
        lambda: pools.allocate_anywhere(lambda pool: allocate(pool, policy, request, 0)),
    )
    return pools, request, step, refusal


@theorem
def pools_refuse_only_if_nothing_fits_in_any_of_them(case: AllocatorCase) -> None:
    """A sensible request is refused only if no pool has a place that fits."""
    pools, request, _, refusal = _anywhere(case)
    case.assume(refusal == NO_SPACE)
    which = 0 if case.one_of("pool", ("the first", "the second")) == "the first" else 1
    other = any_start(case, pools.members[which], "other")
    look_at(case, pools.members[which], other)
    case.claim(not pools.members[which].fits(request, other))


@theorem
def a_later_pool_is_used_only_if_nothing_fits_in_an_earlier_one(case: AllocatorCase) -> None:
    """What is granted by the second pool fits nowhere in the first, which stays as it was."""
    pools, request, step, refusal = _anywhere(case)
    case.assume(refusal is None and step.pool == 1)
    other = any_start(case, pools.members[0], "other")
    look_at(case, pools.members[0], other)
    case.claim(not pools.members[0].fits(request, other))


@theorem
def pools_grant_what_fits_and_was_free_in_its_pool(case: AllocatorCase) -> None:
    """A granted range fits in one of the pools, and exactly it joins the live ranges there."""
    pools, request, step, _ = _anywhere(case)
    case.assume(step.granted is not None)
    granted = step.granted or Range(0, 0)
    before, after = pools.members, step.after.members
    at = step.pool
    case.claim(before[at].fits(request, granted.start))
    case.claim(after[at].live.same_as(before[at].live.with_range(granted)))
    case.claim(after[1 - at].live.same_as(before[1 - at].live))


@theorem
def a_move_between_pools_frees_the_old_range_and_makes_the_new_one_live(
    case: AllocatorCase,
) -> None:
    """Granted, it changes each pool by that one range; refused, it changes neither of them."""
    pools = any_pools(case)
    first, second = pools.members
    request, start = any_request(case, second), any_start(case, second)
    old_start, old_size = any_range(case, first)
    step, refusal = tried(pools, lambda: pools.update(old_start, old_size, request, start))
    case.assume(first.base <= old_start <= first.last and second.base <= start <= second.last)
    old, new = Range(old_start, old_start + old_size - 1), request.at(start)
    after = step.after.members
    if refusal is None:
        case.claim(old in first.live)
        case.claim(second.fits(request, start))
        case.claim(after[0].live.same_as(first.live.without(old)))
        case.claim(after[1].live.same_as(second.live.with_range(new)))
    else:
        case.claim(
            refusal in (INVALID_SIZE, INVALID_ALIGNMENT)
            or old not in first.live
            or not second.fits(request, start)
        )
        case.claim(after[0].live.same_as(first.live))
        case.claim(after[1].live.same_as(second.live))
