"""The modelling language: one definition, two readings.

A model is a frozen dataclass: its fields are the state, its invariants and actions
are ordinary typed methods on ints, enums, sets and tables. On plain ints it runs as it
stands, fast, as an oracle. On symbolic ints (`vm_allocator.symbolic`) the same
methods become formulas for a prover. Nothing here imports a solver.
"""

from .arithmetic import align_down, align_up, is_aligned, is_power_of_two, larger, smaller
from .finite import FiniteMap, FiniteRanges, FiniteSet, FiniteTable
from .language import (
    IntMap,
    Model,
    ModelError,
    Outcome,
    Refused,
    Run,
    Step,
    action,
    attempt,
    demand,
    for_each,
    invariant,
    repeat,
    require,
)
from .numbers import U8, U16, U32, U64, Between
from .tables import Range, RangeSet, SetOf, Table

__all__ = [
    "U8",
    "U16",
    "U32",
    "U64",
    "Between",
    "FiniteMap",
    "FiniteRanges",
    "FiniteSet",
    "FiniteTable",
    "IntMap",
    "Model",
    "ModelError",
    "Outcome",
    "Range",
    "RangeSet",
    "Refused",
    "Run",
    "SetOf",
    "Step",
    "Table",
    "action",
    "align_down",
    "align_up",
    "attempt",
    "demand",
    "for_each",
    "invariant",
    "is_aligned",
    "is_power_of_two",
    "larger",
    "repeat",
    "require",
    "smaller",
]
