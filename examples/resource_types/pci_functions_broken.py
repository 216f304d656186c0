"""Broken: function 0 is unplugged while others of its device are in use."""

from dataclasses import dataclass, replace
from typing import Self

from pci_functions import PciFunctions, Place

from vm_allocator import modelling as vm


@dataclass(frozen=True)
class UnplugsFunctionZero(PciFunctions):
    """`unplug` treats all functions alike."""

    @vm.action
    def unplug(self, place: Place) -> Self:
        """Unplug any function that is there."""
        vm.require(place in self.functions, "not-plugged")
        return replace(self, functions=self.functions.drop(place))
