"""Leave out, or bend, any one step of the bitmap's bookkeeping: a quick test fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.source import needs_source
from vm_allocator import __compiled__
from vm_allocator.id_bitmap import IdBitmap

from .maintenance import bitmap_with, maintenance_mutants
from .workout import effort, work_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex
    from vm_allocator.proving.source_mutation import SourceMutant

MUTANTS = [] if __compiled__ else maintenance_mutants()


def _passes(factory: Callable[..., GapIndex]) -> bool:
    try:
        effort(factory)
        work_out(factory)
    except Exception:  # noqa: BLE001  # a wrong answer, a broken invariant or a crash: all are noticed
        return False
    return True


def test_the_real_one_passes() -> None:
    effort(IdBitmap)
    work_out(IdBitmap)


@needs_source
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_step_left_out_is_noticed(mutant: SourceMutant) -> None:
    assert not _passes(bitmap_with(mutant))
