"""The verdict on one reply: does it agree with the model, and if not, which property is broken.

What a target *should* do is asked of `spec/model.py`, and of nothing else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spec import model as spec
from spec.model import Allocator, Request, inside
from vm_allocator.modelling import Outcome, attempt, is_aligned

from .calls import Allocate, Done, Failed, Failure, Free, Pick, Refused, Skipped
from .words import answered, asked, shown, shown_ranges

if TYPE_CHECKING:
    from vm_allocator.modelling import Range, Step

    from .calls import Call, Reply, Space
    from .profile import Profile

AN_ANSWER: Final = "an answer"
"""What is expected of a target that failed to give any."""

_MOST_REMEMBERED: Final = 200_000
_MOST_LIVE_REMEMBERED: Final = 8


class Property(enum.Enum):
    """What a target can break, and the sentence that it then does not obey."""

    SPACE = "space"
    BOUNDS = "bounds"
    NO_OVERLAP = "no overlap"
    ALIGNMENT = "alignment"
    COMPLETENESS = "completeness"
    OPTIMALITY = "optimality"
    EXACT_FREE = "exact free"
    ATOMICITY = "atomicity"
    CONSERVATION = "conservation"
    VALIDITY = "validity"
    REASON = "truthful refusal"
    NO_CRASH = "no crash"
    NO_HANG = "no hang"
    PROTOCOL = "protocol"

    @property
    def sentence(self) -> str:
        """The property in words."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    Property.SPACE: "a space that the target claims to manage is managed",
    Property.BOUNDS: "every live range lies in the space, and in the window it was asked for",
    Property.NO_OVERLAP: "no two live ranges share an address",
    Property.ALIGNMENT: "a range starts at a multiple of the alignment that was asked for",
    Property.COMPLETENESS: "a request is refused only if nothing fits",
    Property.OPTIMALITY: "FirstMatch gives the lowest fit, LastMatch the highest, "
    "an exact request that very start",
    Property.EXACT_FREE: "free succeeds if and only if exactly that range is live",
    Property.ATOMICITY: "an operation that is refused changes nothing",
    Property.CONSERVATION: "live is what was allocated and not freed",
    Property.VALIDITY: "a request that makes no sense is refused",
    Property.REASON: "a refusal names the first thing that is wrong",
    Property.NO_CRASH: "every operation ends, granted or refused",
    Property.NO_HANG: "every operation ends within its time limit",
    Property.PROTOCOL: "every request gets exactly one reply, in the format of the protocol",
}

_BROKEN_BY_GRANTING: Final = {
    spec.INVALID_SIZE: Property.VALIDITY,
    spec.INVALID_ALIGNMENT: Property.VALIDITY,
    spec.OUT_OF_BOUNDS: Property.BOUNDS,
    spec.OUTSIDE_WINDOW: Property.BOUNDS,
    spec.MISALIGNED: Property.ALIGNMENT,
    spec.OVERLAP: Property.NO_OVERLAP,
    spec.NOT_ALLOCATED: Property.EXACT_FREE,
}

