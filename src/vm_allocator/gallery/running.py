"""Running the checker on an entry of the gallery: the same calls each time, and no clock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from vm_allocator.checker.campaign import Options, run
from vm_allocator.checker.local import LocalTarget

if TYPE_CHECKING:
    from vm_allocator.checker.campaign import Report

    from .catalogue import Entry

ENOUGH: Final = 9_000
"""Calls in which every bug of the gallery is caught."""

_LONGEST: Final = 600.0
"""Seconds; calls are the limit that counts."""


def check(one: Entry, *, seed: int = 0, max_calls: int = ENOUGH) -> Report:
    """Hold an entry to the specification, in this process."""
    options = Options(seed=seed, max_time=_LONGEST, max_calls=max_calls)
    return run(partial(LocalTarget, one.factory, one.name), options)
