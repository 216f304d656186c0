"""PCI functions by bus, device and function number, and what makes a device multi-function.

A guest looks at function 0 of a device first. If there is none it looks no further; if its
header type does not say "multi-function", it looks at no other function (PCI 3.0, 6.2.1).
A function that the guest cannot find is a device that does not work.
"""

from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple, Self

from vm_allocator import modelling as vm

Bus = Annotated[int, vm.Between(0, 255)]
Device = Annotated[int, vm.Between(0, 31)]
Function = Annotated[int, vm.Between(0, 7)]


class Place(NamedTuple):
    """Where a function is on the bus."""

    bus: Bus
    device: Device
    function: Function

    def leader(self) -> "Place":
        """Return the place of the device's function 0."""
        return Place(self.bus, self.device, 0)


@dataclass(frozen=True)
class PciFunctions(vm.Model):
    """The functions that are plugged, each with the multi-function bit of its header type."""

    functions: vm.Table[Place, bool]

    @classmethod
    def initial(cls) -> Self:
        """Nothing is plugged."""
        return cls(vm.FiniteTable())

    @vm.invariant
    def found(self) -> bool:
        """A guest that looks at function 0 first finds every function."""
        return self.functions.all(
            lambda place, _: place.function == 0 or self.functions.get(place.leader()) is True
        )

    @vm.action
    def plug(self, place: Place, *, multi: bool) -> Self:
        """Plug a function; one other than 0 only below a function 0 that announces it."""
        vm.require(place not in self.functions, "occupied")
        announced = place.function == 0 or self.functions.get(place.leader()) is True
        vm.require(announced, "not-announced")
        return replace(self, functions=self.functions.put(place, multi))

    @vm.action
    def unplug(self, place: Place) -> Self:
        """Unplug a function; function 0 only when the others are gone."""
        vm.require(place in self.functions, "not-plugged")
        alone = self.functions.all(lambda other, _: other == place or other.leader() != place)
        vm.require(alone, "others-left")
        return replace(self, functions=self.functions.drop(place))
