"""What the checker knows of a target: the state of the oracle, and what the oracle does.

All of it is asked of `spec`: of `spec/model.py`, and of the pages that stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from spec.devices import Books, Held, Wish
from spec.model import Allocator, Request
from spec.moves import Move, Moving
from vm_allocator.modelling import Range, Refused

from .calls import Allocate, Batch, Free, Pick
from .device_calls import DeviceCall, Unregister, UpdateDevice
from .wide import AbortMove, BeginMove, CommitMove, Reload, UpdateMany, Wide

if TYPE_CHECKING:
    from .calls import Call, Plain, Space
    from .device_calls import Kept, Need
    from .profile import Profile


@dataclass(frozen=True)
class State:
    """A state of the oracle: the pools, who holds what of them, and the pending moves."""

    books: Books
    moves: tuple[Move, ...] = ()

    @classmethod
    def initial(cls, profile: Profile, space: Space) -> State:
        """Return the space with nothing live."""
        ranges = [one for _, one in space.pools] or [space.range]
        pools = tuple(Allocator.initial(profile.top, one.start, one.end) for one in ranges)
        return cls(Books(pools, (profile.default_alignment,) * len(pools)))

    @property
    def moving(self) -> Moving:
        """The one pool, and its pending moves."""
        return Moving(self.books.pools[0], self.moves)

    @property
    def devices(self) -> dict[str, tuple[Range, ...]]:
        """What each device holds, lowest first."""
        return {
            device: tuple(sorted(Range(one.start, one.start + one.size - 1) for one in held))
            for device, held in self.books.devices.items()
        }

    @property
    def key(self) -> tuple[tuple[Range, ...], *tuple[object, ...]]:
        """All that tells it from other states of the same space, apart from old alignments."""
        live = live_ranges(self)
        if not self.moves and not self.books.devices:
            return (live,)
        return live, self.moves, tuple(self.books.devices.items())

    def after(self, moving: Moving) -> State:
        """Return the state after something was done in the one pool."""
        return State(Books((moving.allocator,), self.books.alignments), moving.moves)


class Expected(NamedTuple):
    """What the oracle does: the state after it, and what was granted, or why it was refused.

    `starts` is of a batch: where each allocation is; `at` the call of it that was refused.
    """

    after: State
    granted: Range | None = None
    refusal: str | None = None
    starts: tuple[int | None, ...] | None = None
    at: int | None = None


def live_ranges(state: State) -> tuple[Range, ...]:
    """Return the live ranges of a state of the oracle, of all pools, lowest first."""
    if state.moves:
        return state.moving.live()
    return tuple(one for pool in state.books.pools for one in pool.live)  # type: ignore[attr-defined]  # the oracle's sets are finite


class Oracle:
    """The specification for one target and one space."""

    def __init__(self, profile: Profile, space: Space) -> None:
        self.profile = profile
        self.space = space
        self.initial = State.initial(profile, space)

    def does(self, state: State, call: Call) -> Expected:
        """Return what must come of a call. A refusal changes nothing."""
        if isinstance(call, Batch):
            return self._batch(state, call)
        try:
            if isinstance(call, DeviceCall):
                return self._device(state, call)
            return self._wide(state, call) if isinstance(call, Wide) else self._plain(state, call)
        except Refused as refused:
            return Expected(state, refusal=refused.refusal)

    def request(self, call: Plain) -> Request:
        """Return what is asked of a range, with what is left out filled in."""
        align = None if isinstance(call, Free) else call.align
        window = None if isinstance(call, Free) else call.within
        return Request(call.size, self._align(align), self._window(window))

    def _batch(self, state: State, batch: Batch) -> Expected:
        after, starts = state, list[int | None]()
        for at, call in enumerate(batch.calls):
            done = self.does(after, call)
            if done.refusal is not None:
                return Expected(state, refusal=done.refusal, at=at)
            after = done.after
            starts.append(None if done.granted is None else done.granted.start)
        return Expected(after, starts=tuple(starts))

    def _wide(self, state: State, call: Wide) -> Expected:
        moving = state.moving
        match call:
            case UpdateMany():
                align, window = self._align(call.align), self._window(call.within)
                after = moving.update_many(call.changes, align, window)
            case BeginMove():
                new = call.new_range
                request = Request(
                    new.end - new.start + 1, self._align(call.align), self._window(call.within)
                )
                after = moving.begin(call.old_range, request, new.start)
            case CommitMove():
                after = moving.commit(call.old_range)
            case AbortMove():
                after = moving.abort(call.old_range)
            case Reload():
                return Expected(state)
            case _:
                raise TypeError(f"the oracle knows no {call!r}")
        return Expected(state.after(after))

    def _device(self, state: State, call: DeviceCall) -> Expected:
        """Ask the books. Where what is new was put is what the device holds then, at the end."""
        books, wishes = state.books, [self._wish(need) for need in call.needs]
        if isinstance(call, Unregister):
            return Expected(replace(state, books=books.unregister(call.device)))
        if isinstance(call, UpdateDevice):
            after = books.update_device(call.device, [*map(self._held, call.keep), *wishes])
        else:
            after = books.register(call.device, wishes)
        held = after.held_by(call.device)
        new = held[len(held) - len(wishes) :]
        return Expected(replace(state, books=after), starts=tuple(one.start for one in new))

    def _wish(self, need: Need) -> Wish:
        return Wish(self._pool(need.pool), need.size, need.align, need.start)

    def _held(self, kept: Kept) -> Held:
        start, end = kept.range
        return Held(self._pool(kept.pool), start, end - start + 1)

    def _pool(self, name: str) -> int:
        return [pool for pool, _ in self.space.pools].index(name)

    def _plain(self, state: State, call: Plain) -> Expected:
        moving, request = state.moving, self.request(call)
        if isinstance(call, Free):
            return Expected(state.after(moving.free(call.start, call.size)))
        if not isinstance(call, Allocate):
            old = call.old_start, call.old_size
            return Expected(state.after(moving.update(*old, request, call.start)))
        model = moving.allocator
        if call.start is not None:
            step = model.allocate_exact(request, call.start)
        elif call.pick is Pick.LAST:
            step = model.allocate_last(request)
        else:
            step = model.allocate_first(request)
        return Expected(state.after(Moving(step.after, state.moves)), step.granted)

    def _align(self, align: int | None) -> int:
        return self.profile.default_alignment if align is None else align

    def _window(self, window: Range | None) -> Range:
        return self.space.range if window is None else window
