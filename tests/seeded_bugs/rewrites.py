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

from spec.source_mutations import rebuilt

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
        if self.module in ("requests", "placement"):
            original = importlib.import_module(f"vm_allocator.{self.module}")
            changed = rebuilt(original, changed).address
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
        "self._gaps.put(gap[0], start - 1)",
        "self._gaps.put(gap[0], start)",
        "address-small",
    ),
    Rewrite(
        "no coalescing on the left",
        "gaps",
        "if left is not None and left[1] + 1 == start:",
        "if False:",
        "index-small",
    ),
    Rewrite(
        "no coalescing on the right",
        "gaps",
        "if right is not None and right[0] - 1 == end:",
        "if False:",
        "address-small",
    ),
    Rewrite(
        "update frees before it checks",
        "address",
        "        self._place(new_start, new_span, granule, first, last)\n",
        "        self._index.remove(old_start, old_start + old_span)\n"
        "        self._place(new_start, new_span, granule, first, last)\n"
        "        self._index.add(old_start, old_start + old_span)\n",
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
        "            self._demand_free(exact, span, exact, exact + span)\n",
        "            self._demand_free(exact, span, exact + span, exact + span)\n",
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
        "found[0] == start and found[1] == end",
        "found[0] == start and end <= found[1]",
        "address-small",
    ),
    Rewrite(
        "the end of the space wraps at 2^64",
        "address",
        "return first <= start <= last and span <= last - start",
        "return first <= start and (start + span) % 2**64 <= last",
        "address-ends",
    ),
    Rewrite(
        "the window is ignored",
        "requests",
        "        return first, last\n",
        "        return self._base, self._last\n",
        "address-small",
    ),
    Rewrite(
        "too few of many are enough",
        "address",
        "if len(starts) < wanted:",
        "if not starts:",
        "address-small",
    ),
    Rewrite(
        "the next of many may start in the last one",
        "gaps",
        "            first = taken + 1\n",
        "            first = taken\n",
        "index-small",
    ),
    Rewrite(
        "many stop one short of the start of the window",
        "gaps",
        "            if fit == first:\n",
        "            if fit - 1 <= first:\n",
        "address-small",
    ),
    Rewrite(
        "the last address is never given",
        "placement",
        "        if not self._inside(start, span, self._base, self._last):\n"
        "            raise OutOfBoundsError(",
        "        if not self._inside(start, span, self._base, self._last - 1):\n"
        "            raise OutOfBoundsError(",
        "address-small",
    ),
)
