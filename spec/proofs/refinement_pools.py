"""The shipped `OrderedPools` asks its pools what `spec.pools` asks them, whatever they answer.

Nothing is known of the pools but the ends of their spaces: each of them grants, has no space,
or refuses for another reason, as it likes. The real source, its transaction too, and the
specification must end with the same answer and the same operations done on the same pools. So
it takes no more of the pools than this: from the state after an allocation, freeing what it
granted is granted, and leads to the state before (`transactions`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import spec.pools
import vm_allocator.ordered_pools
from spec.model import NO_SPACE, OVERLAP, Request
from spec.proofs.cases import AllocatorCase, any_range, any_request, any_start
from spec.proofs.pools import tried
from spec.proofs.subjects import outcome_of
from spec.proofs.summaries import LEAVES, standing_in
from vm_allocator.errors import NoSpaceError, OverlapError
from vm_allocator.modelling import Refused, Step
from vm_allocator.policy import ExactMatch, FirstMatch, LastMatch
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource import Unit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from spec.pools import Pools, PoolsStep

GRANTED: Final = "granted"
ANSWERS: Final = (GRANTED, NO_SPACE, OVERLAP)
"""The last one stands for every refusal but that for want of space."""

POOLS: Final = 3

FIRST, LAST, EXACT, FREE, UPDATE = "first", "last", "exact", "free", "update"


class Done(NamedTuple):
    """An operation that a pool has carried out, and the numbers that it was given."""

    operation: str
    numbers: tuple[int, ...]


@dataclass
class Oracle:
    """What the pools answer: each question has one answer, whoever asks."""

    case: AllocatorCase
    answers: dict[str, str] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    def answer(self, question: str) -> str:
        """Return what is answered."""
        if question not in self.answers:
            self.answers[question] = self.case.one_of(question, ANSWERS)
        return self.answers[question]

    def start(self, at: int) -> int:
        """Return where that pool grants what may lie anywhere."""
        if at not in self.starts:
            self.starts[at] = self.case.number(f"granted by pool {at}")
        return self.starts[at]


@dataclass(frozen=True)
class AnyPool:
    """A pool of which nothing is known but where it lies, as `spec.pools` sees it."""

    oracle: Oracle
    at: int
    base: int
    last: int
    done: tuple[Done, ...] = ()

    def allocate_first(self, request: Request) -> Step[Any]:
        """Answer."""
        return self._anywhere(FIRST, request)

    def allocate_last(self, request: Request) -> Step[Any]:
        """Answer."""
        return self._anywhere(LAST, request)

    def allocate_exact(self, request: Request, start: int) -> Step[Any]:
        """Answer."""
        after = self.do(EXACT, start, *_numbers(request))
        return Step(after, request.at(start))

    def free(self, start: int, size: int) -> Step[Any]:
        """Answer."""
        return Step(self.do(FREE, start, size))

    def update(self, old: int, old_size: int, request: Request, start: int) -> Step[Any]:
        """Answer."""
        return Step(self.do(UPDATE, old, old_size, start, *_numbers(request)))

    def _anywhere(self, order: str, request: Request) -> Step[Any]:
        after = self.do(order, *_numbers(request))
        return Step(after, request.at(self.oracle.start(self.at)))

    def do(self, operation: str, *numbers: int) -> AnyPool:
        """Return the pool after the operation. Raises `Refused`."""
        answer = self.oracle.answer(f"pool {self.at}, {operation}")
        if answer != GRANTED:
            raise Refused(answer)
        return self.having(*self.done, Done(operation, numbers))

    def having(self, *done: Done) -> AnyPool:
        """Return the pool with these operations done."""
        return AnyPool(self.oracle, self.at, self.base, self.last, done)


def _numbers(request: Request) -> tuple[int, ...]:
    return request.size, request.align, *request.window


class ShippedPool:
    """The same pool as the shipped code sees it: with typed refusals, and a state that changes."""

    def __init__(self, pool: AnyPool) -> None:
        self.pool = pool
        self._base = pool.base
        self._last = pool.last

    def allocate(
        self, resource: int | None, size: int, *, align: Any, policy: Any = None, within: Any
    ) -> int:
        """Answer."""
        request = Request(size, align, within)
        exact: int | None = policy.start if isinstance(policy, ExactMatch) else resource
        if exact is not None:
            self._do(EXACT, exact, *_numbers(request))
            return exact
        self._do(LAST if policy is LastMatch else FIRST, *_numbers(request))
        return self.pool.oracle.start(self.pool.at)

    def free(self, resource: int, size: int) -> None:
        """Answer; what was allocated just now is as if it had never been."""
        if self.pool.done and self.pool.done[-1].operation == EXACT:
            start, units, *_ = self.pool.done[-1].numbers
            self.pool.oracle.case.claim(resource == start and size == units)
            self.pool = self.pool.having(*self.pool.done[:-1])
        else:
            self._do(FREE, resource, size)

    def update(  # the seed interface
        self, old: int, old_size: int, new: int, new_size: int, *, align: Any, within: Any
    ) -> None:
        """Answer."""
        self._do(UPDATE, old, old_size, new, *_numbers(Request(new_size, align, within)))

    def _do(self, operation: str, *numbers: int) -> None:
        try:
            self.pool = self.pool.do(operation, *numbers)
        except Refused as refused:
            if refused.refusal == NO_SPACE:
                raise NoSpaceError(Unit.ADDRESS, 0, 1, 0, 0) from None
            raise OverlapError(Unit.ADDRESS, 0, 0, 0, 0) from None


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
    oracle = Oracle(case)
    ends = [case.range(f"space of pool {at}") for at in range(POOLS)]
    members: Any = tuple(AnyPool(oracle, at, *space) for at, space in enumerate(ends))
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
        done: tuple[Done, ...] = theirs.done  # type: ignore[attr-defined]  # an AnyPool
        case.claim([one.operation for one in ours.pool.done] == [one.operation for one in done])
        for mine, one in zip(ours.pool.done, done, strict=True):
            for number, other in zip(mine.numbers, one.numbers, strict=True):
                case.claim(number == other)


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
