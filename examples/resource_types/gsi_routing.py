"""GSI routing: an interrupt line is shared between devices, a message is not.

Devices that use one GSI through an interrupt controller share a level-triggered line. A GSI
that is routed to an MSI belongs to one device: the message says who it is from.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Annotated, NamedTuple, Self

from vm_allocator import modelling as vm

Gsi = Annotated[int, vm.Between(0, 4095)]


class Target(Enum):
    """What a GSI is routed to."""

    LINE = auto()
    MESSAGE = auto()


class Use(NamedTuple):
    """A device uses a GSI."""

    gsi: Gsi
    device: int


@dataclass(frozen=True)
class GsiRouting(vm.Model):
    """The routes, and who uses them."""

    routes: vm.Table[Gsi, Target]
    uses: vm.SetOf[Use]

    @classmethod
    def initial(cls) -> Self:
        """No GSI has a route."""
        return cls(vm.FiniteTable(), vm.FiniteSet())

    @vm.invariant
    def routed(self) -> bool:
        """A GSI that a device uses has a route."""
        return self.uses.all(lambda use: use.gsi in self.routes)

    @vm.invariant
    def messages_are_private(self) -> bool:
        """A GSI that is routed to a message has one user."""
        return self.uses.all_pairs(
            lambda one, other: (
                one == other
                or one.gsi != other.gsi
                or self.routes.get(one.gsi) is not Target.MESSAGE
            )
        )

    @vm.action
    def route(self, gsi: Gsi, target: Target) -> Self:
        """Give a GSI a route, or another one."""
        shared = not self.uses.all_pairs(
            lambda one, other: (
                one == other or gsi not in (one.gsi, other.gsi) or one.gsi != other.gsi
            )
        )
        vm.require(target is Target.LINE or not shared, "shared")
        return replace(self, routes=self.routes.put(gsi, target))

    @vm.action
    def unroute(self, gsi: Gsi) -> Self:
        """Take the route of a GSI that nobody uses."""
        vm.require(gsi in self.routes, "no-route")
        vm.require(self.uses.all(lambda use: use.gsi != gsi), "in-use")
        return replace(self, routes=self.routes.drop(gsi))

    @vm.action
    def attach(self, device: int, gsi: Gsi) -> Self:
        """Let a device use a GSI."""
        target = vm.demand(self.routes.get(gsi), "no-route")
        vm.require(Use(gsi, device) not in self.uses, "attached")
        free = self.uses.all(lambda use: use.gsi != gsi)
        vm.require(target is Target.LINE or free, "private")
        return replace(self, uses=self.uses.with_member(Use(gsi, device)))

    @vm.action
    def detach(self, device: int, gsi: Gsi) -> Self:
        """A device uses a GSI no more."""
        vm.require(Use(gsi, device) in self.uses, "not-attached")
        return replace(self, uses=self.uses.without(Use(gsi, device)))
