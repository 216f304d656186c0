"""Hostile snapshots: real ones that were damaged on purpose. `make hostile` runs many of them.

Each is judged by the schema and by the specification (`judging`): it is restored as what it says,
or refused with a typed error; nothing else may come of it. The seed tells all of them.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections import Counter
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, Any

from tests.snapshots.judging import KINDS, judge, judge_text, said
from tests.snapshots.making import saved
from vm_allocator import AddressAllocator, SnapshotError, dump_snapshot, load_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = 3 << 30
"""Bytes of address space that the command may have: enough for each snapshot of 64 MiB."""


class Text(str):
    """A str that is not quite one."""

    __slots__ = ()


class Number(int):
    """An int that is not quite one."""


class Table(dict[Any, Any]):
    """A dict that is not quite one."""


def _deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def _cycle() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


_MOST_PLACES = 1000

POISON: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: False,
    lambda: -1,
    lambda: 0,
    lambda: 1 << 32,
    lambda: (1 << 64) - 1,
    lambda: 1 << 64,
    lambda: -(1 << 64),
    lambda: 1 << 200_000,
    lambda: 1.0,
    lambda: float("nan"),
    lambda: float("-inf"),
    lambda: "",
    lambda: "live",
    lambda: "\x1b[2J\x00\ud800",
    lambda: "x" * 100_000,
    lambda: Text("addresses"),
    lambda: Number(5),
    lambda: b"5",
    list,
    lambda: [[]],
    lambda: [5],
    lambda: [5, 5],
    lambda: [5, 5, "x"],
    lambda: [5, 5, "x", "y"],
    lambda: (5, 5),
    dict,
    lambda: Table(live=[]),
    lambda: {5: 5},
    lambda: {Text("live"): []},
    lambda: _deep(100_000),
    _cycle,
    object,
    lambda: {5, 6},
)

STITCHES = (
    "NaN",
    "-Infinity",
    "1e999",
    "1.0",
    "-0",
    "9" * 5000,
    "[" * 5000,
    '{"live":' * 5000,
    '"live":[],',
    '"version":2,"version":2,',
    "\\ud800",
    "\x00",
    "null",
    "true",
    ",",
    "18446744073709551616",
    "]" * 3,
    "}" * 3,
)


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over all containers of the data, each with a key or position in it.

    Not into what was damaged before: that may be endless.
    """
    waiting = [data]
    seen = set[int]()
    while waiting and len(seen) < _MOST_PLACES:
        value = waiting.pop()
        if isinstance(value, (dict, list)) and id(value) not in seen:
            seen.add(id(value))
            keys: Any = list(value) if isinstance(value, dict) else range(len(value))
            for key in keys:
                yield value, key
                waiting.append(value[key])


def _copied(value: Any) -> Any:
    try:
        return deepcopy(value)
    except (RecursionError, TypeError):
        return value


def damage(data: Any, random: Random) -> None:
    """Damage the data at one place."""
    where, key = random.choice(list(places(data)))
    value = where[key]
    match random.randrange(8):
        case 0 | 1:
            where[key] = random.choice(POISON)()
        case 2 | 3 if type(value) is int:
            where[key] = value + random.choice((-1, 1, 1, 2, -7, 16, 1 << 31, -value))
        case 4 if isinstance(where, list):
            where.insert(random.randrange(len(where) + 1), _copied(random.choice(where)))
        case 5:
            del where[key]
        case 6 if isinstance(where, dict):
            where[random.choice(("more", "", "version", "live", 5, Text("base")))] = value
        case _:
            other, there = random.choice(list(places(data)))
            where[key] = _copied(other[there])


def damaged_text(text: str, random: Random) -> str | bytes:
    """Damage the text at a few places."""
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(text) + 1)
        match random.randrange(5):
            case 0:
                text = text[:at]
            case 1:
                text = text[:at] + random.choice(STITCHES) + text[at:]
            case 2:
                text = (
                    text[:at]
                    + chr(random.choice((0, 34, 44, 48, 91, 92, 93, 200)))
                    + text[at + 1 :]
                )
            case 3:
                to = random.randrange(len(text) + 1)
                text = text[:at] + text[min(at, to) : max(at, to)] + text[at:]
            case _:
                text = text[:at] + text[at + random.randint(1, 3) :]
    if random.random() < 0.2:
        return text.encode("utf-8", "replace") + random.choice((b"", b"\xff", b"\xed\xa0\x80"))
    return text


