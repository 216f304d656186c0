"""Every index that ships and whose bounded check `verify` makes."""

from __future__ import annotations

from typing import Final

from spec.proofs.bounded import Bounded, Factory, Subject, bounded_theorems, small_nodes
from spec.proofs.bounded_many import many_theorems
from spec.proofs.bounded_tree import TreeSubject, small_tree

INDEXES: Final[dict[str, tuple[Factory, type[Subject], int]]] = {
    "the_reference_index": (small_nodes, Subject, 0),
    "the_gap_tree": (small_tree, TreeSubject, 1),
}
"""By name: the index, how it is set up, and how many gaps less are looked at.

Another index is one line more.
"""


def all_bounded(gaps: int) -> list[Bounded]:
    """Return the theorems about every index that ships."""
    return [
        *(
            stated
            for name, (factory, subject, less) in INDEXES.items()
            for stated in bounded_theorems(factory, max(gaps - less, 1), name, subject)
        ),
        *many_theorems(small_nodes, max(gaps - 2, 1)),
    ]
