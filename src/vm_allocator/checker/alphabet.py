"""Every call that is tried in a state of a tiny space."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from vm_allocator.modelling import Range

from .calls import Allocate, Batch, Free, Pick, Update
from .pools import alphabet_of_devices
from .state import live_ranges
from .trial import may_ask
from .wide import AbortMove, BeginMove, CommitMove, Reload, UpdateMany

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .calls import Call, Plain, Space
    from .profile import Profile
    from .state import State
    from .wide import Change


def alphabet(profile: Profile, space: Space, state: State) -> list[Call]:
    """Return every call that is tried in a state of a tiny space, and that may be asked."""
    live = live_ranges(state)
    if profile.pools:
        about = alphabet_of_devices(profile, space, state)
        return [call for call in about if may_ask(profile, live, call)]
    calls = [*_plain(profile, space, state), *_moves(profile, space, state)]
    calls += [*_many(profile, space, state), *_batches(profile, space, state)]
    calls += [Reload()] if profile.does("snapshot") else []
    return [call for call in calls if may_ask(profile, live, call)]


def _plain(profile: Profile, space: Space, state: State) -> list[Call]:
    base, last = space.base, space.last
    live = live_ranges(state)
    sizes = range(space.size + 2)
    starts = _starts(profile, space)
    ranges = [
        (start, size) for start in starts for size in range(1, last - start + 3) if size in sizes
    ]
    aligns = (None, 2, 4, 3) if profile.align else (None,)
    calls: list[Call] = [
        Allocate(size, pick=pick, align=align)
        for pick in profile.picks
        for align in aligns
        for size in sizes
    ]
    calls += [Allocate(size, start) for start, size in ranges]
    calls += [Allocate(1, start, align=2) for start in starts]
    calls += [Free(start, size) for start, size in ranges]
    if profile.within and space.size > 1:
        window = Range(base + 1, last)
        calls += [
            Allocate(size, pick=pick, within=window) for pick in profile.picks for size in sizes
        ]
    olds = [(one.start, one.end - one.start + 1) for one in live]
    olds += [(base, space.size)] if (base, space.size) not in olds else []
    calls += [Update(*old, start, size) for old in olds for start, size in ranges]
    return calls


def _starts(profile: Profile, space: Space) -> list[int]:
    # One unit below and one above: outside is as interesting as inside.
    every = range(space.base - 1, space.last + 2)
    return [start for start in every if 0 <= start <= profile.top]


def _moves(profile: Profile, space: Space, state: State) -> Iterator[Call]:
    """Yield beginnings of moves from what is live, or pending, to anywhere; and all endings."""
    if not profile.does("move"):
        return
    pending = [move.old for move in state.moving.moves]
    olds = [*live_ranges(state), *pending[:1]]
    olds += [] if space.range in olds else [space.range]
    for old in olds:
        for start in _starts(profile, space):
            for end in range(start, space.last + 2):
                yield BeginMove(old, Range(start, end))
    for old in (*pending, *live_ranges(state)[:1]):
        yield CommitMove(old)
        yield AbortMove(old)


def _many(profile: Profile, space: Space, state: State) -> Iterator[Call]:
    """Yield single changes, and pairs of them into single units and onto what is live."""
    if not profile.does("update_many"):
        return
    live = live_ranges(state)
    units = range(space.base, space.last + 1)
    inside = [Range(start, end) for start in units for end in range(start, space.last + 1)]
    above = [Range(space.last, space.last + 1)] if space.last < profile.top else []
    olds: list[Range | None] = [None, *live]
    olds += [] if space.range in olds else [space.range]
    for change in product(olds, [None, *inside, *above]):
        if change != (None, None):
            yield UpdateMany((change,))
    news = dict.fromkeys([None, *live, *(Range(unit, unit) for unit in units)])
    changes: list[Change] = [one for one in product(olds, news) if one != (None, None)]
    for at, one in enumerate(changes):
        for other in changes[at + 1 :]:
            if one[0] != other[0] or one[0] is None:
                yield UpdateMany((one, other))
    for old in live[:1]:
        yield UpdateMany(((old, None), (old, None)))


def _batches(profile: Profile, space: Space, state: State) -> Iterator[Call]:
    """Yield pairs of calls: of those that change something, and of some that are refused."""
    if not profile.does("batch"):
        return
    live = live_ranges(state)
    units = range(space.base, space.last + 1)
    parts: list[Plain] = [Free(one.start, one.end - one.start + 1) for one in live]
    parts += [Free(space.base, 1)] if Free(space.base, 1) not in parts else []
    parts += [Allocate(1, unit) for unit in units]
    parts += [Allocate(size, pick=pick) for pick in profile.picks for size in (1, space.size)]
    parts += [
        Update(one.start, one.end - one.start + 1, unit, 1) for one in live[:2] for unit in units
    ]
    for first, second in product(parts, parts):
        if not (isinstance(first, Allocate) and first.start is None and first.pick is Pick.ANY):
            yield Batch((first, second))
    yield Batch(())


def is_compound(call: Call) -> bool:
    """Whether a call does several things: there are so many that they begin few sequences."""
    return isinstance(call, (Batch, UpdateMany))
