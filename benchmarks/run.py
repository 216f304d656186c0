"""One run: every subject in every scenario at every size, taking turns, slice by slice."""

from __future__ import annotations

import statistics
import sys
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .processes import BUILD, Kind, Process, WorkerDiedError, running
from .workloads import SCENARIOS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = dict[str, Any]

CHECKED: Final = 8  # operations of the slice whose grants are compared
MOST: Final = 1 << 16  # operations in one slice


@dataclass(frozen=True)
class Plan:
    """What to run, and how long."""

    sizes: Sequence[int]
    scenarios: Sequence[str]
    rounds: int
    slice_ns: int
    warm_ns: int  # of slices that are not counted, so that what is lazy has settled
    load_ns: int  # the most that bringing a subject into its state may take
    operation_ns: int  # the most that one operation may take, a pass of iteration too
    memory_sizes: Sequence[int] = ()
    worst_size: int = 0


@dataclass
class Seat:
    """A subject at the table: its process, and how many operations make a slice."""

    name: str
    process: Process
    scenarios: Sequence[str]
    count: int = 1
    granted: int = 0  # the sum of the starts in a slice that all subjects run
    times: list[float] = field(default_factory=list)


class Run:
    """Carries out a plan with workers of several kinds."""

    def __init__(self, plan: Plan, kinds: Sequence[Kind]) -> None:
        self._plan = plan
        self._kinds = kinds
        self._gave_up: dict[tuple[str, str], str] = {}
        self.rows: list[Row] = []
        self.by: dict[str, str] = {}

    def results(self) -> list[Row]:
        """Run everything; return a row for each subject, scenario and size."""
        for state in dict.fromkeys(SCENARIOS[scenario] for scenario in self._plan.scenarios):
            for size in sorted(self._plan.sizes):
                self._in_state(state, size)
        return self.rows

    def memory(self) -> list[Row]:
        """Return the bytes that each subject holds per live range."""
        rows = []
        for state in ("mixed", "dense-ids", "id-blocks"):
            for size in self._plan.memory_sizes:
                for kind, subject, scenarios in self._subjects():
                    named = kind.named(subject)
                    if state not in {SCENARIOS[scenario] for scenario in scenarios}:
                        continue
                    measured = [
                        row
                        for row in self.rows
                        if (row["subject"], row["size"]) == (named, size)
                        and SCENARIOS[row["scenario"]] == state
                        and "ns" in row
                    ]
                    if not measured:
                        continue
                    with running(kind.memory_command or kind.command) as process:
                        path = str(state_file(state, size))
                        held = process.ask("memory", subject=subject, state=path)
                    rows.append(
                        {
                            "state": state,
                            "size": size,
                            "subject": named,
                            "bytes": held["bytes"] / held["ranges"],
                        }
                    )
        return rows

    def worst(self, subjects: Sequence[str]) -> list[Row]:
        """Return the slowest single operation of our own subjects, by adversary."""
        rows = []
        for kind, subject, _ in self._subjects():
            if subject not in subjects or not self._plan.worst_size:
                continue
            _say(f"worst single operation of {kind.named(subject)}")
            with running(kind.command) as process:
                found = process.ask("worst", subject=subject, size=self._plan.worst_size)
            rows += [
                {"subject": kind.named(subject), "size": self._plan.worst_size, "case": case, **row}
                for case, row in found.items()
            ]
        return rows

    def _subjects(self) -> list[tuple[Kind, str, list[str]]]:
        found = []
        for kind in self._kinds:
            with running(kind.command) as process:
                hello = process.ask("hello")
            for subject, scenarios in hello["subjects"].items():
                # Of another build, our own subjects alone: its rivals are the same.
                if not kind.label or kind.memory_command or _is_ours(subject):
                    found.append((kind, subject, scenarios))
                    self.by[kind.named(subject)] = hello["by"]
        return found

    def _in_state(self, state: str, size: int) -> None:
        wanted = [name for name in self._plan.scenarios if SCENARIOS[name] == state]
        path = str(state_file(state, size))
        with ExitStack() as stack:
            seats = []
            for kind, subject, scenarios in self._subjects():
                named, offered = kind.named(subject), [name for name in wanted if name in scenarios]
                if not offered:
                    continue
                if reason := self._gave_up.get((named, state)):
                    self._not_run(named, offered, size, reason)
                    continue
                process = stack.enter_context(running(kind.command))
                loaded = self._load(process, subject, path)
                if loaded is not None:
                    self._gave_up[named, state] = loaded
                    self._not_run(named, offered, size, loaded)
                    process.end()
                    continue
                seats.append(Seat(named, process, offered))
            for scenario in wanted:
                self._scenario(scenario, size, [s for s in seats if scenario in s.scenarios])

    def _load(self, process: Process, subject: str, path: str) -> str | None:
        """Bring the subject into the state; return why it did not get there, if so."""
        try:
            answer = process.ask("load", subject=subject, state=path, limit_ns=self._plan.load_ns)
        except WorkerDiedError as error:
            return str(error)
        if answer["complete"]:
            return None
        seconds = self._plan.load_ns / 1e9
        return f"after {seconds:g} s, {answer['loaded']} ranges were in place"

    def _scenario(self, scenario: str, size: int, seats: Sequence[Seat]) -> None:
        _say(f"{scenario} at {size}: {', '.join(seat.name for seat in seats)}")
        running_seats = []
        for seat in seats:
            reason = self._gave_up.get((seat.name, scenario)) or self._calibrate(seat, scenario)
            if reason:
                self._gave_up[seat.name, scenario] = reason
                self._not_run(seat.name, [scenario], size, reason)
            else:
                running_seats.append(seat)
        for round_ in range(self._plan.rounds):
            # Whoever comes after a slow one finds cold caches: so all take turns at that, too.
            turn = round_ % max(1, len(running_seats))
            for seat in (*running_seats[turn:], *running_seats[:turn]):
                try:
                    answer = seat.process.ask(
                        "slice", scenario=scenario, count=seat.count, seed=100 + round_
                    )
                except WorkerDiedError as error:
                    self._not_run(seat.name, [scenario], size, str(error))
                    running_seats.remove(seat)
                else:
                    seat.times.append(answer["ns"] / answer["operations"])
        self.rows += [
            {
                "scenario": scenario,
                "size": size,
                "subject": seat.name,
                "ns": statistics.median(seat.times),
                "slices": seat.times,
                "count": seat.count,
                "sum": seat.granted,
            }
            for seat in running_seats
        ]

    def _calibrate(self, seat: Seat, scenario: str) -> str | None:
        """Choose the operations per slice; return why the subject is too slow, if it is."""
        seat.count, seat.times = 1, []
        try:
            # The first operation pays for the search after the load; it is in the worst cases.
            first = seat.process.ask("slice", scenario=scenario, count=1, seed=1)
            if first["ns"] > self._plan.operation_ns:
                again = seat.process.ask("slice", scenario=scenario, count=1, seed=2)
                if again["ns"] > self._plan.operation_ns:
                    return f"one operation takes {again['ns'] / 1e9:.2g} s"
            checked = seat.process.ask("slice", scenario=scenario, count=CHECKED, seed=3)
            timed = checked
            seat.count = CHECKED
            while timed["ns"] < self._plan.slice_ns / 2 and seat.count < MOST:
                seat.count *= 2
                timed = seat.process.ask("slice", scenario=scenario, count=seat.count, seed=4)
        except WorkerDiedError as error:
            return str(error)
        if timed["ns"] > 2 * self._plan.slice_ns:
            share = 2 * self._plan.slice_ns / timed["ns"]
            seat.count = max(1, int(seat.count * share))
        seat.granted = checked["sum"]
        return self._warm_up(seat, scenario)

    def _warm_up(self, seat: Seat, scenario: str) -> str | None:
        """Run slices that do not count, which the first ones after a load should not."""
        left, seed = self._plan.warm_ns, 1000
        while left > 0:
            try:
                timed = seat.process.ask("slice", scenario=scenario, count=seat.count, seed=seed)
            except WorkerDiedError as error:
                return str(error)
            left, seed = left - max(1, timed["ns"]), seed + 1
        return None

    def _not_run(self, name: str, scenarios: Sequence[str], size: int, reason: str) -> None:
        for scenario in scenarios:
            self.rows.append(
                {"scenario": scenario, "size": size, "subject": name, "not_run": reason}
            )


def state_file(state: str, size: int) -> Path:
    """Return the file of a state, made if it is not there."""
    path = BUILD / "states" / f"{state}-{size}.bin"
    if not path.exists():
        _say(f"making the state {state} of {size} ranges")
        numbers = array("Q", (number for pair in STATES[state](size) for number in pair))
        if sys.byteorder != "little":
            numbers.byteswap()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(numbers.tobytes())
        partial.rename(path)
    return path


def _is_ours(subject: str) -> bool:
    return subject in OURS


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


OURS: Final = {
    "GapTree", "SortedGaps", "ids by GapTree", "ids by SortedGaps", "ids by IdBitmap",
}  # fmt: skip
"""The subjects of this package, as their build is what a label names."""
