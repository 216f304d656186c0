"""Running the tasks: here, or spread over processes."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .rows import Row, Section, Summary, Task
from .work import Settings, tasks, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Options:
    """How to verify."""

    only: str = ""
    """Rows whose name or section contains this; empty for all."""
    jobs: int = 2
    seed: int = 0
    max_time: float = 24.0
    """Seconds of state machines, added up over all of them."""
    smt_lib: str | None = None
    """A directory for the obligations as SMT-LIB 2."""
    save: str | None = None
    """A directory for refutations, as programs and as ITF traces."""
    every_mutant: bool = False
    """Put every mutant of the shipped source through the theorems, which takes minutes."""


def plan(options: Options) -> list[Task]:
    """Return the tasks that the options select."""
    wanted = options.only.lower().replace(" ", "_")
    return [
        task
        for task in tasks(every_mutant=options.every_mutant)
        if wanted in task.name.lower().replace(" ", "_") or wanted in task.section.name.lower()
    ]


def verify(
    options: Options,
    selected: list[Task] | None = None,
    on_row: Callable[[Row], None] = lambda _row: None,
) -> Summary:
    """Do the selected tasks (all that the options select); tell each row as it is done.

    With one job, everything runs in this process. The rows are in the order of the plan,
    whatever order they were done in.
    """
    began = time.perf_counter()
    chosen = plan(options) if selected is None else selected
    machines = sum(task.section is Section.MACHINE for task in chosen)
    settings = Settings(
        seed=options.seed,
        machine_seconds=options.max_time / max(machines, 1),
        smt_lib=options.smt_lib,
        save=options.save,
    )
    done: dict[Task, Row] = {}
    for task, row in _done(chosen, settings, options.jobs):
        done[task] = row
        on_row(row)
    rows = [done[task] for task in chosen]
    order = list(Section)
    rows.sort(key=lambda row: order.index(row.section))
    return Summary(rows, time.perf_counter() - began, options.seed)


def _done(chosen: list[Task], settings: Settings, jobs: int) -> Iterator[tuple[Task, Row]]:
    if jobs == 1:
        for task in chosen:
            yield task, work(task, settings)
        return
    # Fresh processes, not forks: solvers keep state that a fork would share by accident.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from _spread(chosen, settings, pool)


def _spread(
    chosen: list[Task], settings: Settings, executor: Executor
) -> Iterator[tuple[Task, Row]]:
    futures = {executor.submit(work, task, settings): task for task in chosen}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        executor.shutdown(cancel_futures=True)
