"""A model as it is declared: its variables, actions and invariants, with their kinds and places."""

from __future__ import annotations

import enum
import inspect
import types
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NewType,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from vm_allocator.modelling import Between, IntMap, Model, Range, RangeSet, SetOf, Table

from .kinds import NOTHING, BoolKind, EnumKind, IntKind, Kind, OptionalKind, RowKind
from .trouble import ModelTrouble, said_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from .trouble import Lines

WORDS = (
    "say int, bool, an enum, a NamedTuple, one of them or None; "
    "a state also holds RangeSet, SetOf[row], Table[key, row], IntMap"
)


@dataclass(frozen=True)
class Shape:
    """A set or a table: the kinds of its keys and of its rows (`NOTHING` for a set)."""

    key: Kind
    row: Kind
    ranges: bool = False
    """Whether it is a set of ranges."""
    is_set: bool = False


@dataclass(frozen=True)
class MapShape:
    """An `IntMap`: total, from ints to ints."""


Part: TypeAlias = Kind | Shape | MapShape


@dataclass(frozen=True)
class Operation:
    """An action, or how a model begins: what is called, and the kinds of its parameters."""

    name: str
    method: Callable[..., Any]
    parameters: Mapping[str, Kind]
    place: str
    words: str


@dataclass(frozen=True)
class Rule:
    """An invariant."""

    name: str
    predicate: Callable[[Any], bool]
    place: str
    words: str
    """The first sentence of its docstring."""
    variable: str | None = None
    """The variable whose widths it is about; `None` if it was written as an invariant."""


@dataclass(frozen=True)
class Subject:
    """A model that can be explored."""

    model: type[Model]
    lines: Lines
    parts: Mapping[str, Part]
    initial: Operation
    actions: tuple[Operation, ...]
    rules: tuple[Rule, ...]

    left_out: tuple[str, ...] = ()
    """Actions that are not looked at."""

    @property
    def name(self) -> str:
        """The name of the model class."""
        return self.model.__name__

    def without(self, names: Collection[str]) -> Subject:
        """Return the model without these actions. Raises `ModelTrouble` if it has no such one."""
        known = [action.name for action in self.actions]
        for name in names:
            if name not in known:
                raise ModelTrouble(
                    self.lines.of_class(self.model),
                    f"{self.name} has no action {name!r}: it has {', '.join(known)}",
                )
        kept = tuple(action for action in self.actions if action.name not in names)
        return replace(self, actions=kept, left_out=tuple(names))


def declared(model: type[Model], lines: Lines) -> Subject:
    """Look through a model class. Raises `ModelTrouble` where it makes no sense."""
    name = model.__name__
    at_class = lines.of_class(model)
    params = getattr(model, "__dataclass_params__", None)
    if "__dataclass_fields__" not in vars(model) or params is None or not params.frozen:
        raise ModelTrouble(
            at_class, f"{name} is no frozen dataclass: write @dataclass(frozen=True)"
        )
    hints = _hints(model, at_class)
    parts = {
        field.name: _part(hints[field.name], lines.of_member(model, field.name), field.name)
        for field in fields(model)
    }
    if not parts:
        raise ModelTrouble(
            at_class, f"{name} has no variables: declare one, as in `live: RangeSet`"
        )
    begin = inspect.getattr_static(model, "initial", None)
    if not isinstance(begin, classmethod):
        raise ModelTrouble(
            at_class, f"{name} does not say how it begins: write a classmethod `initial`"
        )
    actions = tuple(
        _operation(action, method, lines, model) for action, method in model.actions().items()
    )
    rules = tuple(_rule(rule, method, lines, model) for rule, method in model.invariants().items())
    for found, what in ((actions, "action"), (rules, "invariant")):
        if not found:
            raise ModelTrouble(at_class, f"{name} has no {what}: mark a method with @{what}")
    initial = _operation("initial", begin.__func__, lines, model)
    return Subject(model, lines, parts, initial, actions, (*rules, *_widths(parts, lines, model)))


def _widths(parts: Mapping[str, Part], lines: Lines, owner: type) -> list[Rule]:
    """Return one rule per variable with numbers of a width: they keep to it."""
    found = []
    for name, part in parts.items():
        kinds = [part] if isinstance(part, Kind) else []
        if isinstance(part, Shape):
            kinds = [part.key, part.row]
        if any(kind.is_narrow for kind in kinds):
            place = lines.of_member(owner, name)
            words = f"Every number in {name} is one that its type allows."
            found.append(Rule(f"{name} keeps to its type", _fits(name, part), place, words, name))
    return found


