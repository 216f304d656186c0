"""What the gallery consists of: bugs that happened, correct twins, and rows it cannot show yet."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from vm_allocator.checker.judge import Property

Factory: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Bug:
    """A bug that happened, and what the checker is to say of its re-enactment."""

    name: str
    factory: Factory
    system: str
    where: str
    """The issue, commit or release in that system."""
    broken: Property
    operation: str
    """The call with which it shows, as findings name it."""
    calls: int
    """The fewest calls that show it, that one included."""

    @property
    def cause(self) -> str:
        """The cause in a sentence: the docstring of the factory."""
        return inspect.getdoc(self.factory) or ""


@dataclass(frozen=True)
class Twin:
    """A correct allocator, which the checker must not complain of."""

    name: str
    factory: Factory

    @property
    def about(self) -> str:
        """What it is, in a sentence or two."""
        return (inspect.getdoc(self.factory) or "").partition("\n")[0]


@dataclass(frozen=True)
class NotShown:
    """A bug that happened, which takes more than one caller of one allocator to show."""

    system: str
    where: str
    cause: str
    needs: str
    """What an interface would have to have."""
