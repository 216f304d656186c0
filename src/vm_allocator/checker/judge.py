"""The verdict on one reply: does it agree with the model, and if not, which property is broken.

What a target *should* do is asked of the specification, and of nothing else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from spec import model as spec
from spec.devices import DEVICE_EXISTS, NOT_HELD, UNKNOWN_DEVICE
from spec.model import inside, overlaps
from spec.moves import MOVE_ENDED, MOVE_PENDING
from vm_allocator.modelling import Range, is_aligned

from .calls import Allocate, Batch, Done, Failed, Failure, Free, Pick, Refused, Skipped, Update
from .device_calls import DeviceCall, Unregister
from .state import Expected, Oracle, State, live_ranges
from .wide import EndMove, Reload, Wide
from .words import answered, asked, shown, shown_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .calls import Call, Reply, Space
    from .profile import Profile

__all__ = ["Judge", "Judgement", "Property", "Violation", "live_ranges"]

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
    TWO_PHASE = "two-phase"
    ROUND_TRIP = "round trip"
    VALIDITY = "validity"
    REASON = "truthful refusal"
    NO_CRASH = "no crash"
    NO_HANG = "no hang"
    PROTOCOL = "protocol"

    @property
    def sentence(self) -> str:
        """The property in words."""
        return _SENTENCES[self]

    @property
    def name_of_test(self) -> str:
        """The name of a test of it."""
        return f"test_{self.value.replace(' ', '_').replace('-', '_')}"


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
    Property.TWO_PHASE: "while a move is pending, neither of its ranges is live or handed out",
    Property.ROUND_TRIP: "what is restored of what was saved is the same state",
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
    spec.INVALID_RANGE: Property.VALIDITY,
    MOVE_PENDING: Property.TWO_PHASE,
    MOVE_ENDED: Property.TWO_PHASE,
    DEVICE_EXISTS: Property.CONSERVATION,
    UNKNOWN_DEVICE: Property.EXACT_FREE,
    NOT_HELD: Property.EXACT_FREE,
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

    outcome: Expected
    violation: Violation | None
    after: State | None
    """The state to go on with; `None` where nobody can know it."""


class Judge:
    """The oracle of one space, asked about calls and replies.

    Small states are remembered: in a tiny space the same questions come back all the time.
    """

    def __init__(self, profile: Profile, space: Space) -> None:
        self.profile = profile
        self.space = space
        self._oracle = Oracle(profile, space)
        self.initial = self._oracle.initial
        self._remembered: dict[tuple[tuple[object, ...], Call], Expected] = {}

    def expect(self, state: State, call: Call) -> Expected:
        """Return what the model does in that state. For `Pick.ANY`, one of the right answers."""
        known = state.key
        if len(known[0]) > _MOST_LIVE_REMEMBERED:
            return self._oracle.does(state, call)
        key = (known, call)
        found = self._remembered.get(key)
        if found is None:
            found = self._oracle.does(state, call)
            if len(self._remembered) < _MOST_REMEMBERED:
                self._remembered[key] = found
        return found

    def judge(
        self,
        state: State,
        call: Call,
        reply: Reply,
        live: tuple[Range, ...] | None = None,
        devices: Mapping[str, tuple[Range, ...]] | None = None,
    ) -> Judgement:
        """Compare a reply with the model, and with it what the target lists, if it does."""
        outcome = self.expect(state, call)
        judged = self._judge(state, call, reply, outcome)
        if live is None or judged.after is None or judged.violation is not None:
            return judged
        wanted = live_ranges(judged.after)
        if live == wanted and (devices is None or _in_order(devices) == judged.after.devices):
            return judged
        must_hold = judged.after.devices
        refused = isinstance(reply, Refused)
        broken = Property.ATOMICITY if refused else Property.CONSERVATION
        held = judged.after.moving.reserved()
        if held and all(any(overlaps(x, y) for y in held) for x in set(live) ^ set(wanted)):
            broken = Property.TWO_PHASE
        if isinstance(call, Reload):
            broken = Property.ROUND_TRIP
        what = "other live ranges"
        words = f"the live ranges must be {shown_ranges(wanted)}, and are {shown_ranges(live)}"
        if live == wanted:
            what = "other ranges of devices"
            words = f"devices must hold {_shown(must_hold)}; they hold {_shown(devices or {})}"
        violation = Violation(
            broken,
            call.kind,
            "refused" if refused else "granted",
            what,
            f"after {asked(call)} {words}",
        )
        return Judgement(outcome, violation, None)

    @staticmethod
    def words(call: Call, outcome: Expected) -> str:
        """Return what the model did, for people."""
        return expectation(call, outcome)[1]

    def _judge(  # noqa: PLR0911  # one verdict per case, told in their order
        self, state: State, call: Call, reply: Reply, outcome: Expected
    ) -> Judgement:
        if isinstance(reply, Skipped):
            return Judgement(outcome, None, state)
        if isinstance(reply, Failed):
            broken = BROKEN_BY_FAILING[reply.how]
            return Judgement(outcome, self._broken(broken, call, outcome, reply), None)
        if isinstance(reply, Refused):
            return self._refused(state, call, reply, outcome)
        if isinstance(call, Batch):
            return self._batch(state, call, reply, outcome)
        if isinstance(call, DeviceCall):
            return self._device(state, call, reply, outcome)
        if isinstance(call, Allocate) and call.start is None:
            return self._placed(state, call, reply, outcome)
        if outcome.refusal is not None:
            broken = self._broken_by_granting(state, call, outcome.refusal)
            # Freeing what is not live may change nothing: go on, and see what it does.
            after = state if isinstance(call, Free) else None
            return Judgement(outcome, self._broken(broken, call, outcome, reply), after)
        if isinstance(call, Allocate) and reply.start != call.start:
            violation = self._broken(Property.OPTIMALITY, call, outcome, reply)
            return Judgement(outcome, violation, None)
        return Judgement(outcome, None, outcome.after)

    def _refused(self, state: State, call: Call, reply: Refused, outcome: Expected) -> Judgement:
        """Judge a refusal: the target says that nothing has changed. Later calls will tell."""
        if outcome.refusal is None:
            violation = self._broken(_broken_by_refusing(call, reply), call, outcome, reply)
            return Judgement(outcome, violation, state)
        elsewhere = reply.at is not None and reply.at != outcome.at
        if elsewhere or (self.profile.reasons and reply.reason != outcome.refusal):
            violation = self._broken(Property.REASON, call, outcome, reply)
            return Judgement(outcome, violation, state)
        return Judgement(outcome, None, state)

    @staticmethod
    def _broken_by_granting(state: State, call: Call, refusal: str) -> Property:
        """Return what is broken by a grant where the model refuses for that reason."""
        if refusal != spec.OVERLAP:
            return _BROKEN_BY_GRANTING[refusal]
        wanted = call.asked() if isinstance(call, Wide) else _asked(call)
        return _met(state, wanted)

    def _batch(self, state: State, batch: Batch, reply: Done, outcome: Expected) -> Judgement:
        """Judge a batch that was done: each of its calls, by where the target says it is."""
        after: State | None = state
        starts = reply.starts or ()
        if len(starts) != len(batch.calls):
            said = f"{asked(batch)} needs {len(batch.calls)} replies; there are {len(starts)}"
            broken = Violation(Property.PROTOCOL, batch.kind, AN_ANSWER, "another number", said)
            return Judgement(outcome, broken, None)
        for call, start in zip(batch.calls, starts, strict=True):
            if after is None:
                break
            one = self._judge(after, call, Done(start), self.expect(after, call))
            if one.violation is not None:
                violation = self._broken(one.violation.broken, batch, outcome, reply)
                return Judgement(outcome, violation, None)
            after = one.after
        return Judgement(outcome, None, after)

    def _device(self, state: State, call: DeviceCall, reply: Done, outcome: Expected) -> Judgement:
        """Judge what was done with a device, by where the target says its new ranges are."""
        starts = reply.starts or ()
        if len(starts) != len(call.needs) or None in starts:
            said = f"{asked(call)} needs {len(call.needs)} starts; the reply is {reply.starts}"
            broken = Violation(Property.PROTOCOL, call.kind, AN_ANSWER, "another number", said)
            return Judgement(outcome, broken, None)
        if outcome.refusal is None and (not call.needs or starts == outcome.starts):
            return Judgement(outcome, None, outcome.after)
        # The needs at the places that the target chose: would that be granted?
        there = self.expect(state, call.placed(starts))
        if there.refusal is not None:
            wrong = _BROKEN_BY_GRANTING[there.refusal]
            return Judgement(outcome, self._broken(wrong, call, outcome, reply), None)
        exact = all(need.start in (None, at) for need, at in zip(call.needs, starts, strict=True))
        if exact and Pick.ANY in self.profile.picks:
            return Judgement(outcome, None, there.after)
        violation = self._broken(Property.OPTIMALITY, call, outcome, reply)
        return Judgement(outcome, violation, there.after)

    def _placed(self, state: State, call: Allocate, reply: Done, outcome: Expected) -> Judgement:
        """Judge the start that the target chose."""
        start = -1 if reply.start is None else reply.start
        if outcome.granted is not None and start == outcome.granted.start:
            return Judgement(outcome, None, outcome.after)
        request = self._oracle.request(call)
        model, after = state.moving.allocator, None
        if outcome.refusal in (spec.INVALID_SIZE, spec.INVALID_ALIGNMENT):
            broken = Property.VALIDITY
        elif model.fits(request, start):
            after = self.expect(state, replace(call, start=start)).after
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
            broken = _met(state, [request.at(start)])
        return Judgement(outcome, self._broken(broken, call, outcome, reply), after)

    @staticmethod
    def _broken(broken: Property, call: Call, outcome: Expected, reply: Reply) -> Violation:
        expected, wanted = expectation(call, outcome)
        return Violation(
            broken,
            call.kind,
            # One crash is one cause, whatever the right answer would have been.
            AN_ANSWER if isinstance(reply, Failed) else expected,
            _class_of(reply, outcome),
            f"{asked(call)} must be {wanted}; the target's answer: {answered(call, reply)}",
        )


def expectation(call: Call, outcome: Expected) -> tuple[str, str]:
    """Return what the model did, without numbers and with them."""
    if outcome.refusal is not None:
        at = "" if outcome.at is None else f", call {outcome.at + 1}"
        return f"refused: {outcome.refusal}", f"refused ({outcome.refusal}{at})"
    if isinstance(call, Allocate) and outcome.granted is not None:
        if call.pick is Pick.ANY and call.start is None:
            return "granted", f"granted, for instance {shown(outcome.granted.start)}"
        return "granted", f"granted {shown(outcome.granted.start)}"
    if outcome.starts is not None:
        return "granted", answered(call, Done(starts=outcome.starts))
    return "granted", "done"


def _asked(call: Call) -> list[Range]:
    if isinstance(call, (Allocate, Update)) and call.start is not None:
        return [Range(call.start, call.start + call.size - 1)]
    return []


def _met(state: State, wanted: Sequence[Range]) -> Property:
    """Return what is broken by handing out what is not free: it is live, or a move has it."""
    live, held = live_ranges(state), state.moving.reserved()
    if any(overlaps(one, r) for one in wanted for r in held) and not any(
        overlaps(one, r) for one in wanted for r in live
    ):
        return Property.TWO_PHASE
    return Property.NO_OVERLAP


def _broken_by_refusing(call: Call, reply: Refused) -> Property:
    """Return what is broken by a refusal where the model grants."""
    if isinstance(call, Batch) and reply.at is not None and reply.at < len(call.calls):
        return _broken_by_refusing(call.calls[reply.at], reply)
    if isinstance(call, (EndMove, Reload)):
        return Property.TWO_PHASE if isinstance(call, EndMove) else Property.ROUND_TRIP
    freed = isinstance(call, (Free, Unregister))
    return Property.EXACT_FREE if freed else Property.COMPLETENESS


def _in_order(devices: Mapping[str, tuple[Range, ...]]) -> dict[str, tuple[Range, ...]]:
    return {device: tuple(sorted(held)) for device, held in devices.items()}


def _shown(devices: Mapping[str, tuple[Range, ...]]) -> str:
    return "; ".join(f"{name}: {shown_ranges(held)}" for name, held in devices.items()) or "nothing"


def _class_of(reply: Reply, outcome: Expected) -> str:
    """Return what the target did, without numbers."""
    if isinstance(reply, Refused):
        return f"refused: {reply.reason}"
    if isinstance(reply, Failed):
        return f"{reply.how.value}: {reply.name}"
    if isinstance(reply, Skipped):
        return "skipped"
    return "granted" if outcome.refusal is not None else "granted elsewhere"
