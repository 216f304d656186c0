"""A session: the operations carried out so far, so that they can be carried out again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spec.model import Allocator


class Subject(Protocol):
    """What is driven: an allocator, or a gap index, in lockstep with the model."""

    @property
    def name(self) -> str:
        """What the trace calls it."""
        ...

    @property
    def model(self) -> Allocator:
        """The state of its oracle."""
        ...

    def compare(self) -> None:
        """Raise `DisagreementError` unless it is in the state of its oracle."""
        ...

    def fork(self, name: str) -> Self:
        """Return a copy that shares the trace and nothing else."""
        ...


class Operation(NamedTuple):
    """One call of a method of the subject of that name."""

    on: str
    method: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]


@dataclass
class Tally:
    """Examples, steps and outcomes of a run so far."""

    examples: int = 0
    steps: int = 0
    granted: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def count(self, refusal: str | None) -> None:
        """Count the outcome of one operation."""
        if refusal is None:
            self.granted += 1
        else:
            self.refused[refusal] += 1


class Session:
    """A subject and the latest copy of it. Each must stay as it is when the other one acts."""

    def __init__(self, build: Callable[[], Subject]) -> None:
        first = build()
        self.build = build
        self.subjects = {first.name: first}
        self.operations: list[Operation] = []

    def do(self, operation: Operation) -> Any:
        """Carry out one operation, compare everything, and return what came of it.

        Raises `DisagreementError`. An operation on a copy that was never made does nothing:
        that happens while a trace is being shrunk.
        """
        self.operations.append(operation)
        subject = self.subjects.get(operation.on)
        if subject is None:
            return None
        if operation.method == "fork":
            (name,) = operation.arguments
            self.subjects = {subject.name: subject, name: subject.fork(name)}
            outcome = None
        else:
            call = getattr(subject, operation.method)
            outcome = call(*operation.arguments, **operation.options)
        for each in self.subjects.values():
            each.compare()
        return outcome


@dataclass
class Run:
    """What one run of a machine drives, and what it has seen."""

    factory: Callable[..., Any]
    spaces: Sequence[tuple[int, int]]
    alignments: Sequence[int]
    tally: Tally = field(default_factory=Tally)
    session: Session | None = None  # of the example that is running, or ran last