def _fits(name: str, part: Part) -> Callable[[Any], bool]:
    def fits(state: Any) -> bool:
        value = getattr(state, name)
        if isinstance(part, Kind):
            return part.fits(value)
        if isinstance(part, Shape) and part.is_set:
            return all(part.key.fits(member) for member in value)
        return not isinstance(part, Shape) or all(
            part.key.fits(key) and part.row.fits(row) for key, row in value.items().items()
        )

    return fits


def first_sentence(documented: object) -> str:
    """Return the first line of a docstring, in one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _operation(name: str, method: Callable[..., Any], lines: Lines, owner: type) -> Operation:
    place = lines.of_member(owner, name)
    hints = _hints(method, place)
    kinds = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.name not in hints:
            raise ModelTrouble(
                place, f"parameter {parameter.name!r} of {name!r} has no annotation: {WORDS}"
            )
        kind = _part(hints[parameter.name], place, parameter.name)
        if not isinstance(kind, Kind):
            raise ModelTrouble(
                place,
                f"parameter {parameter.name!r} of {name!r} is a set or a table: "
                "give its members one by one",
            )
        kinds[parameter.name] = kind
    return Operation(name, method, kinds, place, first_sentence(method))


def _rule(name: str, method: Callable[[Any], bool], lines: Lines, owner: type) -> Rule:
    place = lines.of_member(owner, name)
    if len(inspect.signature(method).parameters) != 1:
        raise ModelTrouble(place, f"the invariant {name!r} takes parameters: it speaks of `self`")
    return Rule(name, method, place, first_sentence(method) or name.replace("_", " "))


def _hints(owner: Any, place: str) -> dict[str, Any]:
    try:
        return get_type_hints(owner, include_extras=True)
    except NameError as error:
        raise ModelTrouble(
            place, f"{said_of(error)}: import what annotations name outside of TYPE_CHECKING"
        ) from None
    except TypeError as error:
        raise ModelTrouble(place, said_of(error)) from None


def _part(hint: Any, place: str, name: str) -> Part:
    if hint is IntMap:
        return MapShape()
    if hint is RangeSet:
        return Shape(kind_of(Range, place, name), NOTHING, ranges=True, is_set=True)
    if get_origin(hint) is SetOf:
        return Shape(kind_of(get_args(hint)[0], place, name), NOTHING, is_set=True)
    if get_origin(hint) is Table:
        key, row = (kind_of(part, place, name) for part in get_args(hint))
        return Shape(key, row)
    return kind_of(hint, place, name)


def kind_of(hint: Any, place: str, name: str) -> Kind:  # noqa: PLR0911  # one line per kind
    """Return the kind that an annotation names; `name` is what it is the annotation of."""
    if get_origin(hint) is Annotated:
        inner, *more = get_args(hint)
        domain = next((one for one in more if isinstance(one, Between)), None)
        kind = kind_of(inner, place, name)
        return IntKind(domain) if isinstance(kind, IntKind) and domain is not None else kind
    if isinstance(hint, NewType):
        return kind_of(hint.__supertype__, place, name)
    if get_origin(hint) in (Union, types.UnionType):
        others = [one for one in get_args(hint) if one is not types.NoneType]
        if len(others) == 1 and len(get_args(hint)) == 2:  # noqa: PLR2004  # one kind, or None
            return OptionalKind(kind_of(others[0], place, name))
    if hint is bool:
        return BoolKind()
    if hint is int:
        return IntKind()
    if isinstance(hint, type):
        if issubclass(hint, enum.Enum):
            return EnumKind(hint)
        names = _names_of(hint)
        if names:
            hints = _hints(hint, place)
            return RowKind(hint, tuple((one, kind_of(hints[one], place, one)) for one in names))
    shown = getattr(hint, "__name__", None) or str(hint)
    raise ModelTrouble(place, f"{name!r} is of type {shown}, which a model cannot hold: {WORDS}")


def _names_of(row: type) -> list[str]:
    """Return the fields of a `NamedTuple` or a dataclass; none for any other class."""
    if issubclass(row, tuple):
        return list(getattr(row, "_fields", ()))
    return [field.name for field in fields(row)] if is_dataclass(row) else []
