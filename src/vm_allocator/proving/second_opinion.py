"""The second solver: reads SMT-LIB 2 text and answers for itself.

cvc5 answers questions about integers, bitwuzla those about bit-vectors. Neither shares code
with z3. Both are limited by their own resource counts where they have one.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from vm_allocator.symbolic.smt import Answer

SolverName = Literal["cvc5", "bitwuzla"]

CVC5_LIMIT: Final = 4_000_000
"""cvc5's own count of work per question (`rlimit-per`)."""

BITWUZLA_LIMIT_MS: Final = 120_000
"""bitwuzla counts no work, only milliseconds; its questions here take well below a second."""


def ask(solver: SolverName, text: str) -> Answer:
    """Return the solver's answer to the one question in the SMT-LIB 2 text."""
    return _ask_cvc5(text) if solver == "cvc5" else _ask_bitwuzla(text)


def named(solver: SolverName) -> str:
    """Return the solver's name with its version, for reports."""
    return f"{solver} {version(solver)}"


def _ask_cvc5(text: str) -> Answer:
    import cvc5  # type: ignore[import-untyped]  # noqa: PLC0415  # no types; slow to import

    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("rlimit-per", str(CVC5_LIMIT))
    symbols = cvc5.SymbolManager(terms)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    answer = ""
    while not (command := parser.nextCommand()).isNull():
        answer = str(command.invoke(solver, symbols)).strip() or answer
    return _as_answer(answer)


def _ask_bitwuzla(text: str) -> Answer:
    import bitwuzla  # type: ignore[import-not-found]  # noqa: PLC0415  # a C module, without types

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.TIME_LIMIT_PER, BITWUZLA_LIMIT_MS)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse(text, parse_only=True, parse_file=False)
    result = parser.bitwuzla().check_sat()
    if result == bitwuzla.Result.UNSAT:
        return "unsat"
    return "sat" if result == bitwuzla.Result.SAT else "unknown"


def _as_answer(text: str) -> Answer:
    if text == "unsat":
        return "unsat"
    return "sat" if text == "sat" else "unknown"
