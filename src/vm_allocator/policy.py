"""Where to allocate: `FirstMatch`, `LastMatch` or `ExactMatch(start)`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias

from .resource import R


class Order(enum.Enum):
    """From which end of the window the search for room starts."""

    FIRST_MATCH = "FirstMatch"
    LAST_MATCH = "LastMatch"

    def __repr__(self) -> str:
        return self.value


FirstMatch: Final = Order.FIRST_MATCH
"""The lowest aligned start that fits."""

LastMatch: Final = Order.LAST_MATCH
"""The highest aligned start that fits."""


@dataclass(frozen=True, slots=True)
class ExactMatch(Generic[R]):
    """That very start, or a refusal."""

    start: R


Policy: TypeAlias = Order | ExactMatch[R]
