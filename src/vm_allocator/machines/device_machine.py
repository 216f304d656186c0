"""The machine that plugs and unplugs devices, in several pools at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from spec.devices import Wish

from .base import SessionMachine, always, step
from .device_lockstep import BARS, IRQS, MMIO, PIO, SLOTS, VECTORS, DeviceLockstep

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from spec.devices import Books

    from .requests import Requests
    from .session import Subject

NAMES: Final = ("disk", "nic", "gpu", "rng")
_MOSTLY: Final = (True, True, True, True, True, True, False)


def has_devices(subject: Subject) -> bool:
    """Whether something is plugged in."""
    return bool(cast("DeviceLockstep", subject).books.devices)


@dataclass(frozen=True)
class DeviceDraws:
    """Draws of whole operations: mostly such as are granted, if nothing comes before them."""

    draw: Requests
    books: Books

    def step(self) -> tuple[Any, ...]:
        """Draw any operation, also such as go past the map."""
        kinds = [self.register, self.allocate]
        if self.books.devices or self.draw.rarely():
            kinds += [self.update_device, self.move, self.unregister]
        if self.books.loose or self.draw.rarely():
            kinds += [self.free, self.update]
        return self.draw.pick(kinds)()

    def register(self) -> tuple[Any, ...]:
        """Draw a device that is mostly new, and what it needs."""
        return "register", self._device(there=False), (Wish(SLOTS, 1), *self._wishes())

    def unregister(self) -> tuple[Any, ...]:
        """Draw a device that is mostly there."""
        return "unregister", self._device(there=True)

    def update_device(self) -> tuple[Any, ...]:
        """Draw a device, what it keeps beside its instance, and what it needs beyond."""
        kept = tuple(at for at in range(1, 6) if self.draw.pick((True, True, False)))
        return "update_device", self._device(there=True), kept, self._wishes()

    def move(self) -> tuple[Any, ...]:
        """Draw a device, one of its BARs, and a place, mostly of the MMIO space."""
        place = self.draw.pick((self.draw.place(), self.draw.place(), self._port()))
        return "move", self._device(there=True), self.draw.pick(range(3)), place

    def allocate(self) -> tuple[Any, ...]:
        """Draw what is allocated past the map."""
        return "allocate", self._wish(self.draw.pick((IRQS, VECTORS, MMIO, PIO)))

    def free(self) -> tuple[Any, ...]:
        """Draw which of that is freed."""
        return "free", self.draw.pick(range(4))

    def update(self) -> tuple[Any, ...]:
        """Draw which of that is moved, and where."""
        return "update", self.draw.pick(range(4)), self.draw.place()

    def _device(self, *, there: bool) -> str:
        present = [name for name in NAMES if name in self.books.devices]
        absent = [name for name in NAMES if name not in self.books.devices]
        fits, other = (present, absent) if there else (absent, present)
        return self.draw.pick((fits if self.draw.pick(_MOSTLY) else other) or NAMES)

    def _wishes(self) -> tuple[Wish, ...]:
        """Draw up to three needs of any pools but that of the instances."""
        pools = (IRQS, VECTORS, MMIO, MMIO, PIO)
        count = self.draw.pick(range(4))
        return tuple(self._wish(self.draw.pick(pools)) for _ in range(count))

    def _wish(self, pool: int) -> Wish:
        """Draw a need that is mostly small and mostly leaves the place open."""
        sizes = (1, 1, 2, 4, self.draw.any_size() if pool in BARS else 3)
        align = self.draw.pick((None, 1, 1, 2, self.draw.align()))
        exact = pool == MMIO and self.draw.pick((True, False, False))
        at = self.draw.place() if exact else None
        return Wish(pool, self.draw.pick(sizes), align, at)

    def _port(self) -> int:
        return 0xCF0 + self.draw.pick(range(16))


class DeviceMachine(SessionMachine):
    """Drives `factory(first, last, alignment)`: a `Plant`, and a copy of it."""

    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds a plant in lockstep."""
        factory, alignment = self.run.factory, align()
        return lambda: DeviceLockstep(factory(first, last, alignment))

    def draws(
        self, chance: Random, suits: Callable[[Subject], bool] = always
    ) -> tuple[str, DeviceDraws]:
        """Draw which plant acts, and return its name and the draws for its state."""
        on, draw = self.choose(chance, suits)
        subject = cast("DeviceLockstep", self.session.subjects[on])
        return on, DeviceDraws(draw, subject.books)

    def operate(self, on: str, step: tuple[Any, ...]) -> None:
        """Carry out an operation that is granted or refused, and count which."""
        self.run.tally.count(self.do(on, "do", *step))

    @step()
    def plug(self, chance: Random) -> None:
        """Register a device, which is seldom there already."""
        on, draw = self.draws(chance)
        self.operate(on, draw.register())

    @step(has_devices)
    def unplug(self, chance: Random) -> None:
        """Unregister a device, which is seldom not there."""
        on, draw = self.draws(chance, has_devices)
        self.operate(on, draw.unregister())

    @step(has_devices)
    def change(self, chance: Random) -> None:
        """Let a device keep some of what it holds, and have some more."""
        on, draw = self.draws(chance, has_devices)
        self.operate(on, draw.update_device())

    @step(has_devices)
    def move_a_bar(self, chance: Random) -> None:
        """Move a BAR, as a guest does: by little, onto another one, away."""
        on, draw = self.draws(chance, has_devices)
        self.operate(on, draw.move())

    @step()
    def save_and_restore(self, chance: Random) -> None:
        """Go on with what is restored of a snapshot."""
        on, _ = self.choose(chance)
        self.do(on, "through_a_snapshot")

    @step()
    def several_at_once(self, chance: Random) -> None:
        """Do several things as one; every other time something fails at the end."""
        on, draws = self.draws(chance)
        draw = draws.draw
        steps = [draws.step() for _ in range(draw.pick((1, 2, 2, 3, 4)))]
        if draw.pick((True, False, False)):
            place = draw.pick(range(len(steps) + 1))
            steps.insert(place, ("part", *(draws.step() for _ in range(draw.pick((1, 2))))))
        fails = draw.pick((True, False))
        self.run.tally.count(self.do(on, "transact", tuple(steps), fails=fails))
