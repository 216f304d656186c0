"""What a target is, what it can do, and what it does not claim: the handshake, typed.

The fields are those of docs/protocol.md. What is declared here is believed and not tested.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from spec.model import MAX_ALIGNMENT, U32_MAX, U64_MAX

from .calls import Batch, Call, Free, Pick, Plain, Space, Update
from .device_calls import DeviceCall, Need
from .wide import Wide

PROTOCOL: Final = "vm-allocator/1"

Natural = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Operation: TypeAlias = Literal[
    "allocate",
    "free",
    "update",
    "live",
    "update_many",
    "move",
    "batch",
    "register",
    "unregister",
    "update_device",
]
_WITH_POOLS: Final = ("register", "unregister", "update_device", "live")
_WITHOUT_POOLS: Final = (
    "allocate",
    "free",
    "update",
    "live",
    "update_many",
    "move",
    "batch",
)
PolicyName: TypeAlias = Literal["first", "last", "any", "exact"]


class TargetError(Exception):
    """A target that cannot be checked at all: which one, what is wrong, and what to do."""

    def __init__(self, target: str, problem: str, remedy: str) -> None:
        super().__init__(target, problem, remedy)
        self.target = target
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.target}: {self.problem}: {self.remedy}"


class Spaces(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """The spaces that a target does not refuse by design; `None`: no limit of its own."""

    least_base: Natural = 0
    greatest_last: Natural | None = None
    least_size: Positive = 1
    greatest_size: Positive | None = None


class Profile(msgspec.Struct, frozen=True):
    """One target. See docs/protocol.md for each field."""

    protocol: str
    name: str
    kind: Literal["addresses", "ids"]
    operations: tuple[Operation, ...] = ("allocate", "free")
    policies: tuple[PolicyName, ...] = ("first",)
    align: bool = False
    within: bool = False
    default_alignment: Positive = 1
    spaces: Spaces = Spaces()
    largest: Natural | None = None
    greatest_align: Positive = MAX_ALIGNMENT
    greatest_size: Positive | None = None
    free_reports: bool = True
    free_by: Literal["range", "start"] = "range"
    reasons: bool = False
    snapshot: bool = False
    pools: tuple[str, ...] = ()
    concurrent: bool = False

    @property
    def top(self) -> int:
        """The last value that exists: 2^64-1 for addresses, 2^32-1 for ids."""
        return U64_MAX if self.kind == "addresses" else U32_MAX

    @property
    def limit(self) -> int:
        """The greatest number that may be sent."""
        return self.top if self.largest is None else self.largest

    @property
    def picks(self) -> tuple[Pick, ...]:
        """Where it can put what is allocated without a start."""
        return tuple(pick for pick in Pick if pick.value in self.policies)

    @property
    def updates(self) -> bool:
        """Whether it can move a range."""
        return "update" in self.operations

    def does(self, operation: str) -> bool:
        """Whether it has that operation."""
        return operation in self.operations or (operation == "snapshot" and self.saves)

    @property
    def saves(self) -> bool:
        """Whether it is asked to save and to restore its state: a target without pools."""
        return self.snapshot and not self.pools

    @property
    def lists(self) -> bool:
        """Whether it can list its live ranges."""
        return "live" in self.operations

    def takes_space(self, space: Space) -> bool:
        """Whether the target claims to manage such a space."""
        limits = self.spaces
        last = self.top if limits.greatest_last is None else limits.greatest_last
        size = self.top + 1 if limits.greatest_size is None else limits.greatest_size
        return (
            limits.least_base <= space.base <= space.last <= min(last, self.limit)
            and limits.least_size <= space.size <= size
        )

    def takes(self, call: Call) -> bool:
        """Whether the call can be put to the target at all, whatever it says of it."""
        return self._expressible(call) and all(0 <= n <= self.limit for n in numbers(call))

    def _expressible(self, call: Call) -> bool:
        if isinstance(call, Batch):
            return self.does("batch") and all(map(self._expressible, call.calls))
        if isinstance(call, Wide):
            return self._expressible_wide(call)
        return self._expressible_plain(call)

    def _expressible_plain(self, call: Plain) -> bool:
        if isinstance(call, Free):
            return self.most > 1 or call.size == 1
        if call.align is not None and (not self.align or call.align > self.greatest_align):
            return False
        if call.within is not None and not self.within:
            return False
        if isinstance(call, Update):
            return self.updates and self._size(call.size) and self._size(call.old_size)
        if not self._size(call.size):
            return False
        return "exact" in self.policies if call.start is not None else call.pick in self.picks

    def _expressible_wide(self, call: Wide) -> bool:
        if isinstance(call, DeviceCall):
            return self.does(call.operation) and all(map(self._gives, call.needs))
        ranges = [one for what, one in call.places() if what != "window"]
        return (
            self.does(call.operation)
            and all(self._size(one.end - one.start + 1) for one in ranges)
            and (call.align is None or (self.align and call.align <= self.greatest_align))
            and (call.within is None or self.within)
        )

    def _gives(self, need: Need) -> bool:
        return (
            need.pool in self.pools
            and need.size <= self.most
            and (need.align is None or (self.align and need.align <= self.greatest_align))
            and (bool(self.picks) if need.start is None else "exact" in self.policies)
        )

    @property
    def most(self) -> int:
        """The greatest size that may be asked for."""
        if self.greatest_size is None:
            return 1 if self.kind == "ids" else self.limit
        return self.greatest_size

    def _size(self, size: int) -> bool:
        # Where one at a time is all there is, a size cannot be said at all.
        return size == 1 if self.most == 1 else size <= self.most


def numbers(call: Call) -> list[int]:
    """Return every number of a call."""
    if isinstance(call, Wide):
        return call.numbers()
    if isinstance(call, Batch):
        return [number for one in call.calls for number in numbers(one)]
    if isinstance(call, Free):
        return [call.start, call.size]
    found = [call.size]
    found += [n for n in (call.start, call.align) if n is not None]
    found += [] if call.within is None else list(call.within)
    if isinstance(call, Update):
        found += [call.old_start, call.old_size]
    return found


def profile_of(target: str, data: Any) -> Profile:
    """Return the profile of a handshake that was decoded from JSON, or declared in Python.

    Raises `TargetError` for a handshake that cannot be right.
    """
    page = "see docs/protocol.md, 'The handshake'"
    try:
        profile = msgspec.convert(data, Profile)
    except (msgspec.ValidationError, OverflowError) as error:
        raise TargetError(target, f"its handshake is not valid ({error})", page) from None
    if profile.protocol != PROTOCOL:
        problem = f"it speaks {profile.protocol!r} and not {PROTOCOL!r}"
        raise TargetError(target, problem, "use an adapter of this version")
    if not profile.picks and "exact" not in profile.policies:
        raise TargetError(target, "it knows no policy", page)
    needed = ("register", "unregister") if profile.pools else ("allocate",)
    for operation in needed:
        if operation not in profile.operations:
            raise TargetError(target, f"it cannot {operation}", page)
    known = _WITH_POOLS if profile.pools else _WITHOUT_POOLS
    for one in profile.operations:
        if one not in known:
            kind = "of devices in pools" if profile.pools else "without pools"
            raise TargetError(target, f"{one!r} is no operation of a target {kind}", page)
    if len(set(profile.pools)) < len(profile.pools):
        raise TargetError(target, "it has two pools of one name", page)
    align = profile.default_alignment
    if align & (align - 1) or align > MAX_ALIGNMENT:
        raise TargetError(target, f"default_alignment {align} is no power of two", page)
    return profile
