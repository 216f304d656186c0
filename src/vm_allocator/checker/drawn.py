"""Random sequences, drawn by hypothesis: small, boundary and large spaces.

One draw of hypothesis seeds a dozen calls, as in `vm_allocator.machines`, whose draws from the
state (`Requests`) are used here too. What is drawn depends on the seed, the profile and the
model alone, except where the target may choose the start (`Pick.ANY`): then on its choices.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from spec.model import U32_MAX, U64_MAX
from vm_allocator.machines.catalogue import SMALL, ends
from vm_allocator.machines.requests import BIG_ALIGNMENTS, SMALL_ALIGNMENTS, Requests
from vm_allocator.modelling import Range

from .calls import Allocate, Batch, Done, Failed, Free, Pick, Skipped, Space, Update
from .judge import live_ranges
from .pools import draw_device_call, split_within
from .target import Answer, Played
from .trial import Bench, Trial, may_ask
from .wide import AbortMove, BeginMove, CommitMove, Reload, UpdateMany

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vm_allocator.ranges import RangeInclusive

    from .calls import Call, Plain
    from .judge import Judge
    from .profile import Profile
    from .state import State

_DOZEN: Final = 12
_WIDE: Final = ("move", "update_many", "batch", "snapshot")
_SEEDS: Final = st.binary(min_size=64, max_size=64)
"""Longer than the literals that hypothesis picks out of the modules that happen to be loaded:
what is drawn must not depend on those."""
_TRIES: Final = 8
"""Draws of which the first that may be asked is taken."""


@dataclass(frozen=True)
class Family:
    """Spaces of one kind. `dozens` is the most dozens of calls in a sequence."""

    name: str
    spaces: tuple[tuple[int, int], ...]
    alignments: tuple[int, ...]
    dozens: int
    examples: int
    """Sequences in one unit of work."""


def families(top: int) -> tuple[Family, ...]:
    """Return the kinds of spaces for numbers up to `top`."""
    large = (
        (0x1000, 0xFFFF),
        (0xC000_0000, 0xFEBF_FFFF) if top == U64_MAX else (32, 255),
        (1 << 32, (1 << 40) - 1) if top == U64_MAX else (24, U32_MAX - 1),
    )
    return (
        Family("small spaces", SMALL, SMALL_ALIGNMENTS, 3, 120),
        Family("spaces at the ends of the numbers", ends(top), BIG_ALIGNMENTS, 2, 120),
        Family("large spaces", large, (1, 1, 2, 16, 0x1000, 0x1000, 1 << 21), 16, 20),
    )


@dataclass(frozen=True)
class Drawn:
    """One unit of random sequences. `careful` callers free and move only what is live."""

    family: int
    seed: int
    careful: bool = False

    @property
    def title(self) -> str:
        """What reports call it."""
        return families(U64_MAX)[self.family].name

    def trials(self, bench: Bench) -> Iterator[Trial]:
        """Run it."""
        family = families(bench.profile.top)[self.family]
        found: list[Trial] = []

        @seeded(self.seed)
        @settings(
            max_examples=family.examples,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            verbosity=Verbosity.quiet,
        )
        @given(st.lists(_SEEDS, min_size=1, max_size=family.dozens))
        def explore(draws: list[bytes]) -> None:
            found.append(_one(bench, family, draws, careful=self.careful))

        explore()
        yield from found


def _one(bench: Bench, family: Family, draws: Sequence[bytes], *, careful: bool) -> Trial:
    chance = Random(draws[0])  # noqa: S311  # reproducible draws, no secrets
    first, last = chance.choice(family.spaces)
    space = Space(first, last)
    if not bench.profile.takes_space(space):
        space = _nearest(bench.profile, space)
    if bench.profile.pools:
        space = split_within(bench.profile.pools, space)
    draw = _Draw(bench.profile, bench.judge(space), family.alignments, careful=careful)
    chances = [Random(seed) for seed in draws]  # noqa: S311  # likewise
    if Pick.ANY in bench.profile.picks:
        return _step_by_step(bench, draw, chances)
    calls: list[Call] = []
    state = draw.judge.initial
    for chance in chances:
        for _ in range(_DOZEN):
            call = draw.call(chance, state)
            if call is not None:
                calls.append(call)
                state = draw.judge.expect(state, call).after
    return bench.try_calls(space, calls)


def _step_by_step(bench: Bench, draw: _Draw, chances: Sequence[Random]) -> Trial:
    """Draw each call after the answer to the one before: only the target knows where it put it."""
    calls: list[Call] = []
    answers: list[Answer] = []
    space = draw.judge.space
    begun = bench.target.begin(space)
    state: State | None = draw.judge.initial
    for chance in chances if isinstance(begun, Done) else ():
        for _ in range(_DOZEN):
            call = None if state is None else draw.call(chance, state)
            if call is None or state is None:
                continue
            calls.append(call)
            answers.append(bench.target.ask(call))
            if isinstance(answers[-1].reply, Failed):
                state = None
            elif not isinstance(answers[-1].reply, Skipped):
                state = draw.judge.judge(state, call, answers[-1].reply).after
    return bench.examine(space, calls, Played(begun, tuple(answers)))


def _nearest(profile: Profile, space: Space) -> Space:
    """Return a space that the target takes, as like the given one as that allows."""
    limits = profile.spaces
    last = min(profile.limit, profile.top if limits.greatest_last is None else limits.greatest_last)
    size = max(space.size, limits.least_size)
    if limits.greatest_size is not None:
        size = min(size, limits.greatest_size)
    size = min(size, last - limits.least_base + 1)
    base = min(max(space.base, limits.least_base), last - size + 1)
    return Space(base, base + size - 1)


class _Draw:
    """Draws calls for the states of one space."""

    def __init__(
        self, profile: Profile, judge: Judge, alignments: Sequence[int], *, careful: bool
    ) -> None:
        self.profile = profile
        self.judge = judge
        self._alignments = alignments
        self._careful = careful

    def call(self, chance: Random, state: State) -> Call | None:
        """Draw a call that may be asked in this state."""
        live = live_ranges(state)
        for _ in range(_TRIES):
            call = self._any(chance, state)
            if may_ask(self.profile, live, call):
                return call
        return None

    def _any(self, chance: Random, state: State) -> Call:
        if self.profile.pools:
            how = self.judge.space, state, chance, self._alignments
            return draw_device_call(self.profile, *how, careful=self._careful)
        draw = Requests(chance, state.moving.allocator, self._alignments)
        kinds: list[Callable[[Requests, Sequence[Range]], Plain]]
        kinds = [self._somewhere, self._exactly, self._freeing, self._freeing]
        if self.profile.updates:
            kinds.append(self._moving)
        wide = [one for one in _WIDE if self.profile.does(one)]
        live = live_ranges(state)
        if len(wide) > 0 and draw.pick((True, False)):
            kind = draw.pick(wide)
            if kind == "move":
                return self._two_phases(draw, state)
            if kind == "snapshot":
                return Reload()
            if kind == "batch":
                return self._batch(draw, live, kinds)
            return self._several(draw)
        return draw.chance.choice(kinds)(draw, live)

    def _several(self, draw: Requests) -> Call:
        changes = tuple((_range(old), _range(new)) for old, new in draw.changes())
        align = self._align(draw) if draw.pick((False, False, True)) else None
        return UpdateMany(changes, align, self._window(draw))

    def _two_phases(self, draw: Requests, state: State) -> Call:
        pending = [move.old for move in state.moving.moves]
        live = live_ranges(state)
        if len(pending) > 0 and draw.pick((True, False)):
            old = draw.pick(pending)
        elif len(live) > 0 and draw.pick((True, False, False, False)):
            old = draw.pick(live)  # of which a move may have been begun before, and aborted
        elif not live or draw.rarely():
            old = _sized(max(0, draw.place()), draw.size())
        else:
            moved = self._moving(draw, live)
            if isinstance(moved, Update):
                old, new = _sized(moved.old_start, moved.old_size), _sized(moved.start, moved.size)
                return BeginMove(old, new, moved.align, moved.within)
            return moved
        return CommitMove(old) if draw.pick((True, False)) else AbortMove(old)

    def _batch(
        self,
        draw: Requests,
        live: Sequence[Range],
        kinds: Sequence[Callable[[Requests, Sequence[Range]], Plain]],
    ) -> Call:
        calls = [draw.pick(kinds)(draw, live) for _ in range(draw.pick((1, 2, 2, 3, 4)))]
        at = next((at for at, call in enumerate(calls) if _is_anywhere(call)), len(calls))
        return Batch(tuple(calls[: at + 1]))  # nobody could say what is right after that

    def _somewhere(self, draw: Requests, live: Sequence[Range]) -> Plain:
        del live
        size = self._size(draw)
        picks = self.profile.picks
        pick = draw.pick(picks) if picks else Pick.FIRST
        return Allocate(size, None, pick, self._align(draw), self._window(draw))

    def _exactly(self, draw: Requests, live: Sequence[Range]) -> Plain:
        if bool(live) and draw.pick((True, False)):
            start, size = draw.near(self._one(draw, live))
            return Allocate(size, start)
        align = self._align(draw) if draw.pick((False, False, True)) else None
        return Allocate(self._size(draw), draw.place(), align=align)

    def _freeing(self, draw: Requests, live: Sequence[Range]) -> Plain:
        if bool(live) and (self._careful or draw.pick((False, True, True))):
            one = self._one(draw, live)
            return Free(one.start, one.end - one.start + 1)
        if self._careful:
            return self._somewhere(draw, live)
        return Free(draw.place(), self._size(draw))

    def _moving(self, draw: Requests, live: Sequence[Range]) -> Plain:
        align = self._align(draw) if draw.pick((False, False, True)) else None
        if not live:
            return self._somewhere(draw, live)
        old = self._one(draw, live)
        old_at = (old.start, old.end - old.start + 1)
        if not self._careful and draw.rarely():
            old_at = (draw.place(), draw.size())
        new = draw.pick((draw.slide(old), draw.near(old), (draw.place(), draw.size())))
        return Update(*old_at, *new, align=align, within=self._window(draw))

    def _one(self, draw: Requests, live: Sequence[Range]) -> Range:
        """Draw a live range; who is not careful may take one that a move has reserved."""
        return draw.pick(live) if self._careful else draw.live()

    def _size(self, draw: Requests) -> int:
        size = draw.size() if self._careful else draw.any_size()
        return size if size < 1 else 1 + (size - 1) % self.profile.most

    def _align(self, draw: Requests) -> int | None:
        if not self.profile.align:
            return None
        return draw.pick((None, *self._alignments)) if self._careful else draw.align()

    def _window(self, draw: Requests) -> Range | None:
        window = draw.window() if self.profile.within else None
        return None if window is None else Range(window.start, window.end)


def _range(one: RangeInclusive[int] | None) -> Range | None:
    return None if one is None else Range(one.start, one.end)


def _sized(start: int, size: int) -> Range:
    return Range(start, start + size - 1)


def _is_anywhere(call: Call) -> bool:
    return isinstance(call, Allocate) and call.start is None and call.pick is Pick.ANY
