"""A hot-plug slot with power states: nothing is pulled from under a driver that works.

As in the PCI Express hot-plug of a guest: somebody asks (the attention button), the indicator
blinks while the guest makes up its mind, and only a slot without power lets its card go.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Self

from vm_allocator import modelling as vm


class Power(Enum):
    """The power indicator of the slot."""

    OFF = auto()
    BLINKING = auto()
    ON = auto()


class Asked(Enum):
    """What somebody has asked for, and the guest has not done yet."""

    PLUG = auto()
    UNPLUG = auto()


@dataclass(frozen=True)
class HotPlugSlot(vm.Model):
    """One slot, and how often it was used."""

    power: Power
    asked: Asked | None
    occupied: bool
    driver: bool

    @classmethod
    def initial(cls) -> Self:
        """The slot is empty."""
        return cls(Power.OFF, None, occupied=False, driver=False)

    @vm.invariant
    def driver_has_a_card(self) -> bool:
        """A driver that works has a card, and the card has power."""
        return not self.driver or (self.occupied and self.power is not Power.OFF)

    @vm.invariant
    def power_needs_a_card(self) -> bool:
        """An empty slot has no power."""
        return self.occupied or self.power is Power.OFF

    @vm.invariant
    def blinks_while_asked(self) -> bool:
        """The indicator blinks exactly while the guest has something to decide."""
        return (self.power is Power.BLINKING) == (self.asked is not None)

    @vm.invariant
    def plug_before_driver(self) -> bool:
        """While a plug is asked for, there is no driver yet."""
        return self.asked is not Asked.PLUG or not self.driver

    @vm.action
    def insert(self) -> Self:
        """Put a card into the slot, and ask the guest to use it."""
        vm.require(not self.occupied, "occupied")
        return replace(self, occupied=True, power=Power.BLINKING, asked=Asked.PLUG)

    @vm.action
    def press(self) -> Self:
        """Ask for the card back; or, a second time, keep it after all."""
        vm.require(self.occupied, "empty")
        vm.require(self.asked is not Asked.PLUG, "being-plugged")
        if self.asked is Asked.UNPLUG:
            return replace(self, power=Power.ON, asked=None)
        vm.require(self.power is Power.ON, "no-power")
        return replace(self, power=Power.BLINKING, asked=Asked.UNPLUG)

    @vm.action
    def accept(self) -> Self:
        """The guest does what was asked for."""
        asked = vm.demand(self.asked, "not-asked")
        if asked is Asked.PLUG:
            return replace(self, power=Power.ON, asked=None, driver=True)
        return replace(self, power=Power.OFF, asked=None, driver=False)

    @vm.action
    def remove(self) -> Self:
        """Pull the card."""
        vm.require(self.occupied, "empty")
        vm.require(self.power is Power.OFF, "has-power")
        return replace(self, occupied=False)
