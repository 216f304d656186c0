"""Refutations that a person can read: a drawing, a program to run by hand, a trace for tools.

Data in, text out: nothing here prints, and only `save` writes. `refutation_of` is where to
start; `evidence` are the lines that a terminal shows.
"""

from .drawing import ASCII, draw
from .program import program
from .recording import Call, NoSuchCaseError, call_of
from .refuted import Refutation, evidence, explain, refutation_of, save
from .trace import itf, values_of

__all__ = [
    "ASCII",
    "Call",
    "NoSuchCaseError",
    "Refutation",
    "call_of",
    "draw",
    "evidence",
    "explain",
    "itf",
    "program",
    "refutation_of",
    "save",
    "values_of",
]
