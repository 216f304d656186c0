"""What the checker knows of a target: the state of the oracle, and what the oracle does.

All of it is asked of `spec`: of `spec/model.py`, and of the pages that stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from spec.model import Allocator, Request
from spec.moves import Moving
from vm_allocator.modelling import Range, Refused

from .calls import Allocate, Batch, Free, Pick
from .wide import AbortMove, BeginMove, CommitMove, UpdateMany, Wide

if TYPE_CHECKING:
    from .calls import Call, Plain, Space
    from .profile import Profile


@dataclass(frozen=True)
class State:
    """A state of the oracle."""

    moving: Moving

    @classmethod
    def initial(cls, profile: Profile, space: Space) -> State:
        """Return the space with nothing live."""
        return cls(Moving(Allocator.initial(profile.top, space.base, space.last)))

    @property
    def key(self) -> tuple[object, ...]:
        """All that tells it from other states of the same space, apart from old alignments."""
        return self.moving.live(), self.moving.moves


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
    """Return the live ranges of a state of the oracle, lowest first."""
    return state.moving.live()


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
                after = moving.update_many(
                    [old for old, _ in call.changes if old is not None],
                    [new for _, new in call.changes if new is not None],
                    self._align(call.align),
                    self._window(call.within),
                )
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
            case _:
                raise TypeError(f"the oracle knows no {call!r}")
        return Expected(State(after))

    def _plain(self, state: State, call: Plain) -> Expected:
        moving, request = state.moving, self.request(call)
        if isinstance(call, Free):
            return Expected(State(moving.free(call.start, call.size)))
        if not isinstance(call, Allocate):
            old = call.old_start, call.old_size
            return Expected(State(moving.update(*old, request, call.start)))
        model = moving.allocator
        if call.start is not None:
            step = model.allocate_exact(request, call.start)
        elif call.pick is Pick.LAST:
            step = model.allocate_last(request)
        else:
            step = model.allocate_first(request)
        return Expected(State(replace(moving, allocator=step.after)), step.granted)

    def _align(self, align: int | None) -> int:
        return self.profile.default_alignment if align is None else align

    def _window(self, window: Range | None) -> Range:
        return self.space.range if window is None else window
