"""The numbers of a model: which values a variable or a parameter may have.

    Vector = Annotated[int, Between(32, 255)]

A type checker sees an int. A parameter is one of these values; a variable of a state, or a
field of a row, must be one: that is an invariant like any other, and is proved with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias


@dataclass(frozen=True)
class Between:
    """The ints from `low` to `high`, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"no int lies between {self.low} and {self.high}: exchange them")


U8: TypeAlias = Annotated[int, Between(0, 2**8 - 1)]
U16: TypeAlias = Annotated[int, Between(0, 2**16 - 1)]
U32: TypeAlias = Annotated[int, Between(0, 2**32 - 1)]
U64: TypeAlias = Annotated[int, Between(0, 2**64 - 1)]
