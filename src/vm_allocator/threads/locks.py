"""Locks that the scheduler sees: while one of its threads waits for one, another goes on.

They stand in for `threading.Lock`, `threading.RLock` and what is built of them (conditions,
events, semaphores, queues) while `schedulable_locks` is in force. In threads of nobody's
schedule they are the locks that they stand in for.
"""

from __future__ import annotations

import _thread
import sys
import threading
import time
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

new_lock: Final = _thread.allocate_lock
"""A lock as it is, that no scheduler sees."""
_new_rlock: Final = _thread.RLock
_sleep: Final = time.sleep
_monotonic: Final = time.monotonic


class Waiter(Protocol):
    """A thread of a schedule, as the locks see it."""

    def wait_for(self, lock: SchedulableLock, seconds: float | None) -> bool:
        """Let others go on until the lock was released; `False` if the time ran out before."""
        ...

    def acquired(self) -> None:
        """Take note that a lock was acquired."""
        ...

    def released(self, lock: SchedulableLock) -> None:
        """Let those who wait for the lock try again."""
        ...

    def pause(self, seconds: float) -> None:
        """Let the time pass, and another thread go on, if any can."""
        ...

    @property
    def clock(self) -> float:
        """The time of the schedule, in seconds: it passes where somebody waits, and only there."""
        ...

    @property
    def number(self) -> int:
        """Which thread it is, from 0 on."""
        ...


scheduled: Final[dict[int, Waiter]] = {}
"""The threads that run by a schedule, by their identifiers."""


class SchedulableLock:
    """`threading.Lock`, in a thread of a schedule or not."""

    def __init__(self) -> None:
        self._real: Any = self._make()
        self.holder: int | None = None
        """The thread of a schedule that acquired it last; `None` if another one did."""

    def _make(self) -> Any:
        return new_lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002  # the interface of the standard library
        """See `threading.Lock.acquire`. A time-out comes when nobody else can go on."""
        me = scheduled.get(get_ident())
        if me is None:
            got: bool = self._real.acquire(blocking, timeout)
            self.holder = None if got else self.holder
            return got
        while not self._real.acquire(blocking=False):
            if self.holder is None:  # of no thread of the schedule: wait as everybody does
                return bool(self._real.acquire(blocking, timeout))
            if not blocking or not me.wait_for(self, None if timeout < 0 else timeout):
                return False
        self.holder = me.number
        me.acquired()
        return True

    def release(self) -> None:
        """See `threading.Lock.release`."""
        self._real.release()
        me = scheduled.get(get_ident())
        if me is not None:
            me.released(self)

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()

    def locked(self) -> bool:
        """See `threading.Lock.locked`."""
        held: bool = self._real.locked()
        return held

    def _at_fork_reinit(self) -> None:
        self._real._at_fork_reinit()  # noqa: SLF001  # what the standard library calls


class SchedulableRLock(SchedulableLock):
    """`threading.RLock`, in a thread of a schedule or not."""

    def _make(self) -> Any:
        return _new_rlock()

    # What `threading.Condition` asks of a lock.

    def _is_owned(self) -> bool:
        owned: bool = self._real._is_owned()  # noqa: SLF001
        return owned

    def _release_save(self) -> Any:
        state = self._real._release_save()  # noqa: SLF001
        me = scheduled.get(get_ident())
        if me is not None:
            me.released(self)
        return state

    def _acquire_restore(self, state: Any) -> None:
        me = scheduled.get(get_ident())
        if me is None:
            self._real._acquire_restore(state)  # noqa: SLF001
            return
        self.acquire()
        self._real.release()
        self._real._acquire_restore(state)  # noqa: SLF001


def _sleep_or_pause(seconds: float) -> None:
    """Sleep; in a schedule, let another thread go on instead."""
    me = scheduled.get(get_ident())
    if me is None:
        _sleep(seconds)
    else:
        me.pause(seconds)


def _clock() -> float:
    """Return the time; in a schedule its own, which does not depend on the machine."""
    me = scheduled.get(get_ident())
    return _monotonic() if me is None else me.clock


_STAND_INS: Final[tuple[tuple[Callable[..., Any], Callable[..., Any]], ...]] = (
    (new_lock, SchedulableLock),
    (threading.Lock, SchedulableLock),  # another one from Python 3.13 on
    (_new_rlock, SchedulableRLock),
    (threading.RLock, SchedulableRLock),
    (time.sleep, _sleep_or_pause),
    (time.monotonic, _clock),
)


@contextmanager
def schedulable_locks() -> Iterator[None]:
    """Within the block, what makes locks makes schedulable ones, in every module.

    Locks that were made before stay what they are: the scheduler does not see them.
    """
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if names is None or module.__name__ == __name__:
            continue
        for name, value in list(names.items()):
            for original, stand_in in _STAND_INS:
                if value is original:
                    replaced.append((names, name, value))
                    names[name] = stand_in
    try:
        yield
    finally:
        for names, name, value in replaced:
            names[name] = value
