"""Running the tasks: here, or spread over processes."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vm_allocator import _loading

from .rows import Row, Section, Summary, Task
from .work import GAPS, Settings, brisk, tasks, work
from .workers import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


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
    brisk: bool = False
    """Leave out rows that repeat others, and most bent models: for CI, which has little time."""
    """Put every mutant of the shipped source through the theorems, which takes minutes."""
    gaps: int = GAPS
    """How many gaps the bounded check of an index goes to; each more takes several times longer."""
    keep_going: bool = False
    """Do all rows, even after one has shown that something is wrong."""


def plan(options: Options) -> list[Task]:
    """Return the tasks that the options select."""
    wanted = options.only.lower().replace(" ", "_")
    every = tasks(every_mutant=options.every_mutant)
    return [
        task
        for task in (brisk(every) if options.brisk else every)
        if wanted in task.name.lower().replace(" ", "_") or wanted in task.section.name.lower()
    ]


def verify(
    options: Options,
    selected: list[Task] | None = None,
    on_row: Callable[[Row], None] = lambda _row: None,
) -> Summary:
    """Do the selected tasks (all that the options select); tell each row as it is done.

    The first row that shows that something is wrong (`Row.refuted`) ends it, unless it is to
    keep going: what runs is stopped, and what is left is not begun. With one job, everything
    runs in this process. The rows are in the order of the plan, whatever order they were
    done in.
    """
    began = time.perf_counter()
    chosen = plan(options) if selected is None else selected
    machines = sum(task.section is Section.MACHINE for task in chosen)
    settings = Settings(
        seed=options.seed,
        machine_seconds=options.max_time / max(machines, 1),
        smt_lib=options.smt_lib,
        save=options.save,
        gaps=options.gaps,
    )
    done: dict[Task, Row] = {}
    with closing(_done(chosen, settings, options.jobs)) as rows_done:
        for task, row in rows_done:
            done[task] = row
            on_row(row)
            if row.refuted and not options.keep_going:
                break
    rows = [done[task] for task in chosen if task in done]
    order = list(Section)
    rows.sort(key=lambda row: order.index(row.section))
    left = tuple(task for task in chosen if task not in done)
    return Summary(rows, time.perf_counter() - began, options.seed, left)


def _done(
    chosen: list[Task], settings: Settings, jobs: int
) -> Generator[tuple[Task, Row], None, None]:
    if os.environ.get(_loading.VARIABLE) == _loading.BUT_MACHINES:
        yield from _done_compiled(chosen, settings, jobs)
        return
    if jobs == 1:
        for task in chosen:
            yield task, work(task, settings)
        return
    yield from spread(partial(work, settings=settings), chosen, jobs)


def _done_compiled(
    chosen: list[Task], settings: Settings, jobs: int
) -> Generator[tuple[Task, Row], None, None]:
    """Do the tasks of a compiled build: proofs are about source, machines drive machine code."""
    machines = [task for task in chosen if task.section is Section.MACHINE]
    others = [task for task in chosen if task.section is not Section.MACHINE]
    yield from spread(partial(work, settings=settings), others, jobs)
    # Workers load what their environment says when they are started.
    del os.environ[_loading.VARIABLE]
    try:
        yield from spread(partial(work, settings=settings), machines, jobs)
    finally:
        os.environ[_loading.VARIABLE] = _loading.BUT_MACHINES
