"""Bugs in what devices hold: each class makes a plant with one mistake in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from vm_allocator.machines.device_lockstep import Plant, plant
from vm_allocator.resource_map import ResourceMap
from vm_allocator.resource_sets import free_all
from vm_allocator.transactions import Transaction
from vm_allocator.undoing import Undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.resource_sets import DeviceNeeds, ResourceSet


class Buggy(Plant):
    """A plant whose map, or whose transactions, are not as they should be."""

    map: ClassVar[type[ResourceMap[Any]]] = ResourceMap
    maps_begin: ClassVar[Callable[..., Transaction]] = Transaction
    users_begin: ClassVar[Callable[..., Transaction]] = Transaction

    def __init__(self, first: int, last: int, alignment: int) -> None:
        cls = type(self)
        good = plant(first, last, alignment)
        super().__init__(good.board, cls.map(cls.maps_begin), cls.users_begin)


class _ForgetsOne(ResourceMap[Any]):
    def unregister(self, device: Any, *, tx: Transaction | None = None) -> ResourceSet:
        held = self[device]
        with self._part(tx) as part:
            free_all(part, list(held)[:-1])
            self._put(part, device, None)
        return held


class UnregisterLeaksARange(Buggy):
    """An interrupt, or a BAR, is never given back (Firecracker pull requests 5890, 6118)."""

    map = _ForgetsOne


class _KeepsTheEntry(ResourceMap[Any]):
    def unregister(self, device: Any, *, tx: Transaction | None = None) -> ResourceSet:
        held = self[device]
        with self._part(tx) as part:
            held.free(part)
        return held


class UnregisterKeepsTheEntry(Buggy):
    """The ranges are free and the map still has the device (kata-containers issue 10971)."""

    map = _KeepsTheEntry


class _NeverRollsBack(Transaction):
    def _roll_back(self, error: BaseException) -> None:
        del error, self._log[self._mark :]


class RegisterLeavesAPartBehind(Buggy):
    """A device that does not fit keeps what it was granted before that was found out."""

    maps_begin = _NeverRollsBack


class _InOrder(Transaction):
    def _roll_back(self, error: BaseException) -> None:
        self._log[self._mark :] = self._log[self._mark :][::-1]
        super()._roll_back(error)


class RollBackGoesInOrder(Buggy):
    """What was freed first is allocated again first, while something else is in its place."""

    users_begin = maps_begin = _InOrder


class _Swallows(Transaction):
    def __exit__(self, *raised: Any) -> bool:  # type: ignore[override]  # noqa: PYI036  # that is the bug; passed on as they are
        super().__exit__(*raised)
        return isinstance(raised[1], Exception)


class RollBackSwallowsTheException(Buggy):
    """Everything is undone, and nobody is told."""

    users_begin = _Swallows


class _ByDefault(Transaction):
    def free(self, allocator: Any, resource: Any, size: Any = None) -> None:
        super().free(allocator, resource, size)
        self._log[-1] = self._log[-1]._replace(options={})


class RollBackAsksForTheDefaultAlignment(Buggy):
    """What was allocated with an alignment of its own cannot be put back."""

    users_begin = maps_begin = _ByDefault


class _AllocatesFirst(ResourceMap[Any]):
    def update_device(
        self, device: Any, needs: DeviceNeeds, *, tx: Transaction | None = None
    ) -> ResourceSet:
        before = self[device]
        with self._part(tx) as part:
            held = needs.allocate(part)
            free_all(part, [grant for grant in before if grant not in list(held)])
            self._put(part, device, held)
        return held


class NewRangesAreAllocatedBeforeOldOnesAreFreed(Buggy):
    """A BAR that moves by half its size collides with itself."""

    map = _AllocatesFirst


class _ForgetsThatItMoved(Transaction):
    def update(self, allocator: Any, *ranges: Any, **options: Any) -> None:
        super().update(allocator, *ranges, **options)
        self._log[-1] = Undo(int, (), {})


class RollBackForgetsAMove(Buggy):
    """A range that was moved stays there."""

    users_begin = _ForgetsThatItMoved
