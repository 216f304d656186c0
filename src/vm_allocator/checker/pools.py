"""Spaces of several pools, and calls about devices in them: what the searches draw from."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from vm_allocator.machines.requests import Requests
from vm_allocator.modelling import Range

from .calls import Space
from .device_calls import Kept, Need, Register, Unregister, UpdateDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from .calls import Call
    from .profile import Profile
    from .state import State

_NAMES: Final = ("a", "b", "c")


def split(names: Sequence[str], base: int, size: int) -> Space:
    """Return the space of these pools of that many units each, a unit apart, from `base` on."""
    starts = [base + at * (size + 1) for at in range(len(names))]
    ranges = [Range(start, start + size - 1) for start in starts]
    return Space.of(dict(zip(names, ranges, strict=True)))


def split_within(names: Sequence[str], space: Space) -> Space:
    """Return the space of these pools, as large as the given space has room for."""
    size = max(1, (space.size + 1) // len(names) - 1)
    whole = len(names) * (size + 1) - 1
    return split(names, max(0, min(space.base, space.last - whole + 1)), size)


def alphabet_of_devices(profile: Profile, space: Space, state: State) -> Iterator[Call]:
    """Yield every call about devices that is tried in a state of tiny pools."""
    sets = list(_sets(profile, space))
    held = state.books.devices
    for device in _NAMES[:2]:
        yield Unregister(device)
        for needs in sets:
            yield Register(device, needs)
        keeps = [_kept(space, state, device, pick) for pick in _keeping(len(held.get(device, ())))]
        for keep in dict.fromkeys(keeps):
            for needs in sets:
                yield UpdateDevice(device, needs, keep)
    for device, others in held.items():
        if others:
            for other in _NAMES[:2]:
                keep = _kept(space, state, device, [0])
                yield UpdateDevice(other, (), keep if other != device else (*keep, *keep))


def _sets(profile: Profile, space: Space) -> Iterator[tuple[Need, ...]]:
    """Yield what a device may need: nothing, something of one pool, something of two."""
    yield ()
    some: list[Need] = []
    for name, one in space.pools:
        size = one.end - one.start + 1
        some += [Need(name, units) for units in dict.fromkeys((1, size))]
        if "exact" in profile.policies:
            some.append(Need(name, 1, start=one.end))
    for need in some:
        yield (need,)
    for name, one in space.pools[:1]:
        yield (Need(name, 0),)
        yield (Need(name, one.end - one.start + 2),)
        yield (Need(name, 1, align=2),)
    yield from (two for two in combinations(some, 2) if two[0].pool != two[1].pool)
    yield from ((need, need) for need in some[:1])
    for need in some[:2]:
        for name, one in space.pools:  # granted first, refused then
            yield need, Need(name, one.end - one.start + 2)


def _keeping(count: int) -> list[list[int]]:
    """Return which of so many are kept: none, one, all."""
    return [[], *([at] for at in range(count)), list(range(count))]


def _kept(space: Space, state: State, device: str, pick: Sequence[int]) -> tuple[Kept, ...]:
    held = state.books.devices.get(device, ())
    names = [name for name, _ in space.pools]
    chosen = [held[at] for at in pick if at < len(held)]
    return tuple(
        Kept(names[one.pool], Range(one.start, one.start + one.size - 1)) for one in chosen
    )


def draw_device_call(
    profile: Profile,
    space: Space,
    state: State,
    chance: Random,
    alignments: Sequence[int],
    *,
    careful: bool,
) -> Call:
    """Draw a call about a device: mostly one that is granted, if the caller is careful."""
    pools = [Requests(chance, pool, alignments) for pool in state.books.pools]
    draw, held = pools[0], state.books.devices
    there = list(held)
    absent = [name for name in _NAMES if name not in held]
    known, new = (there or [*_NAMES]), (absent or [*_NAMES])
    if not careful and draw.rarely():
        known = new = [*_NAMES]

    def need() -> Need:
        at = draw.pick(range(len(pools)))
        of = pools[at]
        size = of.size() if careful else of.any_size()
        align = None
        if profile.align:
            align = draw.pick((None, *alignments)) if careful else of.align()
        exact = "exact" in profile.policies and draw.pick((True, False, False))
        return Need(space.pools[at][0], size, align, of.place() if exact else None)

    def needs() -> tuple[Need, ...]:
        return tuple(need() for _ in range(draw.pick((0, 1, 1, 2, 3))))

    def update() -> Call:
        device = draw.pick(known)
        count = len(held.get(device, ()))
        chosen = [at for at in range(count) if draw.pick((True, False))]
        kept = _kept(space, state, device, chosen)
        if kept and not careful and draw.rarely():
            kept = (*kept, kept[0])
        return UpdateDevice(device, needs(), kept)

    kinds: list[Callable[[], Call]] = [
        lambda: Register(draw.pick(new), needs()),
        lambda: Register(draw.pick(new), needs()),
        lambda: Unregister(draw.pick(known)),
    ]
    if profile.does("update_device"):
        kinds.append(update)
    return draw.pick(kinds)()
