"""The concrete reading of a theorem: it runs on plain ints, and a claim holds or it does not."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from vm_allocator.modelling import FiniteMap, FiniteRanges, IntMap, Range, RangeSet, Refused
from vm_allocator.symbolic import Signal

from .theorem import Case, M, Theorem

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

LIKELY: Final = 0.85
"""How often a sampled number is one that the theorem named as worth sampling."""


class IrrelevantError(Signal):
    """The theorem does not speak of this case (an assumption does not hold)."""


class ClaimFailedError(Signal):
    """A claim of the theorem does not hold in this case."""


@dataclass
class Values:
    """What a case was made of: enough to make it again."""

    numbers: dict[str, int] = field(default_factory=dict)
    ranges: dict[str, list[Range]] = field(default_factory=dict)
    maps: dict[str, dict[int, int]] = field(default_factory=dict)
    choices: dict[str, object] = field(default_factory=dict)

    def weight(self) -> tuple[int, int]:
        """Order cases by how easily a person reads them: few ranges, then small numbers."""
        members = [r for ranges in self.ranges.values() for r in ranges]
        ends = sum(abs(r.start) + abs(r.end) for r in members)
        return len(members), ends + sum(map(abs, self.numbers.values()))

    def lines(self) -> list[str]:
        """Return one line per set, choice and number; numbers in hex."""
        sets = {name: repr(FiniteRanges(ranges)) for name, ranges in self.ranges.items()}
        maps = {
            name: "{" + ", ".join(f"{key:#x}: {value:#x}" for key, value in table.items()) + "}"
            for name, table in self.maps.items()
        }
        numbers = {name: hex(value) for name, value in self.numbers.items()}
        choices = {name: repr(value) for name, value in self.choices.items()}
        return [
            f"{name} = {shown}" for name, shown in {**numbers, **sets, **maps, **choices}.items()
        ]


class ConcreteCase(Case[M]):
    """A case of plain ints. `claims` counts the claims that were reached and held."""

    def __init__(self, model: type[M]) -> None:
        super().__init__(model)
        self.values = Values()
        self.claims = 0

    @property
    def is_symbolic(self) -> bool:
        """Never."""
        return False

    def read(self, state: M) -> M:
        """Return the state: it is concrete as it stands."""
        return state

    def assume(self, condition: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """Leave the case unless the condition holds."""
        if not condition:
            raise IrrelevantError

    def claim(self, condition: bool) -> None:  # noqa: FBT001  # reads as a sentence
        """Raise `ClaimFailedError` unless the condition holds."""
        if not condition:
            raise ClaimFailedError
        self.claims += 1

    def consider(self, address: int) -> None:
        """Do nothing: plain ints need no hints."""

    def _assume_invariants(self, state: M) -> None:
        """Leave the case unless every invariant holds: of other states no theorem speaks."""
        self.assume(all(predicate(state) for predicate in self.model.invariants().values()))


class ReplayedCase(ConcreteCase[M]):
    """The case that these values make."""

    def __init__(self, model: type[M], values: Values) -> None:
        super().__init__(model)
        self.values = values

    def state(self, name: str = "before", **known: object) -> M:
        """Return the state of this name; irrelevant if an invariant does not hold in it."""
        parts: dict[str, object] = {}
        for part in fields(self.model):
            own = f"{name}.{part.name}"
            if part.name in known:
                parts[part.name] = known[part.name]
            elif part.type == RangeSet.__name__:
                parts[part.name] = FiniteRanges(self.values.ranges.get(own, ()))
            elif part.type == IntMap.__name__:
                parts[part.name] = FiniteMap(self.values.maps.get(own))
            else:
                parts[part.name] = self.values.numbers[own]
        state = self.model(**parts)
        self._assume_invariants(state)
        return state

    def number(self, name: str, like: Sequence[int] = ()) -> int:  # noqa: ARG002  # for samples
        """Return the number of this name."""
        return self.values.numbers[name]

    def one_of(self, name: str, options: Sequence[T]) -> T:
        """Return the option that was chosen under this name."""
        return options[options.index(self.values.choices[name])]


class SmallStates(Protocol[M]):
    """Where sampled states come from: a model's own reachable states, small ones."""

    def __call__(self, model: type[M], random: Random) -> M:
        """Return a reachable state."""
        ...


class SampledCase(ConcreteCase[M]):
    """A case of random values, chosen so that they collide."""

    def __init__(self, model: type[M], states: SmallStates[M], random: Random) -> None:
        super().__init__(model)
        self._states = states
        self._random = random
        self._pool = [*range(-1, 10), 16, 64, 4096]

    def state(self, name: str = "before", **known: object) -> M:
        """Return a reachable state; its numbers, and those around them, are drawn from then on.

        A bent model may walk out of its own invariants: the case is irrelevant then.
        """
        state = replace(self._states(self.model, self._random), **known)
        self._assume_invariants(state)
        for part in fields(state):
            own, value = f"{name}.{part.name}", getattr(state, part.name)
            if isinstance(value, FiniteRanges):
                self.values.ranges[own] = list(value)
                ends = [end for member in value for end in member]
                self._pool += [near for end in ends for near in (end - 1, end, end + 1)]
                self._pool += [r.end - r.start + 1 for r in value]
            elif isinstance(value, FiniteMap):
                self.values.maps[own] = value.items()
            else:
                self.values.numbers[own] = value
                self._pool += [value - 1, value, value + 1]
        return state

    def number(self, name: str, like: Sequence[int] = ()) -> int:
        """Return a value like the ones named; or a small one, or one near those of the states."""
        value: int = self._random.choice(
            like if like and self._random.random() < LIKELY else self._pool
        )
        self.values.numbers[name] = value
        return value

    def one_of(self, name: str, options: Sequence[T]) -> T:
        """Return any of the options."""
        option = self._random.choice(options)
        self.values.choices[name] = option
        return option


def breaks(theorem: Theorem, case: ConcreteCase[M]) -> bool:
    """Run the theorem on the case; return whether a claim of it failed there."""
    try:
        theorem.state(case)
    except ClaimFailedError:
        return True
    except (IrrelevantError, Refused):
        return False
    return False


@dataclass(frozen=True)
class Sampling:
    """What came of running a theorem on sampled cases."""

    cases: int
    relevant: int
    """Cases in which at least one claim was reached."""
    broken: Values | None
    """A case in which a claim failed."""


def sample(
    theorem: Theorem, model: type[M], states: SmallStates[M], *, cases: int, seed: int
) -> Sampling:
    """Run the theorem on random small cases, until one breaks it."""
    random = Random(seed)  # noqa: S311  # reproducible sampling, no secret
    relevant = 0
    for number in range(cases):
        case = SampledCase(model, states, random)
        if breaks(theorem, case):
            return Sampling(number + 1, relevant, case.values)
        relevant += case.claims > 0
    return Sampling(cases, relevant, None)
