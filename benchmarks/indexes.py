"""The gap indexes that this checkout has, by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.gaps import GapIndex

    Factory = Callable[[int, int], GapIndex]


def _gap_tree() -> dict[str, Any]:
    try:
        module = import_module("vm_allocator.gap_tree")
    except ImportError:
        return {}  # a checkout from before the tree
    return {"GapTree": module.GapTree}


INDEXES: Final[dict[str, Factory]] = {**_gap_tree(), "SortedGaps": SortedGaps}
"""For addresses, the fastest first."""

ID_INDEXES: Final[dict[str, Factory]] = {"IdBitmap": IdBitmap, **INDEXES}


def fast_index(otherwise: Factory) -> Factory:
    """Return the fastest index for addresses."""
    return next(iter(INDEXES.values()), otherwise)
