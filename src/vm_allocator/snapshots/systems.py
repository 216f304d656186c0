"""Whole systems: the pools, what the platform holds, what devices hold - and that they agree.

A system is restored in the likeness of another one, freshly made: that says which pools there
are, of which kind, over which spaces. A snapshot that tells of others is of another machine.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from vm_allocator.address import RangeAllocator
from vm_allocator.claims import ClaimPools, Claims
from vm_allocator.ordered_pools import OrderedPools
from vm_allocator.resource import Unit
from vm_allocator.resource_map import ResourceMap
from vm_allocator.resource_sets import Grant, ResourceSet

from .claims import SavedClaims, is_name
from .errors import (
    Findings,
    NotSavableError,
    SnapshotMismatchError,
    SnapshotStateError,
    plain,
    refuse,
    shown,
)
from .pools import read_pool, saved_pool
from .reading import envelope, opened
from .states import KINDS, SavedState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vm_allocator.system import SystemAllocator

    from .reading import Reader

System = TypeVar("System", bound="SystemAllocator")

SYSTEM: Final = "system"
ROLES: Final = {
    "instance": Unit.ID,
    "irqs": Unit.ID,
    "vectors": Unit.ID,
    "mmio": Unit.ADDRESS,
    "pio": Unit.ADDRESS,
}
"""What a device holds, and of which kind of pool."""
_KEYS: Final = ("pools", "platform", "claims", "maps")
_HELD: Final = 3  # [pool, start, end]


class Held(NamedTuple):
    """A range of a named pool that somebody holds, and where the snapshot says so."""

    pool: str
    start: int
    end: int
    where: str


@dataclass(slots=True)
class SavedSet:
    """What one device, or one field of the platform, holds."""

    name: str | int
    roles: dict[str, list[Held]]

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return not any(self.roles.values())

    def __iter__(self) -> Iterator[Held]:
        for held in self.roles.values():
            yield from held


@dataclass(slots=True)
class SavedSystem:
    """What a snapshot says of a system and of the maps of its devices."""

    pools: dict[str, SavedState]
    platform: dict[str, SavedSet] = field(default_factory=dict)
    maps: list[list[SavedSet]] = field(default_factory=list)
    claims: dict[str, tuple[str, SavedClaims]] = field(default_factory=dict)
    """By the field that they stand in: to which pool, and by whom."""

    def check(self, findings: Findings) -> None:
        """Note everything that breaks an invariant, of a pool or between them. O(n log n)."""
        for name, state in self.pools.items():
            state.check(findings, f"pools.{name}.")
        for pool, claims in self.claims.values():
            claims.check(self.pools[pool], findings)
        self._agree(findings)

    def _agree(self, findings: Findings) -> None:
        """Note where live ranges are not what is held: each by one, each once.

        What a pending move leads away from is held until the move has ended.
        """
        free = {
            (name, *entry[:2]): entry.where
            for name, state in self.pools.items()
            for entry in (*state.live, *(move.old for move in state.moves))
        }
        holders = dict[tuple[str, int, int], str]()
        for held in self.everything():
            key = held[:3]
            if key in holders:
                text = f"{self._said(held)} is held by {holders[key]} as well"
                findings.add(held.where, "held-twice", text)
            elif key in free:
                holders[key] = held.where
                del free[key]
            else:
                text = f"{self._said(held)} is held and not live"
                findings.add(held.where, "not-allocated", text)
        for (name, start, end), where in free.items():
            text = f"{self._said(Held(name, start, end, where))} is live and held by nobody"
            findings.add(where, "unaccounted", text)

    def everything(self) -> Iterator[Held]:
        """Iterate over all that is held."""
        for of_field in self.platform.values():
            yield from of_field
        for pool, claims in self.claims.values():
            for claim in claims.held:
                yield Held(pool, claim.start, claim.end, claim.where)
        for devices in self.maps:
            for device in devices:
                yield from device

    def _said(self, held: Held) -> str:
        unit = self.pools[held.pool].unit
        if 0 <= held.start <= held.end <= unit.top:
            return f"{held.pool} {unit.show_range(held.start, held.end)}"
        return f"{held.pool} {shown(held.start)} to {shown(held.end)}"


# ---- saving


def save_system(system: SystemAllocator, maps: Sequence[ResourceMap[Any]]) -> dict[str, Any]:
    """Return the snapshot of a system and of these maps."""
    names = _names(system)
    save = _Saver({id(pool): name for name, pool in names.items()})
    fields = system._values()
    platform = {name: save.field(name, value) for name, value in fields if _is_held(value)}
    devices = [
        [save.device(f"maps[{at}]", device, held) for device, held in each.items()]
        for at, each in enumerate(maps)
    ]
    data = {
        **envelope(SYSTEM),
        "pools": {name: saved_pool(pool) for name, pool in names.items()},
        "platform": platform,
        "claims": {name: save.claims(name, claims) for name, claims in system.claims()},
        "maps": devices,
    }
    _demand_all_in_pools(system)
    # What could not be restored is not saved.
    reader = opened(data, SYSTEM)
    saved = _read(reader, data, names)
    reader.check()
    saved._agree(reader.findings)
    reader.findings.check(SnapshotStateError)
    return data


def _demand_all_in_pools(system: SystemAllocator) -> None:
    """Raise `NotSavableError` unless claims that are made through pools are those of all fields.

    So that who has which claim need not be told twice.
    """
    everybody = {owner: claims for _, claims in system.claims() for owner in claims.owners()}
    for name, value in system._values():
        if isinstance(value, ClaimPools) and value._pools != everybody:
            text = "some claims were made past these pools, or in claims that are no field"
            raise refuse(NotSavableError, name, "claims", text)


class _Saver:
    def __init__(self, names: dict[int, str]) -> None:
        self._names = names

    def grant(self, where: str, grant: Grant[Any, Any]) -> list[str | int]:
        name = self._names.get(id(grant.pool))
        if name is None:
            text = f"{grant!r} is of a pool that is no field of the system"
            raise refuse(NotSavableError, where, "pool", text)
        return [name, int(grant.range.start), int(grant.range.end)]

    def set(self, where: str, held: ResourceSet) -> dict[str, Any]:
        each = {
            role: [self.grant(f"{where}.{role}", one) for one in getattr(held, role)]
            for role in ROLES
            if role != "instance"
        }
        return {"instance": self.grant(f"{where}.instance", held.instance), **each}

    def device(self, where: str, device: object, held: ResourceSet) -> dict[str, Any]:
        if not is_name(device):
            text = f"device {shown(device)} is no string and no 64-bit int: it cannot be saved"
            raise refuse(NotSavableError, where, "device", text)
        return {"device": device, **self.set(f"{where}, device {shown(device)}", held)}

    def claims(self, name: str, claims: Claims[Any, Any, Any]) -> dict[str, Any]:
        pool = self._names.get(id(claims.allocator))
        if pool is None:
            text = "these are claims to a pool that is no field of the system"
            raise refuse(NotSavableError, name, "pool", text)
        return {"pool": pool, **SavedClaims.of(claims, f"claims.{name}.").body()}

    def field(self, name: str, value: object) -> Any:
        if isinstance(value, Grant):
            return {"grant": self.grant(name, value)}
        if isinstance(value, ResourceSet):
            return {"set": self.set(name, value)}
        grants: list[Any] = list(value)  # type: ignore[call-overload]  # a tuple: see `_is_held`
        if not all(isinstance(one, Grant) for one in grants):
            text = "a tuple of grants and of other things cannot be saved: make two fields of it"
            raise refuse(NotSavableError, name, "type", text)
        return {"grants": [self.grant(name, one) for one in grants]}


def _is_held(value: object) -> bool:
    """Whether a field is about what the platform holds."""
    if isinstance(value, tuple):
        return not value or any(isinstance(one, Grant) for one in value)
    return isinstance(value, (Grant, ResourceSet))


def _names(system: SystemAllocator) -> dict[str, RangeAllocator[Any, Any]]:
    """Return the pools of the system by name. Raises `NotSavableError` for those of others."""
    found = dict[str, RangeAllocator[Any, Any]]()
    for name, pool in system.pools():
        if not isinstance(pool, RangeAllocator):
            text = f"a {type(pool).__name__} is no allocator of this library: it cannot be saved"
            raise refuse(NotSavableError, name, "pool", text)
        found[name] = pool
    return found


# ---- reading


def _read(
    reader: Reader, data: dict[str, Any], like: dict[str, RangeAllocator[Any, Any]]
) -> SavedSystem:
    """Return what the snapshot says; of pools, what it says of those of the system."""
    keys = ("pools", "platform", "maps") if reader.version == 1 else _KEYS
    top = reader.whole(data, keys)
    table = reader.table(top["pools"], "pools")
    mismatch = Findings()
    for name in table:
        if name not in like:
            mismatch.add(f"pools.{plain(name)}", "pool", "the system has no pool of that name")
    pools = dict[str, SavedState]()
    for name, pool in like.items():
        where = f"pools.{name}"
        if name not in table:
            mismatch.add(where, "pool", "the snapshot has no pool of that name")
            continue
        state = read_pool(reader, table[name], where)
        if state is not None:
            _compare(state, pool, where, mismatch)
            pools[name] = state
    reader.check()
    mismatch.check(SnapshotMismatchError)
    return SavedSystem(
        pools,
        {
            name: _field(reader, item, f"platform.{plain(name)}", pools)
            for name, item in reader.table(top["platform"], "platform").items()
        },
        [
            _devices(reader, item, f"maps[{at}]", pools)
            for at, item in enumerate(reader.items(top["maps"], "maps"))
        ],
        {} if reader.version == 1 else _claims(reader, top["claims"], pools),
    )


def _compare(
    state: SavedState, pool: RangeAllocator[Any, Any], where: str, mismatch: Findings
) -> None:
    """Note in what the state is not one of this pool."""
    for name, found, wanted in (
        ("kind", KINDS[state.unit], KINDS[pool._unit]),
        ("base", state.base, pool._base),
        ("last", state.last, pool._last),
        ("alignment", state.alignment, pool._align),
    ):
        if found != wanted:
            text = f"it is {shown(found)}, and {shown(wanted)} in the system"
            mismatch.add(f"{where}.{name}", "mismatch", text)


def _held(
    reader: Reader, item: object, where: str, pools: dict[str, SavedState], unit: Unit | None
) -> list[Held]:
    """Return one range that is held, or none if it is no such thing."""
    if type(item) is list and len(item) == _HELD:
        pool, start, end = item
        if type(pool) is str and type(start) is int and type(end) is int:
            if pool not in pools:
                reader.findings.add(where, "pool", f"there is no pool {shown(pool)}")
            elif unit is not None and pools[pool].unit is not unit:
                text = f"a range of {shown(pool)} stands where {KINDS[unit]} are wanted"
                reader.findings.add(where, "kind", text)
            else:
                return [Held(pool, start, end, where)]
            return []
    reader.wrong(where, item, "[pool, start, end]")
    return []


def _set(
    reader: Reader, fields: dict[str, Any], where: str, pools: dict[str, SavedState]
) -> dict[str, list[Held]]:
    roles = dict[str, list[Held]]()
    for role, unit in ROLES.items():
        here = f"{where}.{role}"
        if role == "instance":
            roles[role] = _held(reader, fields[role], here, pools, unit)
            continue
        roles[role] = []
        for at, item in enumerate(reader.items(fields[role], here)):
            roles[role] += _held(reader, item, f"{here}[{at}]", pools, unit)
    return roles


def _field(reader: Reader, item: object, where: str, pools: dict[str, SavedState]) -> SavedSet:
    form = next(iter(item)) if type(item) is dict and len(item) == 1 else None
    roles = dict[str, list[Held]]()
    name = ""
    if form == "grant":
        one = reader.fields(item, where, ("grant",))["grant"]
        roles["grant"] = _held(reader, one, where, pools, None)
        name = "grant"
    elif form == "grants":
        roles["grants"] = []
        listed = reader.items(reader.fields(item, where, ("grants",))["grants"], where)
        for at, one in enumerate(listed):
            roles["grants"] += _held(reader, one, f"{where}[{at}]", pools, None)
        name = "grants"
    elif form == "set":
        fields = reader.fields(reader.fields(item, where, ("set",))["set"], where, tuple(ROLES))
        roles = _set(reader, fields, where, pools)
        name = "set"
    else:
        reader.wrong(where, item, "an object with one of grant, grants, set")
    return SavedSet(name, roles)


def _claims(
    reader: Reader, value: object, pools: dict[str, SavedState]
) -> dict[str, tuple[str, SavedClaims]]:
    found = dict[str, tuple[str, SavedClaims]]()
    for name, item in reader.table(value, "claims").items():
        where = f"claims.{plain(name)}"
        fields = reader.fields(item, where, ("pool", "held", "waiting"))
        pool = reader.name(fields["pool"], f"{where}.pool")
        claims = SavedClaims.read(reader, fields, f"{where}.")
        if pool in pools:
            found[name] = (pool, claims)
        else:
            reader.findings.add(f"{where}.pool", "pool", f"there is no pool {shown(pool)}")
    return found


def _devices(
    reader: Reader, value: object, where: str, pools: dict[str, SavedState]
) -> list[SavedSet]:
    found: list[SavedSet] = []
    names: set[str | int] = set()
    for at, item in enumerate(reader.items(value, where)):
        if reader.findings.are_many:
            break
        here = f"{where}[{at}]"
        fields = reader.fields(item, here, ("device", *ROLES))
        name = fields["device"]
        if not is_name(name):
            reader.wrong(f"{here}.device", name, "a string, or an integer of 64 bits")
            name = ""
        elif name in names:
            reader.findings.add(f"{here}.device", "device-exists", f"{shown(name)} is there twice")
        names.add(name)
        found.append(SavedSet(name, _set(reader, fields, here, pools)))
    return found


# ---- restoring


def restore_system(like: System, data: Any) -> tuple[System, tuple[ResourceMap[Any], ...]]:
    """Return a system like this one, and its maps, in the state of the snapshot."""
    names = _names(like)
    reader = opened(data, SYSTEM)
    saved = _read(reader, data, names)
    values = dict(like._values())
    _compare_platform(saved, values, reader.findings)
    _compare_claims(saved, like, names, reader.findings)
    reader.check()
    saved.check(reader.findings)
    reader.findings.check(SnapshotStateError)
    # From here on nothing is refused.
    pools = {name: pool._made(saved.pools[name], type(pool._index)) for name, pool in names.items()}
    of_old = {id(pool): pools[name] for name, pool in names.items()}
    made = copy.copy(like)
    for name, value in values.items():
        now = _renewed(value, of_old)
        if isinstance(value, Claims):
            now = type(value)(of_old[id(value.allocator)])
            if name in saved.claims:
                saved.claims[name][1].put(now)
        if name in saved.platform and (_is_held(value) or not saved.platform[name].is_empty):
            now = _platform(saved.platform[name], pools)
        if now is not value:
            object.__setattr__(made, name, now)  # a dataclass may be frozen
    for name, value in values.items():
        if isinstance(value, ClaimPools):
            pools_of_it = type(value)()
            for _, claims in made.claims():
                pools_of_it._pools.update(dict.fromkeys(claims.owners(), claims))
            object.__setattr__(made, name, pools_of_it)
    return made, tuple([_map(devices, pools) for devices in saved.maps])


def _compare_platform(saved: SavedSystem, values: dict[str, Any], findings: Findings) -> None:
    """Note fields that the system does not have, or that hold something of another form."""
    for name, held in saved.platform.items():
        where = f"platform.{plain(name)}"
        if name not in values:
            findings.add(where, "field", "the system has no field of that name")
            continue
        value = values[name]
        fits = {
            "grant": isinstance(value, Grant),
            # Nobody can tell a tuple of no grants from one of no names.
            "grants": isinstance(value, tuple) and (_is_held(value) or held.is_empty),
            "set": isinstance(value, ResourceSet),
        }
        if value is not None and not fits.get(str(held.name), False):
            findings.add(where, "field", f"a {held.name} stands where the system has another form")
    for name, value in values.items():
        if value and _is_held(value) and name not in saved.platform:
            findings.add(f"platform.{name}", "missing-key", "the snapshot does not say what it is")


def _compare_claims(
    saved: SavedSystem,
    like: SystemAllocator,
    names: dict[str, RangeAllocator[Any, Any]],
    findings: Findings,
) -> None:
    """Note claims that the system does not have, or has to another pool."""
    known = {id(pool): name for name, pool in names.items()}
    wanted = {name: known.get(id(claims.allocator)) for name, claims in like.claims()}
    through_pools = any(isinstance(value, ClaimPools) for _, value in like._values())
    owners = dict[str | int, str]()
    for name, (pool, claims) in saved.claims.items():
        for claim in (*claims.held, *claims.waiting) if through_pools else ():
            if owners.setdefault(claim.owner, name) != name:
                text = f"{shown(claim.owner)} has a claim in {plain(owners[claim.owner])} already"
                findings.add(claim.where, "claimed-twice", text)
        if wanted.get(name) != pool:
            text = f"the system has no claims of that name to {shown(pool)}"
            findings.add(f"claims.{plain(name)}", "field", text)


def _renewed(value: Any, of_old: dict[int, Any]) -> Any:
    """Return the field of the new system for that of the old one."""
    if isinstance(value, OrderedPools):
        return type(value)(*[of_old[id(pool)] for pool in value.pools])
    return of_old.get(id(value), value)


def _grant(held: Held, pools: dict[str, RangeAllocator[Any, Any]]) -> Grant[Any, Any]:
    return Grant(pools[held.pool], held.start, held.end - held.start + 1)


def _resource_set(
    roles: dict[str, list[Held]], pools: dict[str, RangeAllocator[Any, Any]]
) -> ResourceSet:
    made = {role: tuple([_grant(one, pools) for one in held]) for role, held in roles.items()}
    (instance,) = made.pop("instance")
    return ResourceSet(instance, **made)


def _platform(held: SavedSet, pools: dict[str, RangeAllocator[Any, Any]]) -> Any:
    if held.name == "set":
        return _resource_set(held.roles, pools)
    grants = tuple([_grant(one, pools) for one in held])
    return grants[0] if held.name == "grant" else grants


def _map(
    devices: Iterable[SavedSet], pools: dict[str, RangeAllocator[Any, Any]]
) -> ResourceMap[Any]:
    made = ResourceMap[Any]()
    made._sets.update({one.name: _resource_set(one.roles, pools) for one in devices})
    return made
