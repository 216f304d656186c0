"""One run: every subject in every scenario at every size, taking turns, slice by slice."""

from __future__ import annotations

import os
import statistics
import sys
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import workloads
from .processes import BUILD, Kind, Process, WorkerDiedError, running
from .subjects import OURS
from .workloads import SCENARIOS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]

CHECKED: Final = 8  # operations of the slice whose grants are compared
MOST: Final = 1 << 16  # operations in one slice
USED: Final = 100  # operations before memory is measured
MEMORY_AFTER: Final = {"mixed": "churn", "dense-ids": "smallest-id", "id-blocks": "id-blocks"}
"""The states in which memory is measured, and the operations that come first."""


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
    subjects: Sequence[str] = ()  # these alone, by the names in the results; all, if none


@dataclass
class Seat:
    """A subject at the table: its process, and how many operations make a slice."""

    name: str
    subject: str  # its name in the process
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
        self.notes: list[str] = []
        self._subjects = [found for kind in kinds for found in self._hello(kind)]

    def results(self) -> list[Row]:
        """Run everything; return a row for each subject, scenario and size."""
        for state in dict.fromkeys(SCENARIOS[scenario] for scenario in self._plan.scenarios):
            for size in sorted(self._plan.sizes):
                self._in_state(state, size)
        return self.rows

    def memory(self) -> list[Row]:
        """Return the bytes that each subject holds per live range."""
        rows = []
        for state, scenario in MEMORY_AFTER.items():
            for size in self._plan.memory_sizes:
                timed = {
                    row["subject"]
                    for row in self.rows
                    if (row["scenario"], row["size"]) == (scenario, size) and "ns" in row
                }
                if not timed:
                    continue
                _say(f"memory in the state {state} at {size}")
                # Who has no such state, or did not get there in time, is left out.
                asked = [
                    (kind, subject)
                    for kind, subject, _ in self._subjects
                    if kind.named(subject) in timed
                ]
                question = {
                    "state": str(state_file(state, size)), "scenario": scenario, "count": USED
                }  # fmt: skip
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    held = list(pool.map(partial(_memory_of, question), asked))
                rows += [
                    {"state": state, "size": size, "subject": kind.named(subject), "bytes": bytes_}
                    for (kind, subject), bytes_ in zip(asked, held, strict=True)
                ]
        return rows

    def worst(self, subjects: Sequence[str]) -> list[Row]:
        """Return the slowest single operation of our own subjects, by adversary."""
        rows = []
        for kind, subject, _ in self._subjects:
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

    def _hello(self, kind: Kind) -> list[tuple[Kind, str, list[str]]]:
        with running(kind.command) as process:
            hello = process.ask("hello")
        subjects = list(hello["subjects"].items())
        if kind.label and not kind.memory_command:
            # Of another build, our own subjects alone: its rivals are the same.
            subjects = [(name, scenarios) for name, scenarios in subjects if name in OURS]
        else:
            self.notes += [f"{name} is not installed" for name in hello["missing"]]
        if not kind.memory_command:
            build = "compiled" if hello["compiled"] else "pure Python"
            which = (
                f"subjects named '{kind.label}'" if kind.label else "our subjects without a name"
            )
            self.notes.append(f"{which}: vm_allocator as {build}, {hello['by']}")
        asked = self._plan.subjects
        return [
            (kind, name, scenarios)
            for name, scenarios in subjects
            if not asked or kind.named(name) in asked
        ]

    def _in_state(self, state: str, size: int) -> None:
        wanted = [name for name in self._plan.scenarios if SCENARIOS[name] == state]
        path = str(state_file(state, size))
        with ExitStack() as stack:
            seats = []
            for kind, subject, scenarios in self._subjects:
                named, left = kind.named(subject), []
                for scenario in wanted:
                    if scenario not in scenarios:
                        continue
                    if reason := self._gave_up.get((named, scenario)):
                        self._not_run(named, scenario, size, reason)
                    else:
                        left.append(scenario)
                if left:
                    process = stack.enter_context(running(kind.command))
                    seats.append(Seat(named, subject, process, left))
            # No time is taken here, so that nobody minds a neighbour.
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                loads = pool.map(lambda seat: self._load(seat, path), seats)
            for seat, failure in zip(tuple(seats), loads, strict=True):
                if failure is not None:
                    for scenario in seat.scenarios:
                        self._give_up(seat, scenario, size, failure)
                    seat.process.end()
                    seats.remove(seat)
            for scenario in wanted:
                self._scenario(scenario, size, [s for s in seats if scenario in s.scenarios])

    def _load(self, seat: Seat, path: str) -> str | None:
        """Bring the subject into the state; return why it did not get there, if so."""
        limit = self._plan.load_ns
        try:
            answer = seat.process.ask("load", subject=seat.subject, state=path, limit_ns=limit)
        except WorkerDiedError as error:
            return str(error)
        if answer["complete"]:
            return None
        loaded, took = answer["loaded"], answer["ns"] / 1e9
        return f"the first {loaded:,} ranges took {took:.1f} s, and all may take {limit / 1e9:g} s"

    def _scenario(self, scenario: str, size: int, seats: Sequence[Seat]) -> None:
        _say(f"{scenario} at {size}: {', '.join(seat.name for seat in seats)}")
        running_seats = []
        for seat in seats:
            failure = self._calibrate(seat, scenario)
            if failure is not None:
                self._give_up(seat, scenario, size, failure)
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
                    self._give_up(seat, scenario, size, str(error))
                    running_seats.remove(seat)
                else:
                    seat.times.append(round(answer["ns"] / answer["operations"], 1))
        self.rows += [
            {
                "scenario": scenario,
                "size": size,
                "subject": seat.name,
                "ns": round(statistics.median(seat.times), 1),
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
            # All subjects do the same ones up to the checked ones, which they should agree on.
            seat.process.ask("slice", scenario=scenario, count=1, seed=1)
            second = seat.process.ask("slice", scenario=scenario, count=1, seed=2)
            if second["ns"] > self._plan.operation_ns:
                return f"one operation takes {second['ns'] / 1e9:.2g} s"
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

    def _give_up(self, seat: Seat, scenario: str, size: int, reason: str) -> None:
        """Do not run it, nor at a larger size."""
        self._gave_up[seat.name, scenario] = f"at {size:,}, {reason}"
        self._not_run(seat.name, scenario, size, reason)

    def _not_run(self, name: str, scenario: str, size: int, reason: str) -> None:
        self.rows.append({"scenario": scenario, "size": size, "subject": name, "not_run": reason})


def _memory_of(question: dict[str, Any], asked: tuple[Kind, str]) -> float:
    """Return the bytes per live range that a subject holds, in a process of its own."""
    kind, subject = asked
    with running(kind.memory_command or kind.command) as process:
        held = process.ask("memory", subject=subject, **question)
    each: float = round(held["bytes"] / held["ranges"], 3)
    return each


def state_file(state: str, size: int) -> Path:
    """Return the file of a state, made if it is not there."""
    made_by = sha256(Path(workloads.__file__).read_bytes()).hexdigest()[:12]
    path = BUILD / f"states-{made_by}" / f"{state}-{size}.bin"
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


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