BROKEN_BY_FAILING: Final = {
    Failure.CRASH: Property.NO_CRASH,
    Failure.HANG: Property.NO_HANG,
    Failure.GARBAGE: Property.PROTOCOL,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken property. Violations with the same `key` are taken to have the same cause."""

    broken: Property
    operation: str
    expected: str
    """What the model did, without numbers: "granted", "refused: overlap"."""
    actual: str
    """What the target did, without numbers."""
    words: str
    """The same for people, with numbers."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is grouped by."""
        return self.broken.value, self.operation, self.expected, self.actual


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model says of a call and of the reply to it."""

    outcome: Outcome[Allocator]
    violation: Violation | None
    after: Allocator | None
    """The state to go on with; `None` where nobody can know it."""


class Judge:
    """The model of one space, asked about calls and replies.

    Small states are remembered: in a tiny space the same questions come back all the time.
    """

    def __init__(self, profile: Profile, space: Space) -> None:
        self.profile = profile
        self.initial = Allocator.initial(profile.top, space.base, space.last)
        self.space = space
        self._remembered: dict[tuple[tuple[Range, ...], Call], Outcome[Allocator]] = {}

    def expect(self, state: Allocator, call: Call) -> Outcome[Allocator]:
        """Return what the model does in that state. For `Pick.ANY`, one of the right answers."""
        live = live_ranges(state)
        if len(live) > _MOST_LIVE_REMEMBERED:
            return attempt(state, lambda: self._act(state, call))
        found = self._remembered.get((live, call))
        if found is None:
            found = attempt(state, lambda: self._act(state, call))
            if len(self._remembered) < _MOST_REMEMBERED:
                self._remembered[live, call] = found
        return found

    def judge(
        self, state: Allocator, call: Call, reply: Reply, live: tuple[Range, ...] | None = None
    ) -> Judgement:
        """Compare a reply with the model, and the listed live ranges if the target lists them."""
        outcome = self.expect(state, call)
        judged = self._judge(state, call, reply, outcome)
        if live is None or judged.after is None or judged.violation is not None:
            return judged
        wanted = live_ranges(judged.after)
        if live == wanted:
            return judged
        refused = isinstance(reply, Refused)
        violation = Violation(
            Property.ATOMICITY if refused else Property.CONSERVATION,
            call.kind,
            "refused" if refused else "granted",
            "other live ranges",
            f"after {asked(call)} the live ranges must be {shown_ranges(wanted)}, "
            f"and are {shown_ranges(live)}",
        )
        return Judgement(outcome, violation, None)

    @staticmethod
    def words(call: Call, outcome: Outcome[Allocator]) -> str:
        """Return what the model did, for people."""
        return expectation(call, outcome)[1]

    def _judge(  # noqa: PLR0911  # one verdict per case, told in their order
        self, state: Allocator, call: Call, reply: Reply, outcome: Outcome[Allocator]
    ) -> Judgement:
        if isinstance(reply, Skipped):
            return Judgement(outcome, None, state)
        if isinstance(reply, Failed):
            broken = BROKEN_BY_FAILING[reply.how]
            return Judgement(outcome, self._broken(broken, call, outcome, reply), None)
        if isinstance(reply, Refused):
            if outcome.refusal is None:
                wrong = Property.EXACT_FREE if isinstance(call, Free) else Property.COMPLETENESS
                # The target says that nothing has changed. Later calls will tell.
                return Judgement(outcome, self._broken(wrong, call, outcome, reply), state)
            if self.profile.reasons and reply.reason != outcome.refusal:
                violation = self._broken(Property.REASON, call, outcome, reply)
                return Judgement(outcome, violation, state)
            return Judgement(outcome, None, state)
        if isinstance(call, Allocate) and call.start is None:
            return self._placed(state, call, reply, outcome)
        if outcome.refusal is not None:
            broken = _BROKEN_BY_GRANTING[outcome.refusal]
            # Freeing what is not live may change nothing: go on, and see what it does.
            after = state if isinstance(call, Free) else None
            return Judgement(outcome, self._broken(broken, call, outcome, reply), after)
        if isinstance(call, Allocate) and reply.start != call.start:
            violation = self._broken(Property.OPTIMALITY, call, outcome, reply)
            return Judgement(outcome, violation, None)
        return Judgement(outcome, None, outcome.after)

    def _placed(
        self, state: Allocator, call: Allocate, reply: Done, outcome: Outcome[Allocator]
    ) -> Judgement:
        """Judge the start that the target chose."""
        start = -1 if reply.start is None else reply.start
        if outcome.granted is not None and start == outcome.granted.start:
            return Judgement(outcome, None, outcome.after)
        request = self._request(call)
        after = None
        if outcome.refusal in (spec.INVALID_SIZE, spec.INVALID_ALIGNMENT):
            broken = Property.VALIDITY
        elif state.fits(request, start):
            after = state.allocate_exact(request, start).after
            if call.pick is Pick.ANY:
                return Judgement(outcome, None, after)
            broken = Property.OPTIMALITY
        elif not is_aligned(start, request.align):
            broken = Property.ALIGNMENT
        elif not (
            inside(request.at(start), self.space.range)
            and inside(request.at(start), request.window)
        ):
            broken = Property.BOUNDS
        else:
            broken = Property.NO_OVERLAP
        return Judgement(outcome, self._broken(broken, call, outcome, reply), after)

    def _act(self, state: Allocator, call: Call) -> Step[Allocator]:
        if isinstance(call, Free):
            return state.free(call.start, call.size)
        request = self._request(call)
        if not isinstance(call, Allocate):
            return state.update(call.old_start, call.old_size, request, call.start)
        if call.start is not None:
            return state.allocate_exact(request, call.start)
        if call.pick is Pick.LAST:
            return state.allocate_last(request)
        return state.allocate_first(request)

    def _request(self, call: Call) -> Request:
        align = None if isinstance(call, Free) else call.align
        window = None if isinstance(call, Free) else call.within
        return Request(
            call.size,
            self.profile.default_alignment if align is None else align,
            self.space.range if window is None else window,
        )

    @staticmethod
    def _broken(
        broken: Property, call: Call, outcome: Outcome[Allocator], reply: Reply
    ) -> Violation:
        expected, wanted = expectation(call, outcome)
        return Violation(
            broken,
            call.kind,
            # One crash is one cause, whatever the right answer would have been.
            AN_ANSWER if isinstance(reply, Failed) else expected,
            _class_of(reply, outcome),
            f"{asked(call)} must be {wanted}; the target's answer: {answered(call, reply)}",
        )


def expectation(call: Call, outcome: Outcome[Allocator]) -> tuple[str, str]:
    """Return what the model did, without numbers and with them."""
    if outcome.refusal is not None:
        return f"refused: {outcome.refusal}", f"refused ({outcome.refusal})"
    if isinstance(call, Allocate) and outcome.granted is not None:
        if call.pick is Pick.ANY and call.start is None:
            return "granted", f"granted, for instance {shown(outcome.granted.start)}"
        return "granted", f"granted {shown(outcome.granted.start)}"
    return "granted", "done"


def live_ranges(state: Allocator) -> tuple[Range, ...]:
    """Return the live ranges of a state of the oracle, lowest first."""
    return tuple(state.live)  # type: ignore[arg-type]  # the oracle's sets are finite


def _class_of(reply: Reply, outcome: Outcome[Allocator]) -> str:
    """Return what the target did, without numbers."""
    if isinstance(reply, Refused):
        return f"refused: {reply.reason}"
    if isinstance(reply, Failed):
        return f"{reply.how.value}: {reply.name}"
    if isinstance(reply, Skipped):
        return "skipped"
    return "granted" if outcome.refusal is not None else "granted elsewhere"
