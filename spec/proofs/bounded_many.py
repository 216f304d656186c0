"""The reference index keeps its contract for many ranges, too: for 1 or 2, up to k gaps.

That the index may look for one after another without adding any, which is how it does it, is
proved for any number of them and of gaps (`spec.proofs.many`, the two theorems on what lies
beyond). Here the very method runs. The other indexes find many by arithmetic on whole series,
which no symbolic number follows: those are held to the contract by tests.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from spec.proofs.bounded import Bounded, Subject, stated_to
from vm_allocator.symbolic.keys import keyed

if TYPE_CHECKING:
    from collections.abc import Callable

    from spec.proofs.bounded import Factory
    from spec.proofs.cases import AllocatorCase

COUNTS: Final = (1, 2)


def finds_many(case: AllocatorCase, factory: Factory, gaps: int, method: str) -> None:
    """A search for 1 or 2 ranges finds exactly the starts that the contract names, in order."""
    subject = Subject(case, factory, gaps, searching=True)
    count = case.one_of("count", COUNTS)
    span = keyed(case.number("span", like=(0, 1, 2)))
    first, last = subject.any_window(from_below=method.startswith("lowest"))
    request = (count, span, subject.align, first, last)
    expected = getattr(subject.contract, method)(*request)
    found = subject.ask(method, *request)
    case.claim(len(found) == len(expected))
    for one, other in zip(found, expected, strict=True):
        case.claim(one == other)


def adds_many(case: AllocatorCase, factory: Factory, gaps: int) -> None:
    """`add_all` of 1 or 2 starts makes all of these ranges live, and splits the gaps."""
    subject = Subject(case, factory, gaps)
    span = keyed(case.number("span", like=(0, 1)))
    near = [subject.before.base, *(end + 1 for _, end in subject.live)]
    like = [start + away for start in near for away in (0, 1, 2, 4)]
    count = case.one_of("count", COUNTS)
    starts = [keyed(case.number(f"start{at}", like=like)) for at in range(count)]
    subject.contract.add_all(starts, span)
    subject.ask("add_all", starts, span)
    subject.agrees()


def many_theorems(factory: Factory, gaps: int, name: str = "the_reference_index") -> list[Bounded]:
    """Return what holds of an index that keeps its contract for 1 or 2 ranges at once."""
    statements: dict[str, Callable[..., None]] = {
        "finds_the_lowest_room_for_up_to_2": partial(finds_many, method="lowest_fits"),
        "finds_the_highest_room_for_up_to_2": partial(finds_many, method="highest_fits"),
        "adds_up_to_2_at_once": adds_many,
    }
    return [
        stated_to(gaps, f"{name}_{ending}", partial(state, factory=factory))
        for ending, state in statements.items()
    ]
