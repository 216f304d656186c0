"""Windows of PCI bridges: a child's window lies in its parent's, and siblings' are disjoint.

The window of the host bridge is all there is; every other bridge has a parent, to any depth.
A guest sizes windows again while devices are in use, so a window may shrink and grow.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from vm_allocator import modelling as vm

HOST: Final = 0


class Window(NamedTuple):
    """The addresses that a bridge forwards, and the bridge above it (itself, for the host's)."""

    parent: int
    first: int
    last: int


def inside(inner: Window, outer: Window) -> bool:
    """Whether all that one forwards is forwarded by the other."""
    return outer.first <= inner.first and inner.last <= outer.last


def apart(one: Window, other: Window) -> bool:
    """Whether no address is forwarded by both."""
    return one.last < other.first or other.last < one.first


@dataclass(frozen=True)
class BridgeWindows(vm.Model):
    """The bridges whose window is open."""

    windows: vm.Table[int, Window]

    @classmethod
    def initial(cls, last: vm.U64) -> Self:
        """Only the host bridge forwards anything."""
        return cls(vm.FiniteTable({HOST: Window(HOST, 0, last)}))

    # ---- what is true in every state

    @vm.invariant
    def host_is_open(self) -> bool:
        """The host bridge always forwards something, and there is none above it."""
        host = self.windows.get(HOST)
        return host is not None and host.parent == HOST

    @vm.invariant
    def sensible(self) -> bool:
        """A window is not empty."""
        return self.windows.all(lambda _, window: window.first <= window.last)

    @vm.invariant
    def nested(self) -> bool:
        """The window of a bridge lies in that of its parent, which is open."""
        return self.windows.all(lambda bridge, window: bridge == HOST or self.in_parent(window))

    @vm.invariant
    def siblings(self) -> bool:
        """Two bridges below one parent forward different addresses."""
        return self.windows.all_pairs(
            lambda a, one, b, other: (
                a == b or HOST in (a, b) or one.parent != other.parent or apart(one, other)
            )
        )

    # ---- what can happen

    @vm.action
    def open(self, bridge: int, parent: int, first: vm.U64, last: vm.U64) -> Self:
        """Program the window of a bridge that has none."""
        window = Window(parent, first, last)
        vm.require(bridge not in self.windows, "already-open")
        vm.require(first <= last, "empty")
        vm.require(self.in_parent(window), "outside-parent")
        vm.require(self.fits(bridge, window), "overlap")
        return replace(self, windows=self.windows.put(bridge, window))

    @vm.action
    def resize(self, bridge: int, first: vm.U64, last: vm.U64) -> Self:
        """Program another window, around what is below."""
        old = vm.demand(self.windows.get(bridge), "not-open")
        window = Window(old.parent, first, last)
        vm.require(bridge != HOST, "host")
        vm.require(first <= last, "empty")
        vm.require(self.in_parent(window), "outside-parent")
        vm.require(self.fits(bridge, window), "overlap")
        vm.require(self.holds_children(bridge, window), "cuts-child")
        return replace(self, windows=self.windows.put(bridge, window))

    @vm.action
    def close(self, bridge: int) -> Self:
        """Take the window away, once there is nothing below it."""
        vm.require(bridge in self.windows, "not-open")
        vm.require(bridge != HOST, "host")
        vm.require(self.windows.all(lambda _, window: window.parent != bridge), "has-children")
        return replace(self, windows=self.windows.drop(bridge))

    # ---- their parts

    def in_parent(self, window: Window) -> bool:
        """Whether the window lies in that of its parent."""
        parent = self.windows.get(window.parent)
        return parent is not None and inside(window, parent)

    def fits(self, bridge: int, window: Window) -> bool:
        """Whether the window meets none of the siblings'."""
        return self.windows.all(
            lambda other, theirs: (
                other in (bridge, HOST) or theirs.parent != window.parent or apart(window, theirs)
            )
        )

    def holds_children(self, bridge: int, window: Window) -> bool:
        """Whether the window holds all windows below the bridge."""
        return self.windows.all(
            lambda child, theirs: child == HOST or theirs.parent != bridge or inside(theirs, window)
        )
