"""What undoes the operations of a transaction: each a call that is made if it comes to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .address import RangeAllocator
from .ids import ONE, IdAllocator
from .ranges import RangeInclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .resource import R, S

# Whatever alignment a range was allocated with, 1 puts it back: the default might refuse it.
BACK_TO_ITS_PLACE: dict[str, Any] = {"align": 1}
PLAIN: dict[str, Any] = {}


class Undo(NamedTuple):
    """What undoes an operation of a transaction: a call that is not made yet."""

    call: Callable[..., object]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    wanted: object = None
    """What it has to return, if that matters."""
    pool: RangeAllocator[Any, Any] | None = None
    """The allocator, if it is one of ours, of which the state tells whether the call was made."""

    def make(self) -> None:
        """Make the call. Raises what it raises."""
        self.call(*self.arguments, **self.options)

    def __str__(self) -> str:
        owner = getattr(self.call, "__self__", None)
        show: Callable[[object], str] = repr
        place = f"{type(owner).__name__}." if owner is not None else ""
        if isinstance(owner, RangeAllocator):
            # Which of several, and its values as people write them.
            show = owner._unit.show
            place = f"{type(owner).__name__} {owner._unit.show_range(owner.base, owner.last)}."
        shown = [show(argument) for argument in self.arguments]
        shown += [f"{key}={value!r}" for key, value in self.options.items()]
        return f"{place}{getattr(self.call, '__name__', self.call)}({', '.join(shown)})"


def owners_of(
    allocator: RangeAllocator[R, S],
    changes: Iterable[tuple[RangeInclusive[R] | None, RangeInclusive[R] | None]],
) -> dict[int, str]:
    """Return whose the old ranges are, by their starts, where they are somebody's.

    Of changes that `update_many` is going to refuse, nothing is said.
    """
    if not allocator._owners:
        return {}
    starts = [old.start.__index__() for old, _ in changes if isinstance(old, RangeInclusive)]
    return {start: allocator._owners[start] for start in starts if start in allocator._owners}


def units_of(allocator: object, size: object) -> object:
    """Return the size; ids come one at a time unless it is said otherwise."""
    return ONE if size is None and isinstance(allocator, IdAllocator) else size


def ours(allocator: object) -> RangeAllocator[Any, Any] | None:
    """Return the allocator, if it is one of ours."""
    return allocator if isinstance(allocator, RangeAllocator) else None


def back_to(allocator: object, resource: Any = None) -> dict[str, Any]:
    """Return the options with which the allocator takes any of its ranges back, as whose it is."""
    if not isinstance(allocator, RangeAllocator):
        return PLAIN
    owner = None if resource is None else allocator.owner_of(resource)
    return BACK_TO_ITS_PLACE if owner is None else {**BACK_TO_ITS_PLACE, "owner": owner}
