"""Shrinking: bugs whose smallest trace is known, from a long way off."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Final

import pytest

from vm_allocator.checker.calls import Allocate, Call, Free, Space
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.shrinking import shrunk
from vm_allocator.checker.trial import Bench, Trial
from vm_allocator.checker.words import asked

from .troubled import Correct

FAR: Final = Space(0x4000_0000, 0x4000_FFFF)


class FreesTwice(Correct):
    """Freeing what is not live is granted."""

    def free(self, start: int, size: int) -> None:
        with suppress(Exception):
            super().free(start, size)


class FullAtThree(Correct):
    """Takes three live ranges at most, and says that there is no space for a fourth."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._live = 0

    def allocate(self, start: int | None, size: int) -> int:
        if self._live == 3:
            raise MemoryError
        granted = super().allocate(start, size)
        self._live += 1
        return granted

    def free(self, start: int, size: int) -> None:
        super().free(start, size)
        self._live -= 1


class NoHundred(Correct):
    """Breaks at sizes of 100 and more."""

    def allocate(self, start: int | None, size: int) -> int:
        if size >= 100:
            raise ZeroDivisionError
        return super().allocate(start, size)


class ForgetsAfterFree(Correct):
    """The first allocation after a free is granted at the base, and forgotten."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        self._base, self._freed = base, False

    def allocate(self, start: int | None, size: int) -> int:
        if self._freed and start is None:
            self._freed = False
            return self._base
        return super().allocate(start, size)

    def free(self, start: int, size: int) -> None:
        super().free(start, size)
        self._freed = True


def long_trace(seed: int) -> list[Call]:
    """Return many calls, most of which make sense."""
    chance = random.Random(seed)  # noqa: S311  # a workload, not a secret
    calls: list[Call] = []
    at = FAR.base
    live: list[tuple[int, int]] = []
    for _ in range(60):
        if live and chance.random() < 0.4:
            calls.append(Free(*live.pop(chance.randrange(len(live)))))
            continue
        size = chance.choice((3, 16, 0x180))
        live.append((at, size))
        calls.append(Allocate(size, at))
        at += size + chance.randrange(8)
    calls += [Free(*live[0]), Free(*live[0])]
    calls += [Allocate(size) for size in (5, 5, 5, 5, 5)]
    return calls


KNOWN: Final = [
    (FreesTwice, "exact free", ["free(0, 1)"]),
    (
        FullAtThree,
        "no crash",
        ["allocate(0, 1)", "allocate(1, 1)", "allocate(2, 1)", "allocate(0, 1)"],
    ),
    (NoHundred, "no crash", ["allocate(0, 0x64)"]),
]


def first(bench: Bench, calls: list[Call], broken: str) -> tuple[Trial, tuple[str, str, str, str]]:
    """Return a trial that breaks the property, and the key of the last time that it does."""
    trial = bench.try_calls(FAR, calls)
    keys = [one.key for _, one in trial.violations if one.broken.value == broken]
    assert keys, trial.violations
    return trial, keys[-1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("factory", "broken", "expected"), KNOWN)
def test_the_known_smallest_trace_is_reached(
    factory: type[Correct], broken: str, expected: list[str], seed: int
) -> None:
    bench = Bench(LocalTarget(factory))
    trial, key = first(bench, long_trace(seed), broken)
    small = shrunk(bench, trial, key)
    assert small is not None
    assert len(trial.steps) > len(small.steps)
    assert [asked(step.call) for step in small.steps] == expected
    last = small.steps[-1].violation
    assert last is not None
    assert last.key == key


@pytest.mark.parametrize("seed", range(3))
def test_where_several_traces_are_smallest_one_of_them_is_reached(seed: int) -> None:
    bench = Bench(LocalTarget(ForgetsAfterFree))
    trial, key = first(bench, long_trace(seed), "no overlap")
    small = shrunk(bench, trial, key)
    assert small is not None
    kinds = [step.call.kind for step in small.steps]
    assert kinds == ["allocate exact", "free", "allocate first", "allocate first"]
    assert small.space == Space(0, 1)


def test_what_does_not_happen_again_is_not_shrunk() -> None:
    trial, key = first(Bench(LocalTarget(FreesTwice)), long_trace(0), "exact free")
    assert shrunk(Bench(LocalTarget(Correct)), trial, key) is None


def test_a_smallest_trace_stays_as_it_is() -> None:
    bench = Bench(LocalTarget(FreesTwice))
    trial = bench.try_calls(Space(0, 0), [Free(0, 1)])
    ((_, violation),) = trial.violations
    assert shrunk(bench, trial, violation.key) == trial
