"""Why a claim is refused, beyond what an exact allocation may be refused for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import InvalidRequestError, RefusedError

if TYPE_CHECKING:
    from .resource import Unit


class InvalidOwnerError(InvalidRequestError):
    """An owner that can be nobody's name: `None`, or what is not hashable."""

    refusal = "invalid-owner"

    def __init__(self, unit: Unit, owner: object) -> None:
        super().__init__(unit, owner)
        self.owner = owner

    def describe(self) -> str:
        return f"{self.owner!r} is no owner: pass something hashable that is not None"


class NotClaimedError(RefusedError):
    """The owner neither holds a range nor waits for one."""

    refusal = "not-claimed"

    def __init__(self, unit: Unit, owner: object) -> None:
        super().__init__(unit, owner)
        self.owner = owner

    def describe(self) -> str:
        return f"{self.owner!r} has no claim: nothing is to be released"
