"""Which call of the public interface a counterexample is about: found by running its theorem.

A theorem about the shipped source makes an allocator in some state and calls a method of it.
Here it runs on the values of its counterexample with a recorder in the place of the source,
so that the call is what the theorem itself makes of them. No name of a number, and no
argument, is written down a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Final

from spec.model import Allocator
from spec.proofs.refinement import refinement_theorems
from spec.proofs.subjects import Shipped
from vm_allocator.policy import ExactMatch, Order
from vm_allocator.proving.concrete_case import IrrelevantError, ReplayedCase
from vm_allocator.ranges import RangeInclusive
from vm_allocator.resource import Unit
from vm_allocator.symbolic import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.proving.concrete_case import Values
    from vm_allocator.proving.theorem import Theorem

CONSTRUCTOR: Final = "__init__"

KINDS: Final = {Unit.ADDRESS: "AddressAllocator", Unit.ID: "IdAllocator"}


@dataclass(frozen=True)
class Call:
    """A call of a shipped allocator: in which state, of what, with which arguments."""

    unit: Unit
    method: str
    """`CONSTRUCTOR` if an allocator is made."""
    arguments: tuple[object, ...]
    options: dict[str, object]
    before: Allocator | None
    """The state that it is called in; `None` if an allocator is made."""
    alignment: int
    """What the allocator aligns requests to that name no alignment."""
    watched: bool
    """Whether the theorem is about the numbers on the way, and not about the outcome."""

    @property
    def kind(self) -> str:
        """The class, as users import it."""
        return KINDS[self.unit]

    def text(self, number: Callable[[int], str] = hex) -> str:
        """Return the call as Python; `number` writes an int that is passed."""
        called = self.kind if self.method == CONSTRUCTOR else f"allocator.{self.method}"
        given = [shown(value, number) for value in self.arguments]
        given += [
            f"{name}={shown(value, number)}"
            for name, value in self.options.items()
            if value is not None
        ]
        return f"{called}({', '.join(given)})"


class NoSuchCaseError(ValueError):
    """The values are no case of the theorem: they lack a number, or it does not speak of them."""


def call_of(theorem_name: str, values: Values) -> Call | None:
    """Return the call that the theorem makes in this case.

    `None` for a theorem that is not about the shipped allocators. Raises `NoSuchCaseError`.
    """
    notes = _Notes()
    theorem = _theorem(theorem_name, notes)
    if theorem is None:
        return None
    case = _NotingCase(Allocator, values)
    try:
        theorem.state(case)
    except _Called as called:
        return Call(
            unit=called.unit,
            method=called.method,
            arguments=called.arguments,
            options=called.options,
            before=case.made,
            alignment=notes.alignment,
            watched=case.watched,
        )
    except IrrelevantError:
        raise NoSuchCaseError(f"{theorem_name} does not speak of {values}") from None
    except KeyError as missing:
        raise NoSuchCaseError(f"{theorem_name} needs {missing}, which is not in {values}") from None
    except ValueError as error:  # a choice that the theorem does not offer
        raise NoSuchCaseError(f"{theorem_name}: {error}, for {values}") from None
    raise NoSuchCaseError(f"{theorem_name} calls nothing for {values}")


def shown(value: object, number: Callable[[int], str] = hex) -> str:
    """Return an argument as Python, with numbers in hex."""
    if isinstance(value, Order):
        return value.value
    if isinstance(value, ExactMatch):
        return f"ExactMatch({shown(value.start, number)})"
    if isinstance(value, RangeInclusive):
        return f"RangeInclusive({shown(value.start, number)}, {shown(value.end, number)})"
    if isinstance(value, list):
        return f"[{', '.join(shown(item, number) for item in value)}]"
    if isinstance(value, tuple):
        return f"({', '.join(shown(item, number) for item in value)})"
    return number(int(value)) if isinstance(value, int) else repr(value)


class _Called(Signal):
    """The call was made, and that is all there is to see."""

    def __init__(
        self, unit: Unit, method: str, arguments: tuple[object, ...], options: dict[str, object]
    ) -> None:
        super().__init__(method)
        self.unit = unit
        self.method = method
        self.arguments = arguments
        self.options = options


@dataclass
class _Notes:
    alignment: int = 1


@dataclass
class _NotingCase(ReplayedCase[Allocator]):
    """The case of these values; remembers the state that was made, and whether it is watched."""

    model: type[Allocator]
    values: Values
    made: Allocator | None = field(default=None, init=False)
    watched: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        super().__init__(self.model, self.values)

    def state(self, name: str = "before", **known: object) -> Allocator:
        self.made = super().state(name, **known)
        return self.made

    def word(self, value: int) -> int:
        self.watched = True
        return value


def _theorem(name: str, notes: _Notes) -> Theorem | None:
    """Return the theorem of this name, about recorders in the place of the shipped classes."""
    modules = _recorders(notes)
    found = refinement_theorems(Shipped(address=modules, ids=modules))
    return next((theorem for theorem in found if theorem.name == name), None)


def _recorders(notes: _Notes) -> ModuleType:
    """Return what a theorem takes for the modules under proof."""

    class Recorder:
        """Any allocator: whatever is called first, its constructor included, is the call."""

        unit: Unit
        alignment: int

        def __init__(self, *arguments: object, **options: object) -> None:
            raise _Called(self.unit, CONSTRUCTOR, arguments, options)

        def __getattr__(self, method: str) -> Callable[..., None]:
            def record(*arguments: object, **options: object) -> None:
                raise _Called(self.unit, method, arguments, options)

            return record

    class RangeAllocator:
        """The state, which a theorem sets by the constructor of the class below."""

        def __init__(
            self, _unit: Unit, _base: int, _last: int, alignment: int, _index: object
        ) -> None:
            self.alignment = notes.alignment = int(alignment)

    modules = ModuleType("recorders")
    vars(modules)["RangeAllocator"] = RangeAllocator
    for unit, name in KINDS.items():
        vars(modules)[name] = type(name, (Recorder,), {"unit": unit})
    return modules
