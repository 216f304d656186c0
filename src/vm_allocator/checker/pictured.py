"""A finding as a picture in steps: plain data that a page draws without knowing what it means."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from spec.model import overlaps
from vm_allocator.modelling import Range

from .calls import Allocate, Batch, Done, Failed, Free, Update
from .judge import Property
from .scale import scale_of
from .smaller import parts
from .text import cut_text
from .wide import CommitMove, Wide
from .words import POLICIES, answered, asked, shown, shown_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .calls import Call, Plain
    from .findings import Finding
    from .scale import Scale
    from .trial import Step

_TOUCHED: Final = {
    Property.NO_OVERLAP,
    Property.EXACT_FREE,
    Property.CONSERVATION,
    Property.ATOMICITY,
}
"""Properties that are about a range and those that were there before it."""


@dataclass(frozen=True)
class Limits:
    """How much of a finding is pictured."""

    steps: int
    text: int
    """Characters of one text."""
    live: int
    """Ranges: those that are part of the error first, then the youngest."""


def parameters_of(call: Call) -> list[tuple[str, str]]:
    """Return what a call was given, by name, as text."""
    if isinstance(call, Wide):
        return [(what, shown_range(one)) for what, one in call.places()]
    if isinstance(call, Batch):
        return [(f"call {at}", asked(one)) for at, one in enumerate(call.calls, start=1)]
    found: list[tuple[str, str]] = []
    if isinstance(call, Update):
        found += [("old start", shown(call.old_start)), ("old size", shown(call.old_size))]
    if call.start is not None:
        found.append(("start", shown(call.start)))
    found.append(("size", shown(call.size)))
    if isinstance(call, Allocate) and call.start is None:
        found.append(("policy", f"{POLICIES[call.pick]}: {call.pick.meaning}"))
    if not isinstance(call, Free):
        if call.align is not None:
            found.append(("align", shown(call.align)))
        if call.within is not None:
            found.append(("within", shown_range(call.within)))
    return found


def places_of(call: Call) -> list[tuple[str, Range]]:
    """Return the ranges that a call names, each with what it is: old, asked or window."""
    if isinstance(call, Batch):
        return [place for one in call.calls for place in places_of(one)]
    if isinstance(call, Wide):
        return [("old" if what == "pending" else what, one) for what, one in call.places()]
    found: list[tuple[str, Range]] = []
    if isinstance(call, Update):
        found.append(("old", _sized(call.old_start, call.old_size)))
    if call.start is not None:
        found.append(("asked", _sized(call.start, call.size)))
    if not isinstance(call, Free) and call.within is not None:
        found.append(("window", call.within))
    return found


def pictured(finding: Finding, wrong: Mapping[int, Wrong], limits: Limits) -> dict[str, Any]:
    """Return the trace of a finding for the page; `wrong` is what `wrong_calls` says of it.

    - `skipped`: calls that were left out at the beginning; `more_live`: ranges left out.
    - `edges` (texts), `widths`, `cut`: the scale; ranges below are pairs of numbers of edges.
    - `ranges`: what was ever live, as [from, to, born, gone]: live after call `born` (0: from
      the beginning) and no more after call `gone` (-1: to the end), calls counted from 1.
    - `steps`: per call `call`, `kind`, `parameters`, `expected`, `actual`, `marks` as
      [from, to, what, whether it is guilty]; where a property is broken `broken`, `sentence`,
      `words`, `guilty` (numbers of ranges), and what is live then, as changes of what was live
      before: `got` (of the target, as far as it can be known; null if it gave no answer) and
      `wanted` (of the model), each with `gone` (numbers of ranges) and `more` ([from, to,
      whether it is guilty]).
    """
    skipped = max(0, len(finding.steps) - limits.steps)
    steps = finding.steps[skipped:]
    broken = {number - skipped: one for number, one in wrong.items() if number > skipped}
    guilty = {one for found in broken.values() for one in found.guilty}
    every_life = _lives(steps)
    lives = sorted(every_life, key=lambda life: (life.range not in guilty, -life.born))
    lives = sorted(lives[: limits.live], key=lambda life: (life.born, life.range, life.gone))
    scale = scale_of(
        [
            finding.space.range,
            *(life.range for life in lives),
            *(place for step in steps for _, place in places_of(step.call)),
            *(place for step in steps for place in step.reserved),
            *(place for one in broken.values() for place in (*one.more_got, *one.more_wanted)),
        ]
    )
    return {
        "skipped": skipped,
        "more_live": len(every_life) - len(lives),
        "edges": [cut_text(shown(edge), limits.text) for edge in scale.edges],
        "widths": list(scale.widths),
        "cut": [number for number, cut in enumerate(scale.cut) if cut],
        "space": _place(scale, finding.space.range),
        "ranges": [[*_place(scale, life.range), life.born, life.gone] for life in lives],
        "steps": [
            _step(scale, limits, step, broken.get(number), lives)
            for number, step in enumerate(steps, start=1)
        ],
    }


# ---- what was live, and for how long


@dataclass(frozen=True)
class Life:
    """A range, the call that made it live (0: one before the first) and the one that ended it."""

    range: Range
    born: int
    gone: int = -1


def _lives(steps: Sequence[Step]) -> list[Life]:
    found: list[Life] = []
    now: dict[Range, int] = {}
    for number, step in enumerate(steps, start=1):
        if number == 1:
            now = dict.fromkeys(step.before, 0)
        if step.after is None:
            break
        after = set(step.after)
        gone = [one for one in now if one not in after]
        found += [Life(one, now.pop(one), number) for one in gone]
        for one in step.after:
            now.setdefault(one, number)
    found += [Life(one, born) for one, born in now.items()]
    return found


# ---- the step that is wrong


@dataclass(frozen=True)
class Wrong:
    """A call that broke a property, and what is live after it."""

    broken: Property
    got: tuple[Range, ...]
    """What the target has now, as far as one can know it."""
    wanted: tuple[Range, ...]
    before: tuple[Range, ...]
    guilty: frozenset[Range]

    @property
    def more_got(self) -> list[Range]:
        """What the target has, and was not there before."""
        return sorted((Counter(self.got) - Counter(self.before)).elements())

    @property
    def more_wanted(self) -> list[Range]:
        """What the model has, and was not there before."""
        return sorted((Counter(self.wanted) - Counter(self.before)).elements())


def wrong_calls(finding: Finding) -> dict[int, Wrong]:
    """Return what is wrong with each call that broke a property; calls are counted from 1."""
    found = {
        number: _wrong(step, step.violation.broken)
        for number, step in enumerate(finding.steps, start=1)
        if step.violation is not None
    }
    last = len(finding.steps)
    if last in found:  # what is broken follows from the whole trace
        found[last] = replace(found[last], broken=finding.broken)
    return found


def _wrong(step: Step, broken: Property) -> Wrong:
    wanted = step.wanted
    moved = _moved_to(step)
    got = step.before if moved is None else moved
    if step.answer.live is not None:
        got = step.answer.live
    places = set(got) ^ set(wanted)
    if not places:  # a wrong reason, a crash: the call itself is what is to be seen
        places = {place for what, place in places_of(step.call) if what != "window"}
    news = [one for one in places if one not in step.before] or list(places)
    if broken in _TOUCHED:
        places |= {old for old in step.before for new in news if overlaps(old, new)}
    return Wrong(broken, got, wanted, step.before, frozenset(places))


def _moved_to(step: Step) -> tuple[Range, ...] | None:
    """Return what is live if the target did what it says; `None` if it changed nothing."""
    call, reply = step.call, step.answer.reply
    if not isinstance(reply, Done):
        return None
    if isinstance(call, CommitMove):
        return step.wanted  # where to, only the model knows
    if isinstance(call, Wide):
        return call.moved(step.before)
    pairs = parts(call, reply) if isinstance(call, Batch) else [(call, reply)]
    now = step.before
    for one, done in pairs:
        now = _moved(now, one, done.start)
    return now


def _moved(before: tuple[Range, ...], call: Plain, granted: int | None) -> tuple[Range, ...]:
    if isinstance(call, Allocate):
        start = call.start if granted is None else granted
        return before if start is None else (*before, _sized(start, call.size))
    gone = (
        _sized(call.old_start, call.old_size)
        if isinstance(call, Update)
        else _sized(call.start, call.size)
    )
    left = tuple(one for one in before if one != gone)
    return (*left, _sized(call.start, call.size)) if isinstance(call, Update) else left


# ---- into plain data


def _step(
    scale: Scale, limits: Limits, step: Step, broken: Wrong | None, lives: list[Life]
) -> dict[str, Any]:
    call = step.call
    found: dict[str, Any] = {
        "call": cut_text(asked(call), limits.text),
        "kind": call.kind,
        "parameters": [[name, cut_text(text, limits.text)] for name, text in parameters_of(call)],
        "expected": cut_text(step.expected, limits.text),
        "actual": cut_text(answered(call, step.answer.reply), limits.text),
        "marks": [
            [*place, what, broken is not None and what == "asked" and one in broken.guilty]
            for what, one in [*places_of(call), *(("reserved", one) for one in step.reserved)]
            for place in [scale.place(one)]
            if place is not None
        ],
    }
    if broken is not None and step.violation is not None:
        found |= {
            "broken": broken.broken.value,
            "sentence": broken.broken.sentence,
            "words": cut_text(step.violation.words, 2 * limits.text),
            "guilty": [n for n, life in enumerate(lives) if life.range in broken.guilty],
            "got": None
            if isinstance(step.answer.reply, Failed)
            else _change(scale, limits, lives, broken, broken.got),
            "wanted": _change(scale, limits, lives, broken, broken.wanted),
        }
    return found


def _change(
    scale: Scale, limits: Limits, lives: list[Life], broken: Wrong, now: Sequence[Range]
) -> dict[str, Any]:
    more = broken.more_got if now is broken.got else broken.more_wanted
    placed = [(scale.place(one), one) for one in more[: limits.live]]
    return {
        "gone": [n for n, life in enumerate(lives) if life.range not in now],
        "more": [
            [*place, now is broken.got and one in broken.guilty]
            for place, one in placed
            if place is not None
        ],
    }


def _place(scale: Scale, one: Range) -> tuple[int, int]:
    place = scale.place(one)
    return (0, 0) if place is None else place


def _sized(start: int, size: int) -> Range:
    return Range(start, start + size - 1)
