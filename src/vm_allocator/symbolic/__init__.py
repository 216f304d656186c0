"""Running ordinary typed Python on symbolic ints, once per path through it."""

from .explorer import Explorer, PathCut, PathLimitError, Raised, Returned, Signal, UnsupportedError
from .values import SymBool, SymInt, formula_of, sym_int

__all__ = [
    "Explorer",
    "PathCut",
    "PathLimitError",
    "Raised",
    "Returned",
    "Signal",
    "SymBool",
    "SymInt",
    "UnsupportedError",
    "formula_of",
    "sym_int",
]