def one(seed: int) -> str:
    """Make the hostile snapshot of this seed; return what came of it, or raise."""
    random = Random(seed)
    data = saved(random)
    kind = data["kind"] if random.random() < 0.95 else random.choice(KINDS)
    how = random.random()
    times = random.choice((1, 1, 1, 2, 3))
    if how < 0.4:
        for _ in range(times):
            miscount(data, random)
        return judge_text(kind, dump_snapshot(data)) if how < 0.1 else judge(kind, data)
    if how < 0.7:
        for _ in range(times):
            damage(data, random)
        return judge(kind, data)
    return judge_text(kind, damaged_text(dump_snapshot(data), random))


def miscount(data: Any, random: Random) -> None:
    """Change one number of it, or let one entry stand twice, or not at all: it is data still."""
    found = list(places(data))
    numbers = [(where, key) for where, key in found if type(where[key]) is int]
    entries = [
        (where, key)
        for where, key in found
        if isinstance(where[key], list) and isinstance(where, list)
    ]
    if entries and random.random() < 0.3:
        where, key = random.choice(entries)
        if random.random() < 0.5:
            where.append(_copied(where[key]))
        else:
            del where[key]
        return
    where, key = random.choice(numbers)
    where[key] += random.choice((-1, -1, 1, 1, 2, 4, -16, 64, 1 << 63))


def giants() -> Iterator[tuple[str, str | bytes]]:
    """Iterate over texts whose only harm is their size."""
    head = '{"format":"vm-allocator snapshot","version":2,"kind":"addresses","base":0,'
    head += '"last":18446744073709551615,"alignment":1,"reserved":[],"moves":[],"live":['
    yield "100 MB of ranges", head + "[1,2]," * (100_000_000 // 6) + "[1,2]]}"
    yield "more values than there may be", head + "[1,2]," * 1_500_000 + "[1,2]]}"
    yield "a million ranges that overlap", head + "[1,2]," * 1_000_000 + "[1,2]]}"
    yield "a million empty lists", head + "[]," * 1_000_000 + "[]]}"
    yield "a million empty objects", head + "{}," * 1_000_000 + "{}]}"
    yield "nested ten million deep", "[" * 10_000_000
    yield "nested a million deep", "[" * 1_000_000
    yield "objects in objects", '{"a":' * 500_000
    yield "an int of ten million digits", head + "[1," + "9" * 10_000_000 + "]]}"
    yield "a string of 60 MB", head + '[1,2,"' + "x" * 60_000_000 + '"]]}'
    yield "an unknown key of 60 MB", '{"' + "k" * 60_000_000 + '":1}'
    yield "a million keys", "{" + ",".join(f'"{at}":1' for at in range(1_000_000)) + "}"
    yield "one key a million times", "{" + ",".join(['"a":1'] * 1_000_000) + "}"
    yield "60 MB of blanks", b" " * 60_000_000


def big(text: str | bytes) -> str:
    """Read a giant and restore it, with no second opinion; return what came of it."""
    try:
        AddressAllocator.restore(load_snapshot(text))
    except SnapshotError as error:
        return said(error)
    return "restored"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0 if each came to what it must."""
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=12_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first (default: %(default)s)")
    parser.add_argument("--one", type=int, help="only the snapshot of this seed, with a traceback")
    options = parser.parse_args(arguments)
    if options.one is not None:
        print(one(options.one))
        return 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    outcomes: Counter[str] = Counter()
    for seed in range(options.seed, options.seed + options.count):
        try:
            outcomes[one(seed)] += 1
        except BaseException as error:
            print(f"snapshot {seed}: {type(error).__name__}: {str(error)[:500]}")
            print(f"again: python -m tests.snapshots.hostile --one {seed}")
            if isinstance(error, Exception):
                return 1
            raise
    for name, text in giants():
        print(f"{name}: {big(text)}")
        outcomes["giants"] += 1
    print(f"{options.count} hostile snapshots, of the seeds from {options.seed} on:")
    for outcome, times in sorted(outcomes.items()):
        print(f"  {times:6} {outcome}")
    print(f"and nothing else, within {MEMORY >> 20} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
