"""How the shipped source is read symbolically: a few names in its modules stand for summaries.

The leaves of `vm_allocator.arithmetic` are bit tricks; the model's own leaves stand in for
them, which compute the same (`the_shipped_leaves_are_those_of_the_model`, a lemma on
bit-vectors). `max` and `min` become single terms instead of two paths each; `len` of the starts
of a run of any length (`runs`) is the number that the run is known by. `plain_int` is the
identity on integers, which is all that symbolic ints stand for; what it makes of other types
is tested. An index that a constructor makes becomes the contract of the index.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from spec.proofs.runs import SomeStarts
from vm_allocator import modelling
from vm_allocator.symbolic import SymInt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType


def _plain_int(unit: object, name: str, value: int) -> int:
    """Pass integers on."""
    number: object = value  # symbolic ints only look like ints to a type checker
    if isinstance(number, (SymInt, int)):
        return value
    raise TypeError(f"{name} of {unit} is {value!r}, and no integer")


MAX_AND_MIN: Final[dict[str, Callable[..., Any]]] = {
    "max": modelling.larger,
    "min": modelling.smaller,
}


def _padding(address: int, align: int) -> int:
    return modelling.align_up(address, align) - address


ARITHMETIC: Final[dict[str, Callable[..., Any]]] = {
    "padding": _padding,
    "align_down": modelling.align_down,
}
"""The leaves below `lowest_start` and `highest_start`, in the model's words."""

LEAVES: Final[dict[str, Callable[..., Any]]] = {
    "is_aligned": modelling.is_aligned,
    "is_power_of_two": modelling.is_power_of_two,
    **MAX_AND_MIN,
    "plain_int": _plain_int,
}


def _length(items: SomeStarts | Sequence[int]) -> int:
    """Return how many there are: of a run of any length, the number that it was said to have."""
    return items.times if isinstance(items, SomeStarts) else len(items)


READING: Final[dict[str, Callable[..., Any]]] = {**LEAVES, "len": _length}
"""All that stands in the modules of the allocators."""

_BUILTINS: Final = ("max", "min", "len")


@contextmanager
def standing_in(
    summaries: Mapping[str, Callable[..., Any]], *modules: ModuleType
) -> Iterator[None]:
    """Let the summaries stand in these modules, by name, for a while."""
    before = [(module, dict(vars(module))) for module in modules]
    for module in modules:
        for name, summary in summaries.items():
            # A module global shadows the builtin of the same name.
            if name in _BUILTINS or name in vars(module):
                setattr(module, name, summary)
    try:
        yield
    finally:
        for module, names in before:
            for name in set(vars(module)) - set(names):
                delattr(module, name)
            vars(module).update(names)
