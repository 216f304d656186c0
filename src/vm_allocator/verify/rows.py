"""The rows of `verify`, and what they sum up to."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vm_allocator.proving.verdict import Opinion, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence


class Section(enum.Enum):
    """What a row is about, and how far its answer reaches."""

    LEMMA = "lemmas about alignment"
    THEOREM = "theorems about the model"
    REFINEMENT = "the shipped source against model and contract"
    BOUNDED = "a whole index, its data structure included, against the contract"
    FALSE = "false theorems must be refuted"
    DOUBT = "true theorems out of reach must be left open"
    WITNESS = "every ending of every action is reached"
    MUTATION = "bent models must be refuted"
    SOURCE = "mutated copies of the shipped source must be refuted"
    MACHINE = "the allocators against the model, sampled"


@dataclass(frozen=True)
class Task:
    """One row to be made."""

    section: Section
    name: str


_NO_PROOF: Final = {
    Section.WITNESS: "reached",
    Section.MACHINE: "agreed",
    Section.DOUBT: "left open",
}
"""What is said of a row that holds and is not about a proof."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    section: Section
    name: str
    claim: str
    verdict: Verdict
    """For what is wrong on purpose, `refuted` is the answer that is wanted."""
    opinion: Opinion
    second_solver: str
    seconds: float
    measure: str
    """How much was looked at: paths and obligations, operations, endings."""
    evidence: tuple[str, ...] = ()
    """Lines that show why: a counterexample, a witness, a trace."""
    reason: str = ""
    """Why the row does not hold."""
    gaps: int | None = None
    """The number of gaps up to which it was looked at, if that is bounded."""

    @property
    def is_mutant(self) -> bool:
        """Whether the row is about something that is wrong on purpose."""
        return self.section in (Section.MUTATION, Section.SOURCE, Section.FALSE)

    @property
    def wanted(self) -> Verdict:
        """The verdict with which the row holds."""
        return Verdict.REFUTED if self.is_mutant else Verdict.PROVED

    @property
    def answer(self) -> str:
        """The verdict in the words that fit: only a proof is called one."""
        if self.verdict is Verdict.PROVED:
            if self.gaps is not None:
                return f"holds to k={self.gaps}"
            return _NO_PROOF.get(self.section, "proved")
        return str(self.verdict.value)

    @property
    def title(self) -> str:
        """The name as a person reads it: a theorem's is a sentence."""
        sentence = self.needs_confirmation or self.section in (Section.FALSE, Section.DOUBT)
        return self.name.replace("_", " ") if sentence else self.name

    @property
    def needs_confirmation(self) -> bool:
        """Whether the row counts only if a second solver confirms it."""
        return self.section in (
            Section.LEMMA,
            Section.THEOREM,
            Section.REFINEMENT,
            Section.BOUNDED,
        )

    @property
    def holds(self) -> bool:
        """Whether the row is as it must be."""
        if self.verdict is not self.wanted:
            return False
        return self.opinion is Opinion.CONFIRMED if self.needs_confirmation else True

    @property
    def refuted(self) -> bool:
        """Whether the row shows that something is wrong, rather than that nothing is known."""
        if self.is_mutant:
            return self.verdict is Verdict.PROVED
        return self.verdict is Verdict.REFUTED or self.opinion is Opinion.CONTRADICTED


@dataclass(frozen=True)
class Summary:
    """All rows, and what follows."""

    rows: Sequence[Row]
    seconds: float
    seed: int
    not_looked_at: Sequence[Task] = ()
    """What was selected and left undone, because a row before it had settled the answer."""

    @property
    def holds(self) -> bool:
        """Whether there is a row, every row is as it must be, and none is missing."""
        return bool(self.rows) and not self.not_looked_at and all(row.holds for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0 = holds, 1 = something is wrong, 2 = could not tell."""
        if self.holds:
            return 0
        return 1 if any(row.refuted for row in self.rows) else 2

    def counts(self) -> dict[Section, tuple[int, int]]:
        """Return, per section, how many rows hold and how many there are."""
        held = Counter(row.section for row in self.rows if row.holds)
        return {
            section: (held[section], total)
            for section, total in Counter(row.section for row in self.rows).items()
        }
