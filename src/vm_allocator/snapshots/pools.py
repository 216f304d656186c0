"""Several allocators as one: the state of each, and that no two of them share an address."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from .errors import SnapshotStateError, shown
from .reading import envelope, opened
from .states import KINDS, UNITS, SavedState, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.resource import Unit
    from vm_allocator.view import RangeView

    from .reading import Reader

POOLS: Final = "pools"
MOST_POOLS: Final = 1024
"""In one list: each is compared with each."""


def save_pools(pools: Iterable[RangeView[Any, Any]]) -> dict[str, Any]:
    """Return the snapshot of pools that are tried in their order."""
    return {**envelope(POOLS), "pools": [saved_pool(pool) for pool in pools]}


def read_pools(data: Any) -> list[SavedState]:
    """Return the states of such pools. Raises a `SnapshotError` that names what is wrong."""
    reader = opened(data, POOLS)
    items = reader.items(reader.whole(data, ("pools",))["pools"], "pools")
    if not 1 <= len(items) <= MOST_POOLS:
        reader.wrong("pools", items, f"a list of 1 to {MOST_POOLS} pools")
    reader.check()
    found = [read_pool(reader, item, f"pools[{at}]") for at, item in enumerate(items)]
    reader.check()
    states = [state for state in found if state is not None]  # all of them: see the check
    for at, state in enumerate(states):
        state.check(reader.findings, f"pools[{at}].")
        if state.unit is not states[0].unit:
            text = f"it counts {KINDS[state.unit]}, and pools[0] {KINDS[states[0].unit]}"
            reader.findings.add(f"pools[{at}].kind", "kind", text)
    for (one_at, one), (at, other) in combinations(enumerate(states), 2):
        if one.base <= other.last and other.base <= one.last:
            show = other.unit.show_range
            text = (
                f"its space {show(other.base, other.last)} overlaps "
                f"that of pools[{one_at}], {show(one.base, one.last)}"
            )
            reader.findings.add(f"pools[{at}].base", "pools-overlap", text)
    reader.findings.check(SnapshotStateError)
    return states


def saved_pool(pool: RangeView[Any, Any]) -> dict[str, Any]:
    """Return the state of one of several allocators: it says what it counts."""
    state = SavedState.of(pool)
    return {"kind": KINDS[state.unit], **state.body()}


def read_pool(reader: Reader, item: object, where: str) -> SavedState | None:
    """Return the state of one of several allocators; `None` if even its kind is wrong."""
    kind = item.get("kind") if type(item) is dict else None
    unit: Unit | None = UNITS.get(kind) if type(kind) is str else None
    if unit is None:
        kinds = " or ".join(map(repr, UNITS))
        reader.findings.add(
            f"{where}.kind", "type", f"{shown(kind)} is no kind of allocator: {kinds}"
        )
        return None
    fields = reader.fields(item, where, ("kind", *keys_of(unit, reader.version)))
    return SavedState.from_fields(reader, fields, unit, f"{where}.")
