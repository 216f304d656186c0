"""Run a machine; return what happened as data."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from vm_allocator.lockstep import DisagreementError

from .catalogue import MACHINES
from .session import Run
from .shrinking import shrunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import SessionMachine


@dataclass(frozen=True)
class MachineResult:
    """What a machine did. `failure` is the shrunk trace of a disagreement, if there was one.

    Counts are of what was drawn, without the shrinking. `seconds` is wall-clock time.
    """

    name: str
    seeds: range  # one seed per batch; a failure belongs to the last
    examples: int
    steps: int
    granted: int
    refused: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    failure: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the allocator and the specification agreed throughout."""
        return self.failure is None


def run_machine(
    name: str,
    *,
    max_examples: int | None = None,
    steps: int = 30,
    seed: int = 0,
    max_seconds: float | None = None,
    factory: Callable[..., Any] | None = None,
) -> MachineResult:
    """Run the machine of this name: `max_examples` examples of up to `steps` operations each.

    Without `max_examples`, as many as the machine's `batch`.

    `factory` replaces what the machine drives: `(base, size, alignment)` for addresses,
    `(first, last)` for ids, `(base, last)` for a gap index. With `max_seconds`, batches with
    the seeds `seed`, `seed + 1`, ... follow one another until that time has passed or one of
    them fails. The clock is looked at between batches only: it decides how many there are,
    never what comes of one.

    The same seed draws the same examples, given the same versions of Python, hypothesis and
    of the code (hypothesis also draws constants that it finds in the loaded modules).

    Raises `KeyError` for an unknown name, and nothing for whatever it finds.
    """
    entry = MACHINES[name]
    examples = entry.batch if max_examples is None else max_examples
    run = Run(factory or entry.factory, entry.spaces, entry.alignments)
    began = time.monotonic()
    batch = seed
    while True:
        # A class of its own: hypothesis reads the seed off it, and nothing leaks between runs.
        machine = type(entry.machine.__name__, (entry.machine,), {"run": run})
        failure = _run_batch(seeded(batch)(machine), run, _settings(examples, steps))
        batch += 1
        elapsed = time.monotonic() - began
        if failure is not None or max_seconds is None or max_seconds <= elapsed:
            break
    tally = run.tally
    return MachineResult(
        name=name,
        seeds=range(seed, batch),
        examples=tally.examples,
        steps=tally.steps,
        granted=tally.granted,
        refused=dict(sorted(tally.refused.items())),
        seconds=elapsed,
        failure=failure,
    )


def _run_batch(machine: type[SessionMachine], run: Run, how: settings) -> str | None:
    """Run one batch; return the trace of the failure that it found, if any."""
    try:
        run_state_machine_as_test(machine, settings=how)
    except DisagreementError as error:
        # The last session is the failing one: hypothesis replays what it reports.
        if run.session is None:
            return str(error)  # a fresh allocator that is wrong already
        return str(shrunk(run.session.build, run.session.operations))
    except Exception:  # noqa: BLE001  # a crash of the machine is a finding about us; show all of it
        return traceback.format_exc()
    return None


def _settings(max_examples: int, steps: int) -> settings:
    return settings(
        max_examples=max_examples,
        stateful_step_count=steps,
        # Nothing that depends on the clock or on earlier runs.
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # shrinking is ours
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
    )
