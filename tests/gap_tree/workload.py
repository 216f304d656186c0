"""A tree and the reference index, driven together at random: seeded, and quick."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from vm_allocator.gaps import SortedGaps

if TYPE_CHECKING:
    from collections.abc import Callable

SPACES = ((0, 63), (3, 302), (64, 2063), (0, 2**64 - 1), (5, 2**64 - 6))
CAPACITIES = (4, 5, 6, 8)
PHASES = (0.9, 0.6, 0.1)  # how often a range is added, and not removed


def drive(tree_of: Callable[..., Any], seed: int, steps: int = 240) -> None:
    """Raise, at the latest at the end of these steps, if the tree errs. Deterministic.

    `tree_of` is `GapTree`, or something like it. Each change is followed by `_check`, so that
    a bound that is too low is seen before it costs anybody a fit.
    """
    chance = Random(seed)  # noqa: S311  # a workload, and no secret
    base, last = chance.choice(SPACES)
    tree = tree_of(base, last, capacity=chance.choice(CAPACITIES))
    reference = SortedGaps(base, last)
    adding = PHASES[0]
    for step in range(steps):
        if step % 60 == 59:  # alignments met late, in a tree that is deep, or was
            adding = chance.choice(PHASES)
        _step(tree, reference, chance, adding=chance.random() < adding, bits=4 + step // 40)
        tree._check()
        assert list(tree.live()) == list(reference.live())
        assert list(tree.gaps()) == list(reference.gaps())
    twin = tree.copy()
    twin._check()
    for start, end in list(reference.live()):
        tree.remove(start, end)
        tree._check()
    twin._check()  # still, although the original has changed
    assert list(twin.live()) == list(reference.live())


def _step(tree: Any, reference: SortedGaps, chance: Random, *, adding: bool, bits: int) -> None:
    base, last = reference._base, reference._last
    room = last - base
    align = 1 << chance.randrange(min(bits, room.bit_length()))
    if room >> 40 and chance.randrange(3) == 0:
        align <<= 54
    span = min(chance.choice((0, 1, 2, 3, 7, 11, 15, align - 1, align)), room)
    first, end = sorted((base + chance.randint(0, room), base + chance.randint(0, room)))
    window = chance.choice(((first, end), (base, last), (base, last)))
    fits = []
    for method in ("lowest_fit", "highest_fit"):
        found = getattr(tree, method)(span, align, *window)
        assert found == getattr(reference, method)(span, align, *window), (method, span, align)
        fits.append(found)
    near = min(first + span, last)
    assert tree.overlapping(first, near) == reference.overlapping(first, near)
    live = list(reference.live())
    if live:
        start, stop = chance.choice(live)
        assert tree.is_live(start, stop)
        assert tree.overlapping(base, stop) == reference.overlapping(base, stop)
        assert not tree.is_live(start, stop - 1)
    if adding:
        place: Any = chance.choice((*fits, first))
        inside = place is not None and place + span <= last
        if inside and reference.overlapping(place, place + span) is None:
            tree.add(place, place + span)
            reference.add(place, place + span)
    elif live:
        at = chance.randrange(len(live))
        for start, stop in live[at : at + chance.choice((1, 1, 4))]:
            tree.remove(start, stop)
            reference.remove(start, stop)
