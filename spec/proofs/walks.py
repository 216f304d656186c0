"""How lists of any length (`for_each`) are read symbolically: by induction, as `runs` are.

Any item of the list, met in *any* state that the items before it may lead to, stands for all
of them. The theorem says what holds before each item (`keeps`); that it holds at the start,
and after an item if it held before, are claims of the theorem. What is known at the end is
this, and no more. One range can be watched on the way: whether it is among the items so far.

On plain ints the list is a list, and the same claims are made at each of its items.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.modelling import FiniteRanges, Range, for_each
from vm_allocator.symbolic import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spec.model import Allocator
    from spec.proofs.cases import AllocatorCase

    Keeps = Callable[["Ranges", Allocator], bool]
    Accepted = Callable[["Ranges", Allocator, Range], None]

ONE_MORE: Final = "one item more"
THE_END: Final = "the end"
MOST_LISTED: Final = 3


class OneMoreError(Exception):
    """An item was accepted: the walk goes no further, and what was to be seen can be looked at."""


class Ranges:
    """A list of ranges: any, of any length; on plain ints a few, which can be listed."""

    def __init__(self, case: AllocatorCase, name: str, like: Sequence[Range]) -> None:
        self.name = name
        self.listed: list[Range] | None = None
        # Of a symbolic list nothing is known, its length neither. What a solver makes of the
        # number is a list of no items: it is then for the samples to find one that tells.
        count = case.number(f"{name}.count", like=(0, 1, 1, 2, 2, MOST_LISTED))
        if not case.is_symbolic:
            case.assume(0 <= count <= MOST_LISTED)
            self.listed = [case.range(f"{name}.{at}", like=like) for at in range(count)]
        self.watched_among: bool = False
        """Whether the watched range is among the items so far."""
        self.before: Allocator | None = None
        """The state in which the walk began."""
        self.middle: Allocator | None = None
        """The state that the walk has come to: before the item, if there is one."""
        self.item: Range | None = None
        """The item that comes next in that state, and was looked at last."""
        self.after: Allocator | None = None
        """The state after that item, if it was not refused."""
        self.follow: Callable[[Ranges], Iterator[Any]] | None = None
        """How code under proof walks a list that nobody can list."""

    def __iter__(self) -> Iterator[Any]:
        if self.listed is not None:
            return iter(self.listed)
        if self.follow is None:
            raise UnsupportedError("a list of any length cannot be listed")
        return self.follow(self)


class Walks:
    """The walks of one theorem. What stands in for `for_each` while the theorem is stated."""

    def __init__(
        self,
        case: AllocatorCase,
        keeps: Keeps,
        accepted: Accepted | None,
        watched: Range | None,
        *,
        stop: bool,
    ) -> None:
        self._case = case
        self._keeps = keeps
        self._accepted = accepted
        self._watched = watched
        self._stop = stop

    def for_each(
        self,
        items: Iterable[Range],
        before: Allocator,
        act: Callable[[Allocator, Range], Allocator],
    ) -> Allocator:
        """Walk any list."""
        if not isinstance(items, Ranges):
            return for_each(items, before, act)
        items.before = before
        items.watched_among = False
        self._case.claim(self._keeps(items, before))
        if items.listed is not None:
            items.middle = before
            for item in items.listed:
                items.middle = self._one_more(items, items.middle, item, act)
            items.item = None
            return items.middle
        return self._any(items, before, act)

    def _any(
        self,
        items: Ranges,
        before: Allocator,
        act: Callable[[Allocator, Range], Allocator],
    ) -> Allocator:
        case = self._case
        middle = case.state(f"{items.name}.middle")
        case.assume(same_space(middle, before))
        if self._watched is not None:
            items.watched_among = case.number(f"{items.name}.among") == 1
        case.assume(self._keeps(items, middle))
        items.middle = middle
        if case.one_of(items.name, (ONE_MORE, THE_END)) == ONE_MORE:
            after = self._one_more(items, middle, case.range(f"{items.name}.item"), act)
            for predicate in case.model.invariants().values():
                case.claim(predicate(after))
            case.claim(same_space(after, before))
            if self._stop:
                raise OneMoreError
            case.assume(False)  # noqa: FBT003  # this item has been looked at
        return middle

    def _one_more(
        self,
        items: Ranges,
        middle: Allocator,
        item: Range,
        act: Callable[[Allocator, Range], Allocator],
    ) -> Allocator:
        items.item, items.after = item, None
        items.after = after = act(middle, item)
        if self._accepted is not None:
            self._accepted(items, middle, item)
        if self._watched is not None:
            items.watched_among = items.watched_among or item == self._watched
        self._case.claim(self._keeps(items, after))
        return after


@contextmanager
def any_walks(
    case: AllocatorCase,
    keeps: Keeps = lambda _items, _state: True,
    accepted: Accepted | None = None,
    watched: Range | None = None,
    *,
    stop: bool = False,
) -> Iterator[None]:
    """Watch the walks of the model along lists that are `Ranges`.

    `keeps` says what is true of a state, given what is known of the items until then.
    `accepted` is called for each item that was not refused, with the state before it. With
    `stop`, an accepted item of a list of any length ends the walk with `OneMoreError`.
    """
    walks = Walks(case, keeps, accepted, watched, stop=stop)
    model: Any = case.model  # which may be a bent one, in a module of its own
    place = model.update_many.__globals__
    saved = place["for_each"]
    place["for_each"] = walks.for_each
    try:
        yield
    finally:
        place["for_each"] = saved


def any_ranges(case: AllocatorCase, state: Allocator, name: str) -> Ranges:
    """Return any ranges at all; live ones, and ones near them, are worth sampling."""
    near: list[Range] = []
    live = state.live
    if isinstance(live, FiniteRanges):
        near = [*live, *live]
        near += [Range(r.start + 1, r.end + 1) for r in live]
        near += [Range(gap.start, gap.start) for gap in case.members(state.gaps())]
    return Ranges(case, name, near)


def same_space(one: Allocator, other: Allocator) -> bool:
    """Whether both are states of one space."""
    return one.top == other.top and one.base == other.base and one.last == other.last
