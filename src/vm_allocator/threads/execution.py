"""What a scheduler is asked for and what it tells: limits, operations, stops, executions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .schedule import Switch


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an execution may take.

    `instructions` are those of one operation; after `patience` of them in a row, another
    thread is let go on, lest one that waits in a loop waits for ever. `seconds` are for
    something outside of the scheduler's sight, such as a lock that it did not make.
    """

    instructions: int = 400_000
    patience: int = 20_000
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Operation:
    """What came of a function. Moments count the beginnings and ends of all of them.

    `returned` is `None` if it did not end; `error` is what it raised. `marks` are the
    instructions at which a lock was acquired or released: the places where a switch tells most.
    """

    invoked: int
    returned: int | None = None
    value: Any = None
    error: BaseException | None = None
    instructions: int = 0
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """A switch that was made: the moment before which it was, and the place in the source."""

    switch: Switch
    moment: int
    place: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """An execution that did not come to its end: how, and what each thread was at.

    `how` is "deadlock", "endless" (too many instructions) or "blocked" (outside of our sight).
    """

    how: str
    threads: tuple[str, ...]


@dataclass(frozen=True)
class Execution:
    """What came of a run. `operations` has a list for each thread.

    `left` says that threads have not ended, and may never: nothing can end them from outside.
    """

    operations: tuple[tuple[Operation, ...], ...]
    stops: tuple[Stop, ...] = ()
    stuck: Stuck | None = None
    left: bool = False
