"""Broken: a window is sized again without a look at the windows below it."""

from dataclasses import dataclass

from bridge_windows import BridgeWindows, Window


@dataclass(frozen=True)
class CutsChildren(BridgeWindows):
    """`resize` looks up, at the parent, and sideways, at the siblings; it does not look down."""

    def holds_children(self, bridge: int, window: Window) -> bool:
        """Say yes."""
        del bridge, window
        return True
