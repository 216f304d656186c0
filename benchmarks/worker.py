"""A worker: holds one subject, and answers on its standard streams, a JSON object per line.

`rivals/` speaks the same few lines in Rust, and so does this module under another Python:
that is how subjects of different builds take turns in one run.
"""

from __future__ import annotations

import gc
import json
import platform
import sys
import tracemalloc
from array import array
from pathlib import Path
from time import process_time_ns
from typing import TYPE_CHECKING, Any, Final

import vm_allocator

from .slices import SLICES, offers
from .subjects import ID_SUBJECTS, SUBJECTS
from .workloads import ABOUT_IDS, SCENARIOS, SplitMix64
from .worst import worst_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .subjects import Subject
    from .workloads import Ranges

TELLING_NS: Final = 5_000_000_000


def read_state(path: str) -> Ranges:
    """Read a state: pairs of little-endian 64-bit numbers."""
    numbers = array("Q", Path(path).read_bytes())
    if sys.byteorder != "little":
        numbers.byteswap()
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def scenarios_of(name: str) -> list[str]:
    """Return the scenarios that a subject takes part in."""
    return [
        scenario
        for scenario, state in SCENARIOS.items()
        if (name in ID_SUBJECTS) == (state in ABOUT_IDS) and offers(SUBJECTS[name](), scenario)
    ]


def hopeless(took_ns: int, loaded: int, count: int, limit_ns: int) -> bool:
    """Whether loading all of it will take longer than the limit.

    After some seconds the pace tells: no subject here becomes faster as it fills up. But a
    machine that is busy for a while does, and so only twice the limit is beyond hope.
    """
    late = took_ns > min(TELLING_NS, limit_ns // 4)
    return took_ns > limit_ns or (late and took_ns * count > 2 * limit_ns * loaded)


class Worker:
    """One subject in one state, or none yet."""

    def __init__(self) -> None:
        self._subject: Subject | None = None
        self._live: Ranges = []

    def hello(self) -> dict[str, Any]:
        """Say which subjects there are, in what, and what each takes part in."""
        found, missing = {}, []
        for name in SUBJECTS:
            try:
                found[name] = scenarios_of(name)
            except ImportError:
                missing.append(name)  # a rival that is not installed here
        return {
            "by": f"Python {platform.python_version()}",
            "compiled": bool(getattr(vm_allocator, "__compiled__", False)),
            "subjects": found,
            "missing": missing,
        }

    def load(self, subject: str, state: str, limit_ns: int) -> dict[str, Any]:
        """Build the subject, and bring it into the state; give up after `limit_ns` at work."""
        self._subject = SUBJECTS[subject]()
        self._live = read_state(state)
        load, loaded = self._subject.load, 0
        began = process_time_ns()
        for start, size in self._live:
            load(start, size)
            loaded += 1
            if not loaded % 64:
                took = process_time_ns() - began
                if hopeless(took, loaded, len(self._live), limit_ns):
                    return {"ns": took, "loaded": loaded, "complete": False}
        took = process_time_ns() - began
        # What is measured makes no garbage in cycles; a collection in the middle is noise.
        gc.collect()
        gc.freeze()
        gc.disable()
        return {"ns": took, "loaded": loaded, "complete": True}

    def slice(self, scenario: str, count: int, seed: int) -> dict[str, int]:
        """Run `count` operations of the scenario."""
        if self._subject is None:
            raise LookupError("load a state first")
        took, operations, granted = SLICES[scenario](self._subject, self._live, count, seed)
        return {"ns": took, "operations": operations, "sum": granted % (1 << 64)}

    def memory(self, subject: str, state: str, scenario: str, count: int) -> dict[str, int]:
        """Return the bytes that the subject holds in this state, its numbers included.

        It does some operations of the scenario first, so that what searches leave behind counts.
        """
        numbers = array("Q", Path(state).read_bytes())
        SUBJECTS[subject]()  # imports and caches are not the state's
        tracemalloc.start()
        built = SUBJECTS[subject]()
        for at in range(0, len(numbers), 2):
            built.load(numbers[at], numbers[at + 1])
        live = read_state(state)
        SLICES[scenario](built, live, count, 1)
        del live
        gc.collect()  # empties the free lists, too, which hold what was in `live`
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return {"bytes": held, "ranges": len(numbers) // 2}

    def worst(self, subject: str, size: int) -> dict[str, Any]:
        """Return the slowest single operation of each adversarial sequence."""
        return worst_of(subject, size)

    def draws(self, seed: int, count: int) -> dict[str, list[int]]:
        """Return the generator's numbers, to compare with another language's."""
        return {"draws": SplitMix64(seed).draw(count)}

    def answer(self, line: str) -> str:
        """Answer one line."""
        request: dict[str, Any] = json.loads(line)
        asked: Callable[..., dict[str, Any]] = getattr(self, request.pop("do"))
        return json.dumps(asked(**request))


def main() -> None:
    """Answer until the standard input ends."""
    worker = Worker()
    for line in sys.stdin:
        print(worker.answer(line), flush=True)


if __name__ == "__main__":
    main()
