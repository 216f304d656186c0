"""Broken: a line that devices share is routed to a message, which would come from them all."""

from dataclasses import dataclass, replace
from typing import Self

from gsi_routing import Gsi, GsiRouting, Target

from vm_allocator import modelling as vm


@dataclass(frozen=True)
class RoutesSharedLines(GsiRouting):
    """`route` does not ask who uses the GSI."""

    @vm.action
    def route(self, gsi: Gsi, target: Target) -> Self:
        """Give a GSI a route, or another one."""
        return replace(self, routes=self.routes.put(gsi, target))
