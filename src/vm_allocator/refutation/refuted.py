"""A refutation: everything that is shown and saved of one counterexample."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spec.proofs.subjects import Shipped

from .drawing import ASCII, EXPECTED, draw
from .expectation import FITS, expected_of, members
from .program import program
from .recording import call_of
from .trace import itf
from .trial import misbehaves

if TYPE_CHECKING:
    from pathlib import Path

    from spec.model import Allocator
    from vm_allocator.proving.concrete_case import Values


@dataclass(frozen=True)
class Refutation:
    """A theorem that is false, and what shows it."""

    theorem: str
    claim: str
    drawing: tuple[str, ...]
    call: str | None
    """The call that ends otherwise, as Python; `None` for theorems about the model itself."""
    expected: str | None
    """How the specification has it end."""
    program: str | None
    """A program that shows it, to be run by hand; `None` for theorems about the model itself."""
    itf: dict[str, Any]
    """The trace for tools; see `trace`."""

    @property
    def sentence(self) -> str:
        """The name of the theorem as a person reads it."""
        return self.theorem.replace("_", " ")


def refutation_of(
    theorem_name: str, claim: str, values: Values, shipped: Shipped | None = None
) -> Refutation:
    """Return the refutation of a theorem by the values that break it.

    `shipped` are the modules that it is about, if these are not the real ones. The program
    is kept as short as possible: only if the call, made here with them, seems to end as it
    should does the program watch what the gap index is asked, too.

    Raises `NoSuchCaseError` (a `ValueError`) if the theorem does not speak of these values.
    """
    call = call_of(theorem_name, values)
    if call is None:
        trace = itf(theorem_name, claim, values)
        return Refutation(theorem_name, claim, tuple(draw(values)), None, None, None, trace)
    expected = expected_of(call)
    plain = call.before is not None and not call.watched
    guarded = not plain or not misbehaves(call, expected, shipped or Shipped())
    shown = values
    if call.before is not None and expected.after is not None and expected.refusal is None:
        shown = _with_state(values, expected.after)
    return Refutation(
        theorem=theorem_name,
        claim=claim,
        drawing=tuple(draw(shown)),
        call=call.text(),
        expected=FITS if call.watched else expected.outcome,
        program=program(theorem_name, claim, call, guarded=guarded),
        itf=itf(theorem_name, claim, values, call, expected),
    )


def evidence(
    refutation: Refutation, saved: str | Path | None = None, *, ascii_only: bool = False
) -> list[str]:
    """Return the lines below a claim: the call, the drawing, and the program.

    `saved` says where the program is, if `save` wrote it.
    """
    lines = [*refutation.drawing]
    if refutation.call is not None and refutation.program is not None:
        where = "" if saved is None else f", saved as {saved}"
        lines = [
            f"call:     {refutation.call}",
            f"expected: {refutation.expected}",
            "",
            *lines,
            "",
            f"run this program to see what happens instead{where}:",
            "",
            *(f"  {line}".rstrip() for line in refutation.program.splitlines()),
        ]
    return [line.translate(ASCII) for line in lines] if ascii_only else lines


def explain(refutation: Refutation, *, ascii_only: bool = False) -> list[str]:
    """Return what a terminal shows: the claim in words, the drawing, the program."""
    return [
        f"refuted: {refutation.sentence}",
        f"claim: {refutation.claim}",
        "",
        *evidence(refutation, ascii_only=ascii_only),
    ]


def save(directory: Path, refutation: Refutation) -> list[Path]:
    """Write NAME.py (if there is a program) and NAME.itf.json; return where. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    if refutation.program is not None:
        path = directory / f"{refutation.theorem}.py"
        path.write_text(refutation.program, encoding="utf-8")
        written.append(path)
    path = directory / f"{refutation.theorem}.itf.json"
    path.write_text(json.dumps(refutation.itf, indent=1) + "\n", encoding="utf-8")
    return [*written, path]


def _with_state(values: Values, after: Allocator) -> Values:
    shown = deepcopy(values)
    shown.numbers |= {f"{EXPECTED}.base": after.base, f"{EXPECTED}.last": after.last}
    shown.ranges[f"{EXPECTED}.live"] = members(after)
    return shown
