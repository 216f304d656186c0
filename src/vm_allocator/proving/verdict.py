"""What came of trying to prove a theorem."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .concrete_case import Values


class Verdict(enum.Enum):
    """Three values. `UNKNOWN` is never shown or counted as a success."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


class Opinion(enum.Enum):
    """What the second solver says of a proof."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    CONTRADICTED = "contradicted"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Proof:
    """One theorem, tried on one model."""

    name: str
    claim: str
    verdict: Verdict
    opinion: Opinion
    second_solver: str
    paths: int
    obligations: int
    seconds: float
    reason: str = ""
    """Why the verdict is not `proved`."""
    counterexample: Values | None = None
    """Values that break the theorem. They were executed: the claim failed on them."""
    smt_lib: list[str] = field(default_factory=list)
    """The obligations as SMT-LIB 2, if they were asked for."""

    @property
    def holds(self) -> bool:
        """Whether the row counts as proved: by z3, and confirmed by the second solver."""
        return self.verdict is Verdict.PROVED and self.opinion is Opinion.CONFIRMED
