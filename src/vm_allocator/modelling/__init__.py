"""The modelling language: one definition, two readings.

A model is a frozen dataclass: its fields are the state, its invariants and actions
are ordinary typed methods on ints and sets of ranges. On plain ints it runs as it
stands, fast, as an oracle. On symbolic ints (`vm_allocator.symbolic`) the same
methods become formulas for a prover. Nothing here imports a solver.
"""

from .arithmetic import align_down, align_up, is_aligned, is_power_of_two, larger, smaller
from .finite import FiniteMap, FiniteRanges
from .language import (
    IntMap,
    Model,
    Outcome,
    Range,
    RangeSet,
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

__all__ = [
    "FiniteMap",
    "FiniteRanges",
    "IntMap",
    "Model",
    "Outcome",
    "Range",
    "RangeSet",
    "Refused",
    "Run",
    "Step",
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
