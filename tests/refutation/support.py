"""Counterexamples made by hand, and copies of the package with one place changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Final

import vm_allocator
from spec.model import U32_MAX, U64_MAX, Allocator
from spec.proofs.cases import small_state
from vm_allocator.modelling import Range
from vm_allocator.proving.concrete_case import SampledCase, Values, breaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vm_allocator.proving.theorem import Theorem

PACKAGE: Final = Path(vm_allocator.__file__).parent

ADDRESSES, IDS = "the_address_allocator", "the_id_allocator"
GIVEN, LEFT_OUT = "given", "left out"


def values(
    live: list[tuple[int, int]],
    numbers: dict[str, int],
    choices: Mapping[str, object] | None = None,
    *,
    base: int = 0,
    last: int = 0xF,
    top: int = U64_MAX,
    alignment: int = 1,
) -> Values:
    """Return a case with a state before, and a request with the whole space as its window."""
    state = {"before.top": top, "before.base": base, "before.last": last, "alignment": alignment}
    request = {
        "request.size": 1,
        "request.align": 1,
        "request.window.start": base,
        "request.window.end": last,
    }
    return Values(
        {**state, **request, **numbers},
        {"before.live": [Range(*pair) for pair in live]},
        {"before.asked": {start: 1 for start, _ in live}},
        {"align": LEFT_OUT, "within": LEFT_OUT, **(choices or {})},
    )


def ids(
    live: list[tuple[int, int]],
    numbers: dict[str, int],
    choices: Mapping[str, object] | None = None,
    *,
    alignment: int = 1,
) -> Values:
    """Return the same of an `IdAllocator` from 5 to 23."""
    return values(live, numbers, choices, base=5, last=23, top=U32_MAX, alignment=alignment)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    errors: str


def run(program: str, directory: Path, package: Path | None = None) -> Ran:
    """Run a program by hand, as it were: with the real package, or with a copy of it."""
    path = directory / "refuted.py"
    path.write_text(program, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    done = subprocess.run(  # noqa: S603  # a program that we have just written
        [sys.executable, "-B", path],
        capture_output=True,
        check=False,
        cwd=directory,
        env=environment,
        text=True,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def changed_copy(directory: Path, module: str, before: str, after: str) -> Path:
    """Write a copy of the package in which one place reads otherwise; return where it is."""
    root = directory / "changed"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, root / "vm_allocator", ignore=skip)
    path = root / "vm_allocator" / f"{module}.py"
    path.write_text(_changed(module, before, after), encoding="utf-8")
    return root


def changed_module(module: str, before: str, after: str) -> ModuleType:
    """Return the same change as a module of this process, beside the real one."""
    changed = ModuleType(f"vm_allocator._changed_{module}")
    changed.__package__ = "vm_allocator"
    exec(_changed(module, before, after), changed.__dict__)  # noqa: S102  # our own source
    return changed


def _changed(module: str, before: str, after: str) -> str:
    text = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    # The first of several places will do; none at all means that the source has changed.
    if before not in text:
        raise LookupError(f"{module}.py has no place that reads {before!r}: write it anew")
    return text.replace(before, after, 1)


def sampled(theorem: Theorem, count: int, seed: int) -> Iterator[Values]:
    """Yield cases in which the theorem claims something, and is right."""
    random = Random(seed)  # noqa: S311  # reproducible sampling, no secret
    found = 0
    while found < count:
        case = SampledCase(Allocator, small_state, random)
        assert not breaks(theorem, case)
        if case.claims:
            found += 1
            yield case.values
