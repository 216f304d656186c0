"""A sequence of calls played on a target and judged: the unit of all searching and shrinking."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vm_allocator.modelling import Range

from .calls import Batch, Done, Failed, Free, Refused, Skipped, Space, Update
from .judge import AN_ANSWER, BROKEN_BY_FAILING, Judge, Property, Violation, live_ranges
from .wide import Wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .calls import Call, Reply
    from .profile import Profile
    from .state import State
    from .target import Answer, Played, Target


@dataclass(frozen=True)
class Step:
    """One call, what the model said, what the target said, and what is live before and after.

    `before` is what was live, `wanted` what must be live after it. `after` is what the search
    went on with: what the target claims, or `None` where nobody can go on from what it did.
    """

    call: Call
    expected: str
    answer: Answer
    before: tuple[Range, ...]
    after: tuple[Range, ...] | None
    violation: Violation | None = None
    wanted: tuple[Range, ...] = ()
    reserved: tuple[Range, ...] = ()
    """What pending moves hold before it, and nobody else can have."""


@dataclass(frozen=True)
class Trial:
    """A judged sequence on a fresh allocator of `space`."""

    space: Space
    begun: Reply
    steps: tuple[Step, ...]
    broken_start: Violation | None = None
    """What is wrong with how the space was accepted, or not."""

    @property
    def violations(self) -> list[tuple[int, Violation]]:
        """The violations, each with the number of calls that led to it."""
        found = [] if self.broken_start is None else [(0, self.broken_start)]
        found += [
            (position, step.violation)
            for position, step in enumerate(self.steps, start=1)
            if step.violation is not None
        ]
        return found

    def first(self, key: tuple[str, str, str, str]) -> int | None:
        """Return how many calls lead to the first violation of that key; `None` if none does."""
        for position, violation in self.violations:
            if violation.key == key:
                return position
        return None


@dataclass
class Tally:
    """What was looked at. `outcomes` counts the model's answers by operation."""

    calls: int = 0
    sequences: int = 0
    skipped: int = 0
    spaces_refused: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    spaces: set[Space] = field(default_factory=set)
    most_live: int = 0
    tiny_states: set[tuple[Space, tuple[Range, ...]]] = field(default_factory=set)
    """States in which every call of the alphabet was asked."""

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        self.calls += other.calls
        self.sequences += other.sequences
        self.skipped += other.skipped
        self.spaces_refused += other.spaces_refused
        self.outcomes.update(other.outcomes)
        self.spaces |= other.spaces
        self.most_live = max(self.most_live, other.most_live)
        self.tiny_states |= other.tiny_states


class Bench:
    """A target, and the judge of each space that it is tried in."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.profile: Profile = target.profile
        self.tally = Tally()
        self._judges: dict[Space, Judge] = {}

    def judge(self, space: Space) -> Judge:
        """Return the judge of a space: the same one each time, since judges remember."""
        judge = self._judges.get(space)
        if judge is None:
            judge = self._judges[space] = Judge(self.profile, space)
        return judge

    def try_calls(self, space: Space, calls: Sequence[Call]) -> Trial:
        """Play the calls on a fresh allocator, and judge every answer until nobody can go on."""
        return self.examine(space, calls, self.target.play(space, calls))

    def examine(self, space: Space, calls: Sequence[Call], played: Played) -> Trial:
        """Judge what came of the calls."""
        judge, tally = self.judge(space), self.tally
        tally.sequences += 1
        if not isinstance(played.begun, Done):
            tally.spaces_refused += 1
            broken = _broken_start(self.profile, space, played.begun)
            return Trial(space, played.begun, (), broken)
        tally.spaces.add(space)
        state: State | None = judge.initial
        steps: list[Step] = []
        for call, answer in zip(calls, played.answers, strict=False):
            if state is None:
                break
            before, reserved = live_ranges(state), tuple(sorted(state.moving.reserved()))
            judged = judge.judge(state, call, answer.reply, answer.live, answer.devices)
            state = judged.after
            after = None if state is None else live_ranges(state)
            self._count(call, judged.outcome.refusal, answer.reply, len(before))
            expected = judge.words(call, judged.outcome)
            wanted = live_ranges(judged.outcome.after)
            broken = judged.violation
            steps.append(Step(call, expected, answer, before, after, broken, wanted, reserved))
        return Trial(space, played.begun, tuple(steps))

    def _count(self, call: Call, refusal: str | None, reply: Reply, live: int) -> None:
        tally = self.tally
        if isinstance(reply, Skipped):
            tally.skipped += 1
            return
        tally.calls += 1
        tally.outcomes[call.kind, refusal or "granted"] += 1
        tally.most_live = max(tally.most_live, live)


def not_begun(failed: Failed) -> Trial:
    """Return the trial of a target that did not even start: no space, no calls."""
    said = f"the target ran before, and must start again; {failed.name}: {failed.detail}"
    actual = f"{failed.how.value}: {failed.name}"
    violation = Violation(Property.NO_CRASH, "new", AN_ANSWER, actual, said)
    return Trial(Space(0, 0), failed, (), violation)


def may_ask(profile: Profile, live: Sequence[Range], call: Call) -> bool:
    """Whether the handshake allows this call where these ranges are live."""
    return profile.takes(call) and all(_may_free(profile, live, one) for one in frees(call))


def frees(call: Call) -> list[Range]:
    """Return what the call frees or moves: ranges that have to be live."""
    if isinstance(call, Wide):
        return call.old()
    if isinstance(call, Batch):
        return [one for part in call.calls for one in frees(part)]
    if isinstance(call, Free):
        return [Range(call.start, call.start + call.size - 1)]
    if isinstance(call, Update):
        return [Range(call.old_start, call.old_start + call.old_size - 1)]
    return []


def _may_free(profile: Profile, live: Sequence[Range], freed: Range) -> bool:
    if freed in live:
        return True
    if not profile.free_reports:
        return False
    return profile.free_by == "range" or all(one.start != freed.start for one in live)


def _broken_start(profile: Profile, space: Space, begun: Reply) -> Violation | None:
    words = f"a space from {space.base:#x} to {space.last:#x}"
    if isinstance(begun, Failed):
        actual = f"{begun.how.value}: {begun.name}"
        return Violation(
            BROKEN_BY_FAILING[begun.how], "new", AN_ANSWER, actual, f"{words}: {actual}"
        )
    if isinstance(begun, Refused) and profile.takes_space(space):
        actual = f"refused: {begun.reason}"
        said = f"{words} is refused ({begun.reason}), and not excluded by the handshake"
        return Violation(Property.SPACE, "new", "granted", actual, said)
    return None
