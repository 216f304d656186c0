"""What is shown in a terminal, and what is saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vm_allocator import LastMatch
from vm_allocator.refutation import evidence, explain, refutation_of, save, values_of

from .support import ADDRESSES, run, values

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"{ADDRESSES}_does_allocate_anywhere_as_the_model"
CASE = values([(0x0, 0x1), (0xC, 0xF)], {"request.size": 3}, {"policy": LastMatch})
REFUTATION = refutation_of(NAME, "The same start.", CASE)


def test_a_refutation_says_what_is_claimed_draws_it_and_ends_with_the_program() -> None:
    lines = explain(REFUTATION, ascii_only=True)
    assert lines[:12] == [
        "refuted: the address allocator does allocate anywhere as the model",
        "claim: The same start.",
        "",
        "call:     allocator.allocate(None, 0x3, policy=LastMatch)",
        "expected: returns 0x9",
        "",
        "          0x0      0x9",
        "before    ##..........%%%%  live 0x0-0x1, 0xc-0xf in 0x0-0xf",
        "request                     size 0x3, align left out (0x1)",
        "expected  ##.......%%%####  live 0x0-0x1, 0x9-0xb, 0xc-0xf in 0x0-0xf",
        "",
        "run this program to see what happens instead:",
    ]
    program = "\n".join(line[2:] for line in lines[13:]) + "\n"
    assert program == REFUTATION.program


def test_lines_below_a_claim_name_the_saved_program() -> None:
    assert "run this program to see what happens instead, saved as there.py:" in evidence(
        REFUTATION, "there.py"
    )
    assert not any(line.startswith("claim:") for line in evidence(REFUTATION))


def test_the_same_values_make_the_same_refutation() -> None:
    assert refutation_of(NAME, "The same start.", CASE) == REFUTATION


def test_a_program_and_a_trace_are_saved(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    program, trace = save(directory, REFUTATION)
    assert (program.name, trace.name) == (f"{NAME}.py", f"{NAME}.itf.json")
    assert run(program.read_text(encoding="utf-8"), tmp_path).code == 0
    assert values_of(json.loads(trace.read_text(encoding="utf-8"))) == CASE


def test_a_theorem_about_the_model_has_a_trace_and_no_program(tmp_path: Path) -> None:
    of = values([(0, 1)], {"old.start": 0, "old.end": 0})
    refutation = refutation_of("free_succeeds_exactly_when_that_range_is_live", "A claim.", of)
    assert refutation.program is None
    assert [path.name for path in save(tmp_path, refutation)] == [f"{refutation.theorem}.itf.json"]
    assert evidence(refutation) == list(refutation.drawing)
    assert refutation.sentence == "free succeeds exactly when that range is live"
