"""Findings: what was found, grouped by cause, each with the smallest trace that shows it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from .calls import Allocate, Failure, Free, Refused
from .judge import Property
from .shrinking import measure, shrunk
from .words import shown_range

if TYPE_CHECKING:
    from .calls import Space
    from .judge import Violation
    from .trial import Bench, Step, Trial

Key: TypeAlias = tuple[str, str, str, str]

_KEPT: Final = 3
"""Traces that are kept of one group: the shortest without a refused call, and with one."""

_MOST_GROUPS: Final = 200
"""Groups that one unit keeps: the report of a target that is wrong everywhere stays readable."""

_PLAYS: Final = {Failure.HANG.value: 12, Failure.CRASH.value: 300, Failure.GARBAGE.value: 300}
"""Plays for shrinking where each one costs a process, or a time limit as well."""


@dataclass(frozen=True)
class Finding:
    """One group: its key, and the smallest trace found for it."""

    key: Key
    broken: Property
    violation: Violation
    trial: Trial
    """Ends in the violation."""
    occurrences: int
    found_by: str
    """The part of the search that came upon it first."""
    after_calls: int
    """Calls that had been made by then."""
    shrunk: bool
    """Whether the trace was played again, and made small. If not, it did not happen again."""
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A name that stays the same as long as the cause does: what a baseline lists."""
        return hashlib.sha256("\0".join(self.key).encode()).hexdigest()[:12]

    @property
    def title(self) -> str:
        """The finding in a line."""
        _, operation, expected, actual = self.key
        return f"{operation}: expected {expected}, got {actual}"

    @property
    def space(self) -> Space:
        """The space of the trace."""
        return self.trial.space

    @property
    def steps(self) -> tuple[Step, ...]:
        """The calls of the trace, in order."""
        return self.trial.steps


@dataclass
class Group:
    """The violations of one key, as they come in: counted, and the shortest traces kept."""

    key: Key
    occurrences: int = 0
    found_by: str = ""
    after_calls: int = 0
    trials: list[Trial] = field(default_factory=list)

    def add(self, trial: Trial, position: int) -> None:
        """Count a violation that `position` calls of the trial lead to."""
        self.occurrences += 1
        kept = self.trials
        if len(kept) < 2 * _KEPT or position < len(kept[-1].steps):
            self.trials = _shortest([*kept, replace(trial, steps=trial.steps[:position])])


def _shortest(trials: list[Trial]) -> list[Trial]:
    trials.sort(key=lambda one: len(one.steps))
    calm = [one for one in trials if not _refusals(one)][:_KEPT]
    others = [one for one in trials if _refusals(one)][:_KEPT]
    return sorted([*calm, *others], key=lambda one: len(one.steps))


class Groups:
    """All groups of a search, in the order in which they were found."""

    def __init__(self) -> None:
        self.by_key: dict[Key, Group] = {}
        self.dropped = 0

    def add(self, trial: Trial, found_by: str, calls: int) -> None:
        """Add the violations of a trial, each key once."""
        for position, violation in trial.violations:
            group = self.by_key.get(violation.key)
            if group is None:
                if len(self.by_key) >= _MOST_GROUPS:
                    self.dropped += 1
                    continue
                group = Group(violation.key, found_by=found_by, after_calls=calls)
                self.by_key[violation.key] = group
            group.add(trial, position)

    def merge(self, other: Groups, calls_before: int) -> None:
        """Add the groups of a unit that was done after all those that are here."""
        self.dropped += other.dropped
        for key, group in other.by_key.items():
            mine = self.by_key.get(key)
            if mine is None:
                if len(self.by_key) >= _MOST_GROUPS:
                    self.dropped += group.occurrences
                    continue
                self.by_key[key] = replace(group, after_calls=calls_before + group.after_calls)
                continue
            mine.occurrences += group.occurrences
            mine.trials = _shortest([*mine.trials, *group.trials])


def found(bench: Bench, group: Group) -> list[Finding]:
    """Return what a group shows, each with its smallest trace.

    That is one finding, or two: a refused call that changes the state may break in the same
    way what something else breaks without any refusal.
    """
    actual = group.key[3].partition(":")[0]
    plays = _PLAYS.get(actual, 2_000)
    best: dict[bool, Trial] = {}
    for trial in group.trials:
        small = None
        if _refusals(trial):
            calm = _without_refusals(bench, trial)
            small = shrunk(bench, calm, group.key, plays, calm=True)
        if small is None:
            small = shrunk(bench, trial, group.key, plays)
        if small is None:
            continue
        guilty = _refusals(small) and _without_refusals(bench, small).first(group.key) is None
        if guilty not in best or measure(small) < measure(best[guilty]):
            best[guilty] = small
        if actual == Failure.HANG.value:
            break
    if not best:
        note = "played again, this did not happen: the trace is as it was found"
        return [as_found(group, note)]
    return [_shown(bench, group, best[guilty], guilty=guilty) for guilty in sorted(best)]


def _shown(bench: Bench, group: Group, trial: Trial, *, guilty: bool) -> Finding:
    """Return the finding that a small trace shows. `guilty`: a call that was refused."""
    told = as_found(replace(group, trials=[trial]))
    broken = told.broken
    notes: list[str] = []
    if guilty:
        broken = Property.ATOMICITY
        notes.append(
            "without the call that was refused this does not happen: "
            "the refused call changed the state"
        )
    notes += _aftermath(bench, trial)
    key = (broken.value, *group.key[1:])
    return replace(told, key=key, broken=broken, shrunk=True, notes=tuple(notes))


def as_found(group: Group, *notes: str) -> Finding:
    """Return the finding of a group whose trace cannot be made small."""
    trial = group.trials[0]
    position, violation = next(v for v in trial.violations if v[1].key == group.key)
    return Finding(
        key=group.key,
        broken=violation.broken,
        violation=violation,
        trial=replace(trial, steps=trial.steps[:position]),
        occurrences=group.occurrences,
        found_by=group.found_by,
        after_calls=group.after_calls,
        shrunk=False,
        notes=notes,
    )


def _refusals(trial: Trial) -> bool:
    """Whether a call before the last one was refused."""
    return any(isinstance(step.answer.reply, Refused) for step in trial.steps[:-1])


def _without_refusals(bench: Bench, trial: Trial) -> Trial:
    """Play the trial without the calls before the last one that were refused."""
    calls = [
        step.call
        for step in trial.steps
        if step is trial.steps[-1] or not isinstance(step.answer.reply, Refused)
    ]
    return bench.try_calls(trial.space, calls)


def _aftermath(bench: Bench, trial: Trial) -> list[str]:
    """Tell whether a range that could not be freed is lost for good."""
    if not trial.steps:
        return []
    last = trial.steps[-1]
    call = last.call
    if not isinstance(call, Free) or not isinstance(last.answer.reply, Refused):
        return []
    calls = [*(step.call for step in trial.steps), call]
    if "exact" in bench.profile.policies:
        calls.append(Allocate(call.size, call.start))
    after = bench.try_calls(trial.space, calls).steps[len(trial.steps) :]
    if after and all(isinstance(step.answer.reply, Refused) for step in after):
        lost = shown_range(last.before[0]) if len(last.before) == 1 else "it"
        return [f"{lost} is lost: it can neither be freed again nor allocated again"]
    return []
