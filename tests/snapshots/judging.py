"""What must come of a snapshot, whatever it is: told by the schema and by the specification."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any

from jsonschema import Draft202012Validator

from spec.snapshots import Told, agree, claims_agree
from tests.snapshots.making import board
from vm_allocator import (
    AddressAllocator,
    Claims,
    IdAllocator,
    OrderedPools,
    SnapshotError,
    dump_snapshot,
    load_snapshot,
)
from vm_allocator.modelling import Range, Refused
from vm_allocator.resource import U32_MAX, U64_MAX

_OF_A_POOL = ("kind", "base", "last", "alignment")

_LONGEST_INT = 100
"""Bits of an int that is shown to the schema, whose errors would be as long."""

MOST_SAID = 20_000
"""Characters of the longest error that there should be: 20 findings, each of them a few lines."""

KINDS = ("addresses", "ids", "pools", "claims", "system")


@cache
def schema() -> Draft202012Validator:
    """The schema that ships."""
    text = files("vm_allocator.snapshots").joinpath("schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def restore(kind: str, data: Any) -> Any:
    """Restore as this kind."""
    match kind:
        case "addresses":
            return AddressAllocator.restore(data)
        case "ids":
            return IdAllocator.restore(data)
        case "pools":
            return OrderedPools.restore(data)
        case "claims":
            return Claims.restore(data)
        case _:
            return board().restore(data)


def save(kind: str, restored: Any) -> Any:
    """Save what was restored as this kind."""
    if kind == "system":
        made, maps = restored
        return made.save(*maps)
    return restored.save()


def is_plain(value: Any) -> bool:
    """Whether it is of the types that JSON makes, and not nested deeper than snapshots are."""
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop()
        if type(value) is dict and depth < 12 and all(type(key) is str for key in value):
            waiting += [(each, depth + 1) for each in value.values()]
        elif type(value) is list and depth < 12:
            waiting += [(each, depth + 1) for each in value]
        elif (type(value) is int and value.bit_length() > 100) or (
            value is not None and type(value) not in {int, str, bool}
        ):
            return False
    return True


def is_possible(kind: str, data: Any) -> bool:
    """Whether there is such a state, and it is one of this kind."""
    if not is_plain(data) or not schema().is_valid(data) or data["kind"] != kind:
        return False
    match kind:
        case "addresses" | "ids":
            return _restored(data) is not None
        case "pools":
            return _are_pools(data["pools"])
        case "claims":
            return _are_claims(data, data["allocator"])
        case _:
            return _is_board(data)


def judge(kind: str, data: Any) -> str:
    """Restore it, and return what came of it; raise `AssertionError` if that is wrong."""
    possible = is_possible(kind, data)
    try:
        restored = restore(kind, data)
    except SnapshotError as error:
        if possible:
            raise AssertionError("refused, and there is such a state") from error
        return said(error)
    assert possible, "restored, and there is no such state"
    again = save(kind, restored)
    assert schema().is_valid(again)
    assert _content(again) == _content(data), "restored, and it is another state"
    text = dump_snapshot(again)
    assert dump_snapshot(save(kind, restore(kind, load_snapshot(text)))) == text
    for pool in _pools(kind, restored):
        pool._check()
    return "restored"


def judge_text(kind: str, text: Any) -> str:
    """Read the text, and judge what it says."""
    try:
        data = load_snapshot(text)
    except SnapshotError as error:
        return said(error)
    return judge(kind, data)


def said(error: SnapshotError) -> str:
    """Return which error it is: one that says something, and not too much."""
    assert error.findings
    assert len(str(error)) < MOST_SAID
    return type(error).__name__


def _pools(kind: str, restored: Any) -> list[Any]:
    match kind:
        case "addresses" | "ids":
            return [restored]
        case "pools":
            return list(restored.pools)
        case "claims":
            restored._check()
            return [restored.allocator]
        case _:
            return [pool.allocator for pool in restored[0].pools()]


def _restored(body: Any) -> Any:
    """The state of the specification, or nothing."""
    owned = [*body["live"], *body.get("reserved", ())]
    told = Told(
        U64_MAX if body["kind"] == "addresses" else U32_MAX,
        body["base"],
        body["last"],
        body.get("alignment", 1),
        tuple(Range(*one[:2]) for one in owned),
        tuple((Range(*one["old"][:2]), Range(*one["new"])) for one in body["moves"]),
    )
    try:
        return told.restored()
    except Refused:
        return None


def _are_pools(bodies: Any) -> bool:
    if len({body["kind"] for body in bodies}) > 1:
        return False
    apart = all(
        one["last"] < other["base"] or other["last"] < one["base"]
        for one, other in combinations(bodies, 2)
    )
    return apart and all(_restored(body) is not None for body in bodies)


def _are_claims(data: Any, body: Any) -> bool:
    if _restored(body) is None:
        return False
    return claims_agree(
        [Range(*one[:2]) for one in body["live"]],
        Range(body["base"], body["last"]),
        *([(Range(*one[:2]), one[2]) for one in data[key]] for key in ("held", "waiting")),
    )


def _is_board(data: Any) -> bool:
    pools = data["pools"]
    return (
        _are_the_pools_of_a_board(pools)
        and _are_the_fields_of_a_board(data["platform"], pools)
        and _are_devices(data["maps"], pools)
        and all(
            name == "bars" and each["pool"] == "pio" and _are_claims(each, pools["pio"])
            for name, each in data.get("claims", {}).items()
        )
        and agree(_live(pools), _held(data))
    )


def _are_the_pools_of_a_board(pools: Any) -> bool:
    named: list[Any] = list(board().pools())
    like = {name: pool.save() for name, pool in named}
    if set(pools) != set(like):
        return False
    return all(
        all(
            pools[name].get(key) == wanted.get(key) for key in ("kind", "base", "last", "alignment")
        )
        and _restored(pools[name]) is not None
        for name, wanted in like.items()
    )


def _are_the_fields_of_a_board(fields: Any, pools: Any) -> bool:
    forms = {"excluded": ("grants",), "timer": ("grant", "grants", "set")}
    return all(
        next(iter(field)) in forms.get(name, ())
        and all(pool in pools for pool, _, _ in _all_held(next(iter(field.values()))))
        and ("set" not in field or _are_of_their_kinds(field["set"], pools))
        for name, field in fields.items()
    )


def _are_devices(maps: Any, pools: Any) -> bool:
    for devices in maps:
        names = [device["device"] for device in devices]
        if len({(type(name), name) for name in names}) < len(names):
            return False
        if not all(_are_of_their_kinds(device, pools) for device in devices):
            return False
    return True


def _live(pools: Any) -> list[tuple[str, Range]]:
    return [
        (name, Range(*one[:2]))
        for name, body in pools.items()
        for one in (*body["live"], *(move["old"] for move in body["moves"]))
    ]


def _held(data: Any) -> list[tuple[str, Range]]:
    held = _all_held(data["platform"])
    for claims in data.get("claims", {}).values():
        held += [[claims["pool"], *claim[:2]] for claim in claims["held"]]
    for devices in data["maps"]:
        for device in devices:
            held += _all_held({key: device[key] for key in device if key != "device"})
    return [(pool, Range(start, end)) for pool, start, end in held]


def _are_of_their_kinds(device: Any, pools: Any) -> bool:
    wanted = {"instance": "ids", "irqs": "ids", "vectors": "ids", "mmio": "addresses"}
    return all(
        pool in pools and pools[pool]["kind"] == wanted.get(role, "addresses")
        for role in ("instance", "irqs", "vectors", "mmio", "pio")
        for pool, _, _ in _all_held(device[role])
    )


def _all_held(value: Any) -> list[Any]:
    """All `[pool, start, end]` in it."""
    if isinstance(value, dict):
        return [one for each in value.values() for one in _all_held(each)]
    if value and isinstance(value[0], str):
        return [value]
    return [one for each in value for one in _all_held(each)]


def _content(value: Any) -> Any:
    """What a snapshot says, apart from its version, and from the order of what is live."""
    if isinstance(value, dict):
        found = {key: _content(each) for key, each in value.items() if key != "version"}
        if "live" in found:
            found["live"] = sorted(found["live"])
            found["reserved"] = sorted(found.get("reserved", ()))
        if found.get("kind") == "system":
            # What is empty is told, or not.
            platform = found["platform"].items()
            found["platform"] = {key: one for key, one in platform if one != {"grants": []}}
            claims = found.get("claims", {}).items()
            found["claims"] = {key: one for key, one in claims if one["held"] or one["waiting"]}
        return found
    return [_content(each) for each in value] if isinstance(value, list) else value
