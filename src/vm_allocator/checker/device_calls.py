"""Calls about devices, each of which holds ranges of several pools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from vm_allocator.modelling import Range

from .wide import Fields, Wide, shown, shown_options, shown_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Need(NamedTuple):
    """What a device is to be given: `size` units of a pool, at `start` or anywhere."""

    pool: str
    size: int
    align: int | None = None
    start: int | None = None

    def at(self, start: int) -> Range:
        """Return the range that it would be there."""
        return Range(start, start + self.size - 1)

    def message(self) -> Fields:
        """Return it in the fields of docs/protocol.md."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def words(self) -> str:
        """Write it for people."""
        place = "" if self.start is None else f" at {shown(self.start)}"
        return f"{shown(self.size)} of {self.pool}{place}{shown_options(self.align, None)}"


class Kept(NamedTuple):
    """What a device holds, and is to keep."""

    pool: str
    range: Range

    def message(self) -> Fields:
        """Return it in the fields of docs/protocol.md."""
        start, end = self.range
        return {"pool": self.pool, "start": start, "size": end - start + 1}


@dataclass(frozen=True, slots=True)
class DeviceCall(Wide):
    """A call about one device, and what it is to be given, if anything."""

    device: str
    needs: tuple[Need, ...] = ()

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        needs = [need.message() for need in self.needs]
        return {"op": self.kind, "device": self.device, "needs": needs}

    def words(self) -> str:
        """Write the call as a program would."""
        return f"{self.kind}({self.device}{self._needs()})"

    def places(self) -> list[tuple[str, Range]]:
        """Return the ranges that it names."""
        exact = [(need, need.start) for need in self.needs]
        return [("asked", need.at(start)) for need, start in exact if start is not None]

    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call with each of its ranges changed."""
        return replace(self, needs=tuple(_changed(need, change) for need in self.needs))

    def placed(self, starts: tuple[int | None, ...]) -> Self:
        """Return the call with its needs at these very places."""
        pairs = zip(self.needs, starts, strict=True)
        return replace(self, needs=tuple(need._replace(start=start) for need, start in pairs))

    def simpler(self) -> Iterator[Self]:
        """Yield the call without a need, or without an option of one."""
        for at, need in enumerate(self.needs):
            before, behind = self.needs[:at], self.needs[at + 1 :]
            yield replace(self, needs=(*before, *behind))
            if need.align is not None:
                yield replace(self, needs=(*before, need._replace(align=None), *behind))
            if need.start is not None:
                yield replace(self, needs=(*before, need._replace(start=None), *behind))

    def smaller(self) -> Iterator[Self]:
        """Yield the call with a need smaller."""
        for at, need in enumerate(self.needs):
            for size in {1, need.size // 2, need.size - 1} - {need.size}:
                smaller = need._replace(size=max(size, 0))
                yield replace(self, needs=(*self.needs[:at], smaller, *self.needs[at + 1 :]))

    def numbers(self) -> list[int]:
        """Return every number of it."""
        found = [number for need in self.needs for number in need[1:] if number is not None]
        return [int(number) for number in found]

    def options(self) -> int:
        """Return how many parts it has that it could do without, or that make no sense."""
        optional = [(need.size < 1, need.align, need.start) for need in self.needs]
        return len(self.needs) + sum(
            nonsense + (align is not None) + (start is not None)
            for nonsense, align, start in optional
        )

    def _needs(self) -> str:
        return "".join(f", {need.words()}" for need in self.needs)


@dataclass(frozen=True, slots=True)
class Register(DeviceCall):
    """Allocate all that a new device needs, or nothing."""

    kind: ClassVar[str] = "register"
    operation: ClassVar[str] = "register"


@dataclass(frozen=True, slots=True)
class Unregister(DeviceCall):
    """Free all that the device holds, and forget it."""

    kind: ClassVar[str] = "unregister"
    operation: ClassVar[str] = "unregister"

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        return {"op": self.kind, "device": self.device}


@dataclass(frozen=True, slots=True)
class UpdateDevice(DeviceCall):
    """Free what the device does not keep, then allocate what is new; or change nothing."""

    kind: ClassVar[str] = "update_device"
    operation: ClassVar[str] = "update_device"

    keep: tuple[Kept, ...] = ()

    def message(self) -> Fields:
        """Return the call in the fields of docs/protocol.md."""
        found = DeviceCall.message(self)
        return {**found, "keep": [kept.message() for kept in self.keep]}

    def words(self) -> str:
        """Write the call as a program would."""
        kept = "".join(f", keep {shown_range(one.range)} of {one.pool}" for one in self.keep)
        return f"{self.kind}({self.device}{kept}{self._needs()})"

    def places(self) -> list[tuple[str, Range]]:
        """Return the ranges that it names."""
        kept = [("kept", one.range) for one in self.keep]
        return [*kept, *DeviceCall.places(self)]

    def ranges(self, change: Callable[[Range], Range]) -> Self:
        """Return the call with each of its ranges changed."""
        changed = DeviceCall.ranges(self, change)
        keep = tuple(one._replace(range=change(one.range)) for one in self.keep)
        return replace(changed, keep=keep)

    def simpler(self) -> Iterator[Self]:
        """Yield the call without something that is kept, or a need, or an option of one."""
        for at in range(len(self.keep)):
            yield replace(self, keep=self.keep[:at] + self.keep[at + 1 :])
        yield from DeviceCall.simpler(self)

    def numbers(self) -> list[int]:
        """Return every number of it."""
        return [*DeviceCall.numbers(self), *(end for one in self.keep for end in one.range)]

    def options(self) -> int:
        """Return how many parts it has that it could do without, or that make no sense."""
        return len(self.keep) + DeviceCall.options(self)


def _changed(need: Need, change: Callable[[Range], Range]) -> Need:
    if need.start is None or need.size < 1:
        return need
    start, end = change(need.at(need.start))
    return need._replace(start=start, size=end - start + 1)
