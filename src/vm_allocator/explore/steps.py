"""What an operation of a model can come to, path by path, on slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.checker.text import cut_text
from vm_allocator.modelling import ModelError, Refused
from vm_allocator.modelling.language import demand_truth
from vm_allocator.proving.prover import Pruner
from vm_allocator.symbolic import (
    Explorer,
    PathLimitError,
    Raised,
    UnsupportedError,
    formula_of,
    smt,
)

from .slots import Slots, slots_of
from .states import model_of, parts_of
from .trouble import ModelTrouble, said_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm

    from .states import Parts
    from .subject import Operation, Rule, Subject


@dataclass(frozen=True)
class Site:
    """A guard: where an operation refuses, and by what name."""

    operation: str
    refusal: str
    place: str


@dataclass(frozen=True)
class Ending:
    """A path through an operation: when it is taken, and what comes of it."""

    operation: Operation
    when: BoolTerm
    after: Parts | None
    """The state after it; `None` if it was refused."""
    site: Site | None
    """Where it was refused; `None` if it was granted."""


class Arguments:
    """Fresh constants for the parameters of an operation."""

    def __init__(self, operation: Operation, name: str) -> None:
        self.operation = operation
        self.terms: Mapping[str, tuple[IntTerm, ...]] = {
            parameter: tuple(
                smt.integer(f"{name}.{operation.name}.{parameter}.{n}") for n in range(kind.columns)
            )
            for parameter, kind in operation.parameters.items()
        }

    def allowed(self) -> BoolTerm:
        """Whether the arguments are values of their kinds."""
        kinds = self.operation.parameters
        return smt.conj(
            *(kinds[name].coded(terms) for name, terms in self.terms.items()),
            *(kinds[name].allowed(terms) for name, terms in self.terms.items()),
        )

    def made(self) -> dict[str, Any]:
        """Return the arguments as the model sees them."""
        kinds = self.operation.parameters
        return {name: kinds[name].made(terms) for name, terms in self.terms.items()}

    def numbers(self) -> list[tuple[IntTerm, int]]:
        """Return all columns, each with the number from which on people like it small."""
        kinds = self.operation.parameters
        return [
            pair
            for name, terms in self.terms.items()
            for pair in zip(terms, kinds[name].lows(), strict=True)
        ]


SAID: Final = 160
"""Characters that are shown of what cannot be followed: a term may be long."""

MANY: Final = 12
"""Decisions after which a path is asked whether it is possible: loops over a number end so."""


class _Possible:
    """Sees that a path cannot go on so: it knows the opposite, or, if it is long, z3 does."""

    def __init__(self) -> None:
        self._explorer: Explorer | None = None
        self._pruner: Pruner | None = None

    def watch(self, explorer: Explorer) -> None:
        """Be asked about the paths of this exploration."""
        self._explorer, self._pruner = explorer, Pruner(explorer)

    def __call__(self, formula: BoolTerm) -> bool:
        """Whether the path cannot go on with this formula."""
        if self._explorer is None or self._pruner is None:
            return False
        opposite = smt.negated(formula).get_id()
        if any(known.get_id() == opposite for known in self._explorer.condition):
            return True
        return len(self._explorer.condition) > MANY and bool(self._pruner.contradiction(formula)[0])


def run_paths(subject: Subject, whose: Operation, code: Callable[[], Any]) -> list[Ending]:
    """Run code of a model once per path through it.

    Raises `ModelTrouble` for what it does wrong.
    """
    possible = _Possible()
    explorer = Explorer(may_choose=False, impossible=possible)
    possible.watch(explorer)
    found = []
    with telling(subject, whose.place), smt.remembering():
        for outcome in explorer.paths(code):
            when = smt.conj(*explorer.condition)
            if isinstance(outcome, Raised):
                found.append(Ending(whose, when, None, site_of(subject, whose, outcome.error)))
                continue
            after = parts_of(subject, outcome.value, slots_of, whose)
            found.append(Ending(whose, when, after, None))
    return found


def begins(subject: Subject, arguments: Arguments) -> list[Ending]:
    """Return how the model can begin."""

    def begin() -> Any:
        Explorer.active().assume(arguments.allowed())
        return subject.model.initial(**arguments.made())  # type: ignore[attr-defined]  # declared

    return run_paths(subject, subject.initial, begin)


def steps(subject: Subject, before: Parts, arguments: Arguments) -> list[Ending]:
    """Return what an action can come to in a state."""
    operation = arguments.operation

    def act() -> Any:
        Explorer.active().assume(arguments.allowed())
        return operation.method(model_of(subject, before), **arguments.made())

    return run_paths(subject, operation, act)


def holds_in(subject: Subject, rule: Rule, state: Parts) -> BoolTerm:
    """Return the formula of an invariant in a state."""
    if rule.variable is not None:
        return smt.conj(*width_of(subject, rule.variable, state))

    def holds() -> bool:
        value = rule.predicate(model_of(subject, state))
        demand_truth(value, f"the invariant {rule.name!r}")
        return bool(value)

    return truth_in(subject, rule.place, holds)


def truth_in(subject: Subject, place: str, holds: Callable[[], bool]) -> BoolTerm:
    """Return the formula of a predicate of the model."""
    with telling(subject, place), smt.remembering():
        return formula_of(holds)


class telling:  # noqa: N801  # a context, read as a verb
    """Turns what a model does wrong into `ModelTrouble`, with the line that does it."""

    def __init__(self, subject: Subject, place: str) -> None:
        self._subject = subject
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, ModelTrouble):
            return
        if isinstance(error, UnsupportedError | PathLimitError) and isinstance(
            error.__cause__, Exception
        ):
            error = error.__cause__
        if isinstance(error, UnsupportedError):
            place = self._subject.lines.of_error(error, self._place)
            said = cut_text(" ".join(str(error).split()), SAID)
            raise ModelTrouble(place, f"explore cannot follow this: {said}") from None
        if isinstance(error, PathLimitError):
            raise ModelTrouble(self._place, f"too many cases to follow: {error}") from None
        if isinstance(error, Exception):
            raise trouble_of(self._subject, self._place, error) from None


def trouble_of(subject: Subject, place: str, error: Exception) -> ModelTrouble:
    """Return an exception that the model's code has raised, as trouble at its line."""
    if isinstance(error, ModelTrouble):
        return error
    place = subject.lines.of_error(error, place)
    if isinstance(error, ModelError):
        return ModelTrouble(place, str(error))
    if isinstance(error, AttributeError) and isinstance(error.obj, subject.model):
        known = ", ".join(subject.parts)
        return ModelTrouble(
            place, f"{subject.name} has no variable or method {error.name!r}: it has {known}"
        )
    if isinstance(error, AttributeError) and "frozen" in type(error).__name__.lower():
        return ModelTrouble(place, "a state is not changed: return replace(self, ...) instead")
    return ModelTrouble(place, said_of(error))


def site_of(subject: Subject, whose: Operation, error: Exception) -> Site:
    """Return the guard that refused; raises `ModelTrouble` for any other exception."""
    if not isinstance(error, Refused):
        raise trouble_of(subject, whose.place, error)
    return Site(whose.name, error.refusal, subject.lines.of_error(error, whose.place))


def width_of(subject: Subject, name: str, state: Parts) -> list[BoolTerm]:
    """Return the formulas that say that the numbers of one variable are of their widths."""
    part, terms = subject.parts[name], state[name]
    if isinstance(terms, Slots):
        return [
            smt.implies(
                slot.present,
                smt.conj(terms.shape.key.allowed(slot.key), terms.shape.row.allowed(slot.row)),
            )
            for slot in terms.slots
        ]
    if isinstance(terms, tuple) and hasattr(part, "allowed"):
        return [part.allowed(terms)]
    return []
