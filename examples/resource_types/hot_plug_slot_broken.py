"""Broken: a second press of the button cuts the power, whatever the guest is doing."""

from dataclasses import dataclass, replace
from typing import Self

from hot_plug_slot import Asked, HotPlugSlot, Power

from vm_allocator import modelling as vm


@dataclass(frozen=True)
class TakesThePowerAtOnce(HotPlugSlot):
    """`press` takes a second press for a last warning, and cuts the power."""

    @vm.action
    def press(self) -> Self:
        """Ask for the card back; or, a second time, insist."""
        vm.require(self.occupied, "empty")
        vm.require(self.asked is not Asked.PLUG, "being-plugged")
        if self.asked is Asked.UNPLUG:
            return replace(self, power=Power.OFF, asked=None)
        vm.require(self.power is Power.ON, "no-power")
        return replace(self, power=Power.BLINKING, asked=Asked.UNPLUG)
