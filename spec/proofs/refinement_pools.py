"""The shipped `OrderedPools` asks its pools what `spec.pools` asks them, whatever they answer.

The real source, its transaction too, runs over three pools of which nothing is known
(`any_pools`) but the ends of their spaces.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import spec.pools
import vm_allocator.ordered_pools
from spec.proofs.any_pools import ShippedPool, any_pools
from spec.proofs.cases import AllocatorCase, any_range, any_request, any_start
from spec.proofs.pools import tried
from spec.proofs.subjects import outcome_of
from spec.proofs.summaries import LEAVES, standing_in
from vm_allocator.policy import ExactMatch, FirstMatch, LastMatch
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource import Unit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from spec.pools import Pools, PoolsStep

POOLS: Final = 3


def _expected(
    case: AllocatorCase, pools: Pools, operate: str
) -> tuple[Callable[[], PoolsStep], Callable[[Any], Any]]:
    """Return the operation as the specification does it, and as the shipped class is asked."""
    here: Any = case.state()
    request, start = any_request(case, here), any_start(case, here)
    size = request.size
    options: dict[str, Any] = {"align": request.align, "within": request.window}
    if operate == "anywhere":
        how = case.one_of("policy", ("None", "FirstMatch", "LastMatch"))
        policy = {"None": None, "FirstMatch": FirstMatch, "LastMatch": LastMatch}[how]
        return (
            lambda: pools.allocate_anywhere(
                lambda pool: (
                    pool.allocate_last(request)
                    if policy is LastMatch
                    else pool.allocate_first(request)
                )
            ),
            lambda shipped: shipped.allocate(None, size, policy=policy, **options),
        )
    if operate == "exactly":
        by_policy = case.one_of("said", ("by resource", "by policy")) == "by policy"
        resource, exact = (None, ExactMatch(start)) if by_policy else (start, None)
        return (
            lambda: pools.allocate_exact(request, start),
            lambda shipped: shipped.allocate(resource, size, policy=exact, **options),
        )
    if operate == "free":
        return lambda: pools.free(start, size), lambda shipped: shipped.free(start, size)
    old, old_size = any_range(case, here)
    return (
        lambda: pools.update(old, old_size, request, start),
        lambda shipped: shipped.update(old, old_size, start, size, **options),
    )


def does_as_specified(
    case: AllocatorCase, module: ModuleType, specification: ModuleType, operate: str
) -> None:
    """Claim that the shipped operation ends with the same answer, and the same done."""
    members: Any = tuple(any_pools(case, POOLS))
    pools = specification.Pools(members)
    made = tuple(map(ShippedPool, members))
    shipped = module.OrderedPools.__new__(module.OrderedPools)
    shipped._pools, shipped._unit = made, Unit.ADDRESS
    act, call = _expected(case, pools, operate)
    step, wanted = tried(pools, act)
    with standing_in(LEAVES if case.is_symbolic else {}, module):
        granted, refusal = outcome_of(lambda: call(shipped))
    case.claim(refusal == wanted)
    if granted is not None:
        case.claim(step.granted is not None and step.granted.start == granted)
    for ours, theirs in zip(made, step.after.members, strict=True):
        after: Any = theirs
        case.claim(ours.pool.state == after.state)


OPERATIONS: Final = {
    "anywhere": "`allocate` by FirstMatch or LastMatch",
    "exactly": "`allocate` at a resource, or by ExactMatch",
    "free": "`free`",
    "update": "`update`, within a pool and between pools",
}


def pools_theorems(
    module: ModuleType = vm_allocator.ordered_pools, specification: ModuleType = spec.pools
) -> list[Theorem]:
    """Return what is shown of the shipped module; either may be a mutated copy."""
    return [
        Theorem(
            f"ordered_pools_do_{name}_as_specified",
            f"{about}: the same answer, and the same done in each pool, whatever pools answer.",
            __name__,
            partial(does_as_specified, module=module, specification=specification, operate=name),
        )
        for name, about in OPERATIONS.items()
    ]
