"""What goes wrong with transactions and with the sets of devices; refusals are in `errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence


class TransactionStateError(RuntimeError):
    """A transaction was used before it began, while a part of it was open, or after its end."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state

    def __str__(self) -> str:
        return f"this transaction is {self.state}"


class UndoError(Exception):
    """An operation could not be undone; `__cause__` says why. Part of a `RollBackError`.

    The allocator is no longer as it was before the transaction. Ours refuse an undo only if
    somebody changed them past the transaction; otherwise look at an allocator of your own.
    """

    def __init__(self, undo: str) -> None:
        super().__init__(undo)
        self.undo = undo
        """The call that failed."""

    @property
    def brief(self) -> str:
        """The call, and what kind of error it raised."""
        why = "" if self.__cause__ is None else f" ({type(self.__cause__).__name__})"
        return f"{self.undo}{why}"

    def __str__(self) -> str:
        return f"{self.brief} failed: compare that allocator with what the devices hold"


class RollBackError(ExceptionGroup[Exception]):
    """What ended the transaction, and an `UndoError` for each operation that stayed done."""

    @property
    def failed(self) -> tuple[UndoError, ...]:
        """The undos that failed, in the order in which they were tried."""
        return tuple(error for error in self.exceptions if isinstance(error, UndoError))

    def derive(self, excs: Sequence[Exception]) -> Self:  # type: ignore[override]  # as typeshed's own example has it
        """Return a part of the group, for `except*`."""
        return type(self)(self.message, excs)


class DeviceError(Exception):
    """Root of what a `ResourceMap` and a `SystemAllocator` raise of their own; nothing changed."""


class DeviceExistsError(DeviceError, ValueError):
    """A device of that name has a set already."""

    def __init__(self, device: object) -> None:
        super().__init__(device)
        self.device = device

    def __str__(self) -> str:
        return f"device {self.device!r} is registered: unregister it first, or update_device it"


class UnknownDeviceError(DeviceError, KeyError):
    """No device of that name is registered."""

    def __init__(self, device: object) -> None:
        super().__init__(device)
        self.device = device

    def __str__(self) -> str:
        return f"device {self.device!r} is not registered: register it first"


class NotHeldError(DeviceError, ValueError):
    """A grant is to be kept that the device does not hold, or that is named twice."""

    def __init__(self, device: object, grant: object) -> None:
        super().__init__(device, grant)
        self.device = device
        self.grant = grant

    def __str__(self) -> str:
        return (
            f"device {self.device!r} does not hold {self.grant}: "
            "keep only what its set has, each once, and pass a Need for what is new"
        )


class UnaccountedError(DeviceError):
    """The live ranges of the pools are not the sum of what the devices hold."""

    def __init__(self, leaked: Sequence[str], missing: Sequence[str]) -> None:
        super().__init__(tuple(leaked), tuple(missing))
        self.leaked = tuple(leaked)
        """Live ranges that no device holds."""
        self.missing = tuple(missing)
        """Ranges that a device holds and that are not live, or are held more than once."""

    def __str__(self) -> str:
        parts = []
        if self.leaked:
            parts.append(f"live and held by no device: {', '.join(self.leaked)}")
        if self.missing:
            parts.append(f"held and not live, or held twice: {', '.join(self.missing)}")
        return f"{'; '.join(parts)}: allocate and free the devices' ranges through the map only"


class UncheckablePoolError(DeviceError, TypeError):
    """A pool does not tell its live ranges."""

    def __init__(self, pool: str, kind: str) -> None:
        super().__init__(pool, kind)
        self.pool = pool
        self.kind = kind

    def __str__(self) -> str:
        return (
            f"pool {self.pool}, a {self.kind}, does not tell its live ranges: "
            "give it an __iter__ that yields each as a RangeInclusive"
        )
