"""What the Python targets share: the error, and `update` out of `free` and `allocate`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar


class DeclinedError(Exception):
    """The one error by which these targets refuse."""


class Seed(ABC):
    """The seed interface over a space; a subclass is a factory `factory(base, size)`."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (DeclinedError,)
    profile: ClassVar[dict[str, object]] = {}

    def __init__(self, base: int, size: int) -> None:
        self.base = base
        self.last = base + size - 1

    @abstractmethod
    def allocate(self, resource: int | None, size: int) -> int:
        """Grant the start of `size` units, anywhere or exactly at `resource`."""

    @abstractmethod
    def free(self, resource: int, size: int) -> None:
        """Free exactly the live range of `size` units at `resource`."""

    def update(
        self, old_resource: int | None, old_size: int | None, new_resource: int, new_size: int
    ) -> None:
        """Free the old range and allocate the new one; put the old one back if that fails."""
        if old_resource is None or old_size is None:
            self.allocate(new_resource, new_size)
            return
        self.free(old_resource, old_size)
        try:
            self.allocate(new_resource, new_size)
        except DeclinedError:
            self.allocate(old_resource, old_size)
            raise
