"""Random walks through a model, on plain values: reachable states, cheaply."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.modelling import FiniteSet, FiniteTable, Model, Refused

from .kinds import BoolKind, EnumKind, IntKind, Kind, OptionalKind, RowKind
from .trace import Call, execute

if TYPE_CHECKING:
    from .subject import Operation, Subject

WALKS: Final = 60
STEPS: Final = 12
TRIES: Final = 30
"""Arguments that are tried for one step until it is granted."""


def walked_states(subject: Subject, seed: int) -> list[Model]:
    """Return states that are reached by random actions, each once."""
    random = Random(seed)  # noqa: S311  # reproducible sampling, no secret
    found: dict[str, Model] = {}
    for _ in range(WALKS):
        state = _begun(subject, random)
        for _ in range(STEPS if state is not None else 0):
            if state is None:
                break
            found[repr(state)] = state
            state = _stepped(subject, state, random)
    return list(found.values())


def _begun(subject: Subject, random: Random) -> Model | None:
    for _ in range(TRIES):
        call = Call("initial", _arguments(subject.initial, random, [0, 1, 7, 64]))
        try:
            return execute(subject, [call]).last
        except Refused:
            continue
    return None


def _stepped(subject: Subject, state: Model, random: Random) -> Model | None:
    pool = sorted({near for number in _numbers(state) for near in (number - 1, number, number + 1)})
    for _ in range(TRIES):
        action = random.choice(subject.actions)
        call = Call(action.name, _arguments(action, random, [*pool, 0, 1, 2, 3, 4, 8]))
        step = execute(subject, [call], state).steps[0]
        if step.refusal is None:
            return step.after
    return None


def _arguments(operation: Operation, random: Random, pool: list[int]) -> dict[str, Any]:
    return {name: any_value(kind, random, pool) for name, kind in operation.parameters.items()}


def any_value(kind: Kind, random: Random, pool: list[int]) -> Any:
    """Return any value of a kind; of the numbers in the pool, those that it allows."""
    if isinstance(kind, IntKind):
        if kind.domain is None:
            return random.choice(pool)
        low, high = kind.domain.low, kind.domain.high
        near = [low, min(low + 1, high), high, *(n for n in pool if low <= n <= high)]
        return random.choice(near)
    if isinstance(kind, BoolKind):
        return random.random() < 0.5  # noqa: PLR2004  # a fair coin
    if isinstance(kind, EnumKind):
        return random.choice(list(kind.enum))
    if isinstance(kind, OptionalKind):
        return None if random.random() < 0.5 else any_value(kind.inner, random, pool)  # noqa: PLR2004  # a fair coin
    if isinstance(kind, RowKind):
        return kind.row(**{name: any_value(own, random, pool) for name, own in kind.fields})
    raise TypeError(f"no values of {kind!r} are known")


def _numbers(value: object) -> list[int]:
    """Return all numbers in a state or a part of one."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int):
        return [value]
    if isinstance(value, tuple | FiniteSet):
        return [number for part in value for number in _numbers(part)]
    if isinstance(value, FiniteTable):
        return [number for item in value.items().items() for number in _numbers(item)]
    return (
        [number for part in vars(value).values() for number in _numbers(part)]
        if isinstance(value, Model)
        else []
    )
