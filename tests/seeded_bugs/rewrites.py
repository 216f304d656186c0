"""The same bugs as one change each to the text of the source, in a module of their own.

The real module stays as it is: its changed text becomes another module, whose imports
are those of the original. A change that no longer applies is an error that says so.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from .index_bugs import allocator_on

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Rewrite:
    name: str
    module: str
    before: str
    after: str
    machine: str

    def load(self) -> Callable[..., Any]:
        """Return the factory of what the changed module defines."""
        changed = _changed(self.module, self.before, self.after)
        if self.module == "gaps":
            index = changed.SortedGaps
            return index if self.machine.startswith("index") else allocator_on(index)
        if self.module == "arithmetic":
            return _on_arithmetic(changed)
        return changed.AddressAllocator  # type: ignore[no-any-return]


def _changed(name: str, before: str, after: str) -> ModuleType:
    original = importlib.import_module(f"vm_allocator.{name}")
    text = inspect.getsource(original)
    if text.count(before) != 1:
        raise LookupError(
            f"{name}.py has {text.count(before)} places that read {before!r}: "
            "the source has changed, so write the seeded bug anew"
        )
    module = ModuleType(f"vm_allocator._seeded_{name}")
    module.__package__ = "vm_allocator"
    exec(compile(text.replace(before, after), f"<seeded {name}>", "exec"), module.__dict__)  # noqa: S102  # our own source
    return module


def _on_arithmetic(changed: ModuleType) -> Callable[..., Any]:
    """The reference index, its arithmetic replaced."""
    module = _changed("gaps", "class SortedGaps:", "class SortedGaps:")
    module.lowest_start = changed.lowest_start  # type: ignore[attr-defined]
    module.highest_start = changed.highest_start  # type: ignore[attr-defined]
    return allocator_on(module.SortedGaps)


REWRITES: Final = (
    Rewrite(
        "off by one in a split",
        "gaps",
        "self._gaps[gap_start] = start - 1",
        "self._gaps[gap_start] = start",
        "address-small",
    ),
    Rewrite(
        "no coalescing on the left",
        "gaps",
        "if left_end == start - 1:",
        "if False:",
        "index-small",
    ),
    Rewrite(
        "no coalescing on the right",
        "gaps",
        "end = self._gaps.pop(end + 1, end)",
        "pass",
        "address-small",
    ),
    Rewrite(
        "update frees before it checks",
        "address",
        "        self._place(new_start, new_end, granule, within)\n",
        "        self._index.remove(old_start, old_end)\n"
        "        self._place(new_start, new_end, granule, within)\n"
        "        self._index.add(old_start, old_end)\n",
        "address-small",
    ),
    Rewrite(
        "update does not look above the old range",
        "address",
        "if old_end < new_end:",
        "if False:",
        "address-small",
    ),
    Rewrite(
        "update looks at the old range, too",
        "address",
        "min(new_end, old_start - 1)",
        "new_end",
        "address-small",
    ),
    Rewrite(
        "ExactMatch does not look inside live ranges",
        "address",
        "            self._demand_free(exact, end, exact, end)\n",
        "            self._demand_free(exact, end, end, end)\n",
        "address-small",
    ),
    Rewrite(
        "FirstMatch ignores alignment",
        "arithmetic",
        "skip = padding(first, align)",
        "skip = 0",
        "address-small",
    ),
    Rewrite(
        "rounding up forgets what it skipped",
        "arithmetic",
        "span <= room - skip",
        "span <= room",
        "address-small",
    ),
    Rewrite(
        "LastMatch may start below the gap",
        "arithmetic",
        "        if first <= start:\n            return start\n",
        "        return start\n",
        "address-small",
    ),
    Rewrite(
        "free accepts a part of a range",
        "gaps",
        "return self._live.get(start) == end",
        "return end <= self._live.get(start, -1)",
        "address-small",
    ),
    Rewrite(
        "the end of the space wraps at 2^64",
        "address",
        "            end = exact + span\n",
        "            end = (exact + span) % 2**64\n",
        "address-ends",
    ),
    Rewrite(
        "the window is ignored",
        "address",
        "        return first, last\n",
        "        return self._base, self._last\n",
        "address-small",
    ),
    Rewrite(
        "the last address is never given",
        "address",
        "if start < self._base or self._last < end:",
        "if start < self._base or self._last <= end:",
        "address-small",
    ),
)
