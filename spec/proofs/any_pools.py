"""Pools of which nothing is known: what runs above the allocators is proved over these.

Each of them grants, has no space, or refuses for another reason, as it likes; the specification
and the shipped source above it ask the same ones, and must end with the same answer and the same
operations done on the same pools. All that is taken of a pool is what `transactions` shows of
ours: from the state that an operation left behind, its undo is granted and leads back.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from spec.model import NO_SPACE, OVERLAP, Request
from vm_allocator.errors import NoSpaceError, OverlapError
from vm_allocator.modelling import Range, Refused, Step
from vm_allocator.policy import ExactMatch, LastMatch
from vm_allocator.resource import Unit
from vm_allocator.symbolic import SymInt

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from spec.proofs.cases import AllocatorCase

GRANTED: Final = "granted"
ANSWERS: Final = (GRANTED, NO_SPACE, OVERLAP)
"""The last one stands for every refusal but that for want of space."""

FIRST, LAST, EXACT, FREE, UPDATE = "first", "last", "exact", "free", "update"
BACK_TO_ITS_PLACE: Final = 1
"""The alignment with which a range is put back."""


class Asked(NamedTuple):
    """An operation with all that was asked, and what would go and come by it."""

    operation: str
    numbers: tuple[int, ...]
    gone: tuple[int, int] | None
    """Start and size, like `come`."""
    come: tuple[int, int] | None


class Edge(NamedTuple):
    """An operation that leads from one state of a pool to another, or was refused in it."""

    before: int
    asked: Asked
    after: int | None
    refusal: str | None = None


@dataclass
class Graph:
    """The states of one pool that anybody has seen, by number, and what leads to what.

    Whoever asks the same in the same state gets the same answer, and ends in the same state.
    """

    case: AllocatorCase
    pool: int
    edges: list[Edge] = field(default_factory=list)
    states: int = 0
    """How many there are beside the first one."""

    def follow(self, before: int, asked: Asked, *, back: bool) -> int:
        """Return the state that the operation leads to. Raises `Refused`.

        `back`: whether it asks for nothing but the place, as what undoes another one does.
        """
        for edge in self.edges:
            if edge.before == before and _same_asked(asked, edge.asked):
                return self._end(edge)
        for edge in self.edges:
            if back and edge.after == before and _undoes(asked, edge.asked):
                self.edges.append(Edge(before, asked, edge.before))
                return edge.before
        answer = self.case.one_of(self._question(asked.operation), ANSWERS)
        granted = answer == GRANTED
        self.states += granted
        after = self.states if granted else None
        self.edges.append(Edge(before, asked, after, None if granted else answer))
        return self._end(self.edges[-1])

    def start(self, before: int, operation: str, numbers: tuple[int, ...]) -> int:
        """Return where what may lie anywhere is granted, if it is."""
        for edge in self.edges:
            same = edge.before == before and edge.asked.operation == operation
            if same and edge.asked.come and _equal(numbers, edge.asked.numbers):
                return edge.asked.come[0]
        return self.case.number(f"start, {self._question(operation)}")

    def _question(self, operation: str) -> str:
        return f"pool {self.pool}, question {len(self.edges)}: {operation}"

    @staticmethod
    def _end(edge: Edge) -> int:
        if edge.after is None:
            raise Refused(edge.refusal or OVERLAP)
        return edge.after


def _undoes(asked: Asked, done: Asked) -> bool:
    """Whether an operation takes back exactly what another one did."""
    if asked.operation in (FIRST, LAST):
        return False
    return _same_range(asked.gone, done.come) and _same_range(asked.come, done.gone)


def _same_asked(asked: Asked, other: Asked) -> bool:
    return asked.operation == other.operation and _equal(asked.numbers, other.numbers)


def _same_range(one: tuple[int, int] | None, other: tuple[int, int] | None) -> bool:
    return one is other if one is None or other is None else _equal(one, other)


def _equal(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether all numbers are the same; the very same ones need no path of their own."""
    return all(mine is its or mine == its for mine, its in zip(one, other, strict=True))


