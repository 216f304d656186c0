"""A coverage-guided fuzzer of restores: `make fuzz`. It runs by itself, and needs atheris.

Its inputs are JSON texts, or choices of the damages that `hostile` knows. Whatever comes of one is
a state or a typed refusal; anything else ends the run, and is written where the output says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # for `make fuzz` alone

with atheris.instrument_imports(include=["vm_allocator.snapshots", "vm_allocator.saving"]):
    from vm_allocator import (
        AddressAllocator,
        Claims,
        IdAllocator,
        OrderedPools,
        SnapshotError,
        dump_snapshot,
        load_snapshot,
    )

from tests.snapshots.making import board

DATA = Path(__file__).parents[1] / "data" / "snapshots"


def restored(data: Any) -> Any:
    """Return what is saved of what is restored, as the kind that it says it is."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind == "ids":
        return IdAllocator.restore(data).save()
    if kind == "pools":
        return OrderedPools.restore(data).save()
    if kind == "system":
        made, maps = board().restore(data)
        return made.save(*maps)
    if kind == "claims":
        return Claims.restore(data).save()
    pool = AddressAllocator.restore(data)
    pool._check()
    return pool.save()


def one(text: bytes) -> None:
    """Restore what the text says: a state that is saved and restored as itself, or a refusal."""
    try:
        again = restored(load_snapshot(text))
    except SnapshotError as error:
        if not error.findings or not str(error):
            raise AssertionError("a refusal that says nothing") from error
        return
    if restored(load_snapshot(dump_snapshot(again))) != again:
        raise AssertionError("restored as something else")


def mutated(text: bytes, most: int, seed: int) -> bytes:
    """Mutate the bytes, or one number of the JSON that they are."""
    changed: bytes = atheris.Mutate(text, most)
    if seed % 2:
        return changed
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return changed
    numbers = list(_numbers(data))
    if not numbers:
        return changed
    where, key = numbers[seed // 2 % len(numbers)]
    where[key] += (1, -1, 2, -2, 16, -16, 1 << 32, -(1 << 32), 1 << 63)[seed // 7 % 9]
    return json.dumps(data).encode()[:most]


def _numbers(data: Any, depth: int = 0) -> Any:
    keys: Any = list(data) if isinstance(data, dict) else ()
    if isinstance(data, list):
        keys = range(len(data))
    for key in keys:
        if type(data[key]) is int:
            yield data, key
        elif depth < 12:
            yield from _numbers(data[key], depth + 1)


def main() -> None:
    """Fuzz: the arguments are libFuzzer's, the first a directory that what is new is kept in."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for sample in DATA.glob("*.json"):
        (corpus / sample.name).write_bytes(sample.read_bytes())
    atheris.Setup(sys.argv, one, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
