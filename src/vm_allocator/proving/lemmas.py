"""The lemmas about alignment, instantiated wherever a proof needs them.

Proofs over mathematical integers know `align_up(x, a)` and its kin only as names, plus what
is said here. Each lemma states its own domain, so that nothing is assumed beyond what
`spec/proofs/arithmetic.py` proves of the code of the leaves, on bit-vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vm_allocator.symbolic import smt
from vm_allocator.symbolic.values import ALIGNED, DOWN, POWER_OF_TWO, UP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm, Term

DOMAIN: Final = 2**66
"""Addresses of a lemma are integers from -DOMAIN to DOMAIN; alignments are 1 to 2^64."""

EXACT_ALIGNMENTS: Final = tuple(2**k for k in (0, 1, 2, 3, 4, 12, 63))
"""The alignments for which a counterexample is sought: there the leaves are computed exactly."""

MOST_KNOWN: Final = 10_000
_KNOWN: Final[dict[int, tuple[BoolTerm, bool]]] = {}
"""Answers of `mentions_alignment`: every path of a theorem asks again. Kept alive, terms keep
their ids."""

POWERS: Final = (1, 4)
"""The powers of two that theorems name as such: each is one."""


class Applications:
    """The places where formulas mention alignment."""

    def __init__(self, formulas: Iterable[Term]) -> None:
        self.ups: dict[tuple[int, int], tuple[IntTerm, IntTerm]] = {}
        self.downs: dict[tuple[int, int], tuple[IntTerm, IntTerm]] = {}
        self.tests: dict[tuple[int, int], tuple[IntTerm, IntTerm]] = {}
        self.powers: dict[int, IntTerm] = {}
        tables = {UP.name(): self.ups, DOWN.name(): self.downs, ALIGNED.name(): self.tests}
        seen: set[int] = set()
        pending = list(formulas)
        while pending:
            term = pending.pop()
            if term.get_id() in seen:
                continue
            seen.add(term.get_id())
            pending += term.children()
            if not smt.is_application(term):
                continue
            name = term.decl().name()
            if name in tables:
                address, align = term.arg(0), term.arg(1)
                tables[name][address.get_id(), align.get_id()] = (address, align)
            elif name == POWER_OF_TWO.name():
                self.powers[term.arg(0).get_id()] = term.arg(0)

    def alignments(self) -> list[IntTerm]:
        """Return the alignments that are mentioned, each once."""
        tables = (self.ups, self.downs, self.tests)
        found = {align.get_id(): align for table in tables for _, align in table.values()}
        return list({**found, **self.powers}.values())


def mentions_alignment(formula: BoolTerm) -> bool:
    """Whether a leaf occurs in the formula."""
    known = _KNOWN.get(formula.get_id())
    if known is None:
        if len(_KNOWN) == MOST_KNOWN:
            _KNOWN.clear()
        found = Applications([formula])
        mentions = bool(found.ups or found.downs or found.tests or found.powers)
        _KNOWN[formula.get_id()] = known = (formula, mentions)
    return known[1]


def lemma_instances(formulas: Iterable[Term]) -> list[BoolTerm]:
    """Return every lemma for every alignment term that occurs in the formulas."""
    found = Applications(formulas)
    aligned = [
        *found.tests.values(),
        *((UP(address, align), align) for address, align in found.ups.values()),
        *((DOWN(address, align), align) for address, align in found.downs.values()),
    ]
    one = smt.literal(1)
    return [
        *(
            smt.implies(smt.equal(align, smt.literal(power)), POWER_OF_TWO(align))
            for align in found.alignments()
            for power in POWERS
        ),
        *(
            smt.implies(smt.conj(smt.equal(align, one), _in_domain(*test)), ALIGNED(*test))
            for test in found.tests.values()
            for align in test[1:]
        ),
        *(fact for application in found.ups.values() for fact in _of_up(*application, aligned)),
        *(fact for application in found.downs.values() for fact in _of_down(*application, aligned)),
    ]


def _in_domain(address: IntTerm, align: IntTerm) -> BoolTerm:
    return smt.conj(
        POWER_OF_TWO(align),
        smt.literal(1) <= align,
        align <= smt.literal(2**64),
        smt.literal(-DOMAIN) <= address,
        address <= smt.literal(DOMAIN),
    )


def _of_up(
    address: IntTerm, align: IntTerm, aligned: Iterable[tuple[IntTerm, IntTerm]]
) -> Iterator[BoolTerm]:
    up = UP(address, align)
    domain = _in_domain(address, align)
    yield smt.implies(domain, smt.conj(address <= up, up < address + align, ALIGNED(up, align)))
    for multiple, of in aligned:
        if of.get_id() == align.get_id():
            premise = smt.conj(domain, _in_domain(multiple, align), ALIGNED(multiple, align))
            yield smt.implies(smt.conj(premise, address <= multiple), up <= multiple)


def _of_down(
    address: IntTerm, align: IntTerm, aligned: Iterable[tuple[IntTerm, IntTerm]]
) -> Iterator[BoolTerm]:
    down = DOWN(address, align)
    domain = _in_domain(address, align)
    yield smt.implies(
        domain, smt.conj(down <= address, address - align < down, ALIGNED(down, align))
    )
    for multiple, of in aligned:
        if of.get_id() == align.get_id():
            premise = smt.conj(domain, _in_domain(multiple, align), ALIGNED(multiple, align))
            yield smt.implies(smt.conj(premise, multiple <= address), multiple <= down)


def exact_instances(formulas: Iterable[Term]) -> list[BoolTerm]:
    """Say what the leaves compute, for a few alignments, and that no others are looked at.

    A proof must not use this; the search for a counterexample does, so that what it finds
    is real. `quotient` names the integer k of `multiple = k * align`.
    """
    found = Applications(formulas)
    facts = [smt.disj(*_is_one_of(align)) for align in found.alignments()]
    facts += [POWER_OF_TWO(align) for align in found.powers.values()]
    for number, (address, align) in enumerate(found.ups.values()):
        up = UP(address, align)
        facts += [address <= up, up < address + align, *_is_multiple(up, align, f"up!{number}")]
    for number, (address, align) in enumerate(found.downs.values()):
        down = DOWN(address, align)
        facts += [down <= address, address - align < down]
        facts += _is_multiple(down, align, f"down!{number}")
    for number, (address, align) in enumerate(found.tests.values()):
        quotient, rest = smt.integer(f"quotient!{number}"), smt.integer(f"rest!{number}")
        facts += [smt.literal(0) <= rest, rest < align]
        facts += _scaled(address - rest, align, quotient)
        facts.append(smt.equal(ALIGNED(address, align), smt.equal(rest, smt.literal(0))))
    return facts


def _is_one_of(align: IntTerm) -> list[BoolTerm]:
    return [smt.equal(align, smt.literal(power)) for power in EXACT_ALIGNMENTS]


def _is_multiple(value: IntTerm, align: IntTerm, name: str) -> list[BoolTerm]:
    return _scaled(value, align, smt.integer(f"quotient!{name}"))


def _scaled(value: IntTerm, align: IntTerm, quotient: IntTerm) -> list[BoolTerm]:
    """Say that value = quotient * align, linearly: once per alignment that is looked at."""
    return [
        smt.implies(
            smt.equal(align, smt.literal(power)), smt.equal(value, smt.scaled(power, quotient))
        )
        for power in EXACT_ALIGNMENTS
    ]