@dataclass(frozen=True)
class AnyPool:
    """A pool of which nothing is known but where it lies, as the specification sees it."""

    graph: Graph
    base: int
    last: int
    state: int = 0

    def allocate_first(self, request: Request) -> Step[Any]:
        """Answer."""
        return self._anywhere(FIRST, request)

    def allocate_last(self, request: Request) -> Step[Any]:
        """Answer."""
        return self._anywhere(LAST, request)

    def allocate_exact(self, request: Request, start: int) -> Step[Any]:
        """Answer."""
        asked = Asked(EXACT, (start, *_numbers(request)), None, (start, request.size))
        return Step(self._do(asked, request.align), request.at(start))

    def free(self, start: int, size: int) -> Step[Any]:
        """Answer."""
        return Step(self._do(Asked(FREE, (start, size), (start, size), None)))

    def update(self, old: int, old_size: int, request: Request, start: int) -> Step[Any]:
        """Answer."""
        numbers = (old, old_size, start, *_numbers(request))
        asked = Asked(UPDATE, numbers, (old, old_size), (start, request.size))
        return Step(self._do(asked, request.align), request.at(start))

    def _anywhere(self, order: str, request: Request) -> Step[Any]:
        numbers = _numbers(request)
        start = self.graph.start(self.state, order, numbers)
        return Step(self._do(Asked(order, numbers, None, (start, request.size))), request.at(start))

    def _do(self, asked: Asked, align: int = BACK_TO_ITS_PLACE) -> AnyPool:
        back = align is BACK_TO_ITS_PLACE or align == BACK_TO_ITS_PLACE
        return replace(self, state=self.graph.follow(self.state, asked, back=back))


def _numbers(request: Request) -> tuple[int, ...]:
    return request.size, request.align, *request.window


def _number(value: int | None) -> int:
    """Return a number, symbolic or not. Raises `TypeError` for what is none, as a pool may."""
    given: object = value  # symbolic ints only look like ints to a type checker
    if value is None or not isinstance(given, (SymInt, int)):
        raise TypeError(f"{value!r} is no number")
    return value


class ShippedPool:
    """The same pool as the shipped code sees it: with typed refusals, and a state that changes.

    It has the methods of a `ResourceAllocator`, and the options of ours.
    """

    def __init__(self, pool: AnyPool) -> None:
        self.pool = pool
        self._base = pool.base
        self._last = pool.last
        self._intent: None = None
        """As ours have one: what an interrupted operation was about to do. None is interrupted."""

    def allocate(
        self,
        resource: int | None,
        size: int,
        *,
        align: int = BACK_TO_ITS_PLACE,
        policy: Any = None,
        within: Any = None,
        prefer: None = None,
        owner: None = None,
    ) -> int:
        """Answer. Owners and preferences are passed on as they are: here there are none."""
        del prefer, owner
        request = self._request(size, align, within)
        exact: int | None = policy.start if isinstance(policy, ExactMatch) else resource
        if exact is not None:
            start = _number(exact)
            self._take(lambda: self.pool.allocate_exact(request, start))
            return start
        last = policy is LastMatch
        granted: int = self._take(
            lambda: self.pool.allocate_last(request) if last else self.pool.allocate_first(request)
        )
        return granted

    def free(self, resource: int, size: int) -> None:
        """Answer."""
        start, units = _number(resource), _number(size)
        self._take(lambda: self.pool.free(start, units))

    def update(  # the seed interface
        self,
        old: int | None,
        old_size: int | None,
        new: int,
        new_size: int,
        *,
        align: int = BACK_TO_ITS_PLACE,
        within: Any = None,
        owner: None = None,
    ) -> None:
        """Answer."""
        del owner
        request = self._request(new_size, align, within)
        if old is None or old_size is None:
            self._take(lambda: self.pool.allocate_exact(request, _number(new)))
            return
        start, units = _number(old), _number(old_size)
        self._take(lambda: self.pool.update(start, units, request, _number(new)))

    def owner_of(self, resource: int) -> None:
        """Return nobody."""
        del resource

    def _as_one(self) -> AbstractContextManager[None]:
        """Return nothing to be held: for one thread."""
        return nullcontext()

    def _request(self, size: int, align: int, within: Any) -> Request:
        return Request(
            _number(size), align, Range(self._base, self._last) if within is None else within
        )

    def _take(self, act: Callable[[], Step[Any]]) -> Any:
        try:
            step = act()
        except Refused as refused:
            if refused.refusal == NO_SPACE:
                raise NoSpaceError(Unit.ADDRESS, 0, 1, 0, 0) from None
            raise OverlapError(Unit.ADDRESS, 0, 0, 0, 0) from None
        self.pool = step.after
        return None if step.granted is None else step.granted.start


def taken_for_ours(allocator: object) -> ShippedPool | None:
    """Stand in for `ours`: let a transaction treat the pools as it treats our own allocators."""
    return allocator if isinstance(allocator, ShippedPool) else None


def any_pools(case: AllocatorCase, count: int) -> list[AnyPool]:
    """Return that many pools, which answer what they like."""
    return [AnyPool(Graph(case, at), *case.range(f"space of pool {at}")) for at in range(count)]
