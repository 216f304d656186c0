"""A target in this very process: an object with the methods of the seed interface."""

from __future__ import annotations

import importlib
import inspect
import os
import signal
import sys
import time
import traceback
from contextlib import contextmanager
from operator import index
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.errors import AllocatorError
from vm_allocator.modelling import Range
from vm_allocator.ranges import RangeInclusive
from vm_allocator.view import RangeView

from .calls import Done, Failed, Failure, Space
from .local_calls import Caller, refused
from .profile import PROTOCOL, Profile, TargetError, profile_of
from .target import Answer, Listed, Played, play_one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from .calls import Call, Reply

_HELP: Final = "pass package.module:factory, where factory(base, size) returns an allocator"
_TRIAL_SPACES: Final = ((0x1000, 0x1000), (0, 16), (1, 16), (32, 64))
"""As (base, size): what is tried to learn which arguments the methods of a target take."""


_ENDS_OF_A_MOVE: Final = 4
"""Values that a `move` in two phases takes: start and size of both ranges."""


class _OutOfTimeError(BaseException):
    """No `Exception`, so that no handler of the target swallows it."""


def load_factory(name: str) -> Callable[..., Any]:
    """Return the factory `package.module:attribute`, looked for here first.

    Raises `TargetError`.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise TargetError(name, "this names no factory", _HELP)
    here = os.getcwd()  # noqa: PTH109  # sys.path wants a string
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # a user's module may do anything while it loads
        problem = f"it cannot be loaded ({type(error).__name__}: {error})"
        raise TargetError(name, problem, _HELP) from None
    if not callable(found):
        raise TargetError(name, "it cannot be called", _HELP)
    factory: Callable[..., Any] = found
    return factory


class LocalTarget:
    """The allocators that `factory(base, size)` makes.

    Refusals are `AllocatorError` and the exceptions in `factory.refusals`, if it has any;
    every other exception is a crash. `factory.profile`, a dict, overrides what is found out by
    looking at the methods: see docs/protocol.md. `seconds` limits each operation, if given;
    that works in the main thread of a POSIX process, and only there.

    Raises `TargetError` if the factory makes nothing that is an allocator.
    """

    def __init__(
        self, factory: Callable[..., Any], name: str = "", seconds: float | None = None
    ) -> None:
        self._factory = factory
        self._seconds = seconds
        self._name = name or getattr(factory, "__qualname__", repr(factory))
        self._refusals = (AllocatorError, *getattr(factory, "refusals", ()))
        self._takes_policy = False
        self.profile = self._look()
        self._caller = self._calling(None)

    def begin(self, space: Space) -> Reply:
        """Make a fresh allocator."""
        self._caller = self._calling(None)

        def make() -> Done:
            pools = [{name: RangeInclusive(*one) for name, one in space.pools}]
            arguments = pools if space.pools else [space.base, space.size]
            self._caller = self._calling(self._factory(*arguments))
            return Done()

        return self._guard(make)

    def ask(self, call: Call) -> Answer:
        """Put one call to the allocator, and list what is live after it."""
        reply = self.do(call)
        if isinstance(reply, Failed) or not self.profile.lists:
            return Answer(reply)
        listed = self.list_live()
        return Answer(listed) if isinstance(listed, Failed) else Answer(reply, *listed)

    def do(self, call: Call) -> Reply:
        """Put one call to the allocator."""
        caller = self._caller
        return self._guard(lambda: caller.do(call))

    def list_live(self) -> Listed | Failed:
        """Return the live ranges as the allocator lists them, and what its devices hold."""
        listed: list[Range] = []
        devices: dict[str, tuple[Range, ...]] | None = None

        def look() -> Done:
            nonlocal devices
            listed.extend(_ranges(_live(self._caller.made)))
            if self.profile.pools and callable(getattr(self._caller.made, "held", None)):
                held = self._caller.made.held()
                devices = {str(one): tuple(_ranges(ranges)) for one, ranges in held.items()}
            return Done()

        looked = self._guard(look)
        if isinstance(looked, Done):
            return Listed(tuple(sorted(listed)) if self.profile.pools else tuple(listed), devices)
        return Failed(Failure.CRASH, "cannot list what is live", str(looked))

    def play(self, space: Space, calls: Sequence[Call]) -> Played:
        """Begin, and put all these calls to it."""
        return play_one_by_one(self, space, calls)

    def close(self) -> None:
        """Forget the allocator."""
        self._caller = self._calling(None)

    # ---- one call

    def _calling(self, made: Any) -> Caller:
        return Caller(made, takes_policy=self._takes_policy, refusals=self._refusals)

    def _guard(self, act: Callable[[], Reply]) -> Reply:
        """Carry out something of the target's; whatever it raises becomes a reply."""
        try:
            with _alarm(self._seconds):
                return act()
        except _OutOfTimeError:
            return Failed(Failure.HANG, f"no answer within {self._seconds:g} s")
        except self._refusals as refusal:
            return refused(refusal)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # SystemExit too: it is the finding
            return _crash(error)

    # ---- what it is

    def _look(self) -> Profile:
        declared = dict(getattr(self._factory, "profile", {}))
        if declared.get("pools"):
            return self._look_at_devices(declared)
        made = self._try_one(_TRIAL_SPACES, ("allocate", "free"))
        allocate = _parameters(made, "allocate")
        takes = (
            frozenset(allocate) & _parameters(made, "update")
            if hasattr(made, "update")
            else frozenset(allocate)
        )
        self._takes_policy = "policy" in allocate
        found: dict[str, Any] = {
            "protocol": PROTOCOL,
            "name": self._name,
            "kind": "addresses",
            "operations": ["allocate", "free"],
            "policies": ["first", "last", "exact"] if self._takes_policy else ["first", "exact"],
            "align": "align" in takes,
            "within": "within" in takes,
        }
        found["operations"] += [
            name for name in ("update", "update_many") if callable(getattr(made, name, None))
        ]
        if _takes(made, "move", _ENDS_OF_A_MOVE):
            found["operations"].append("move")
        if all(callable(getattr(made, one, None)) for one in ("save", "restore")):
            found["snapshot"] = True
        if callable(getattr(made, "transaction", None)):
            found["operations"].append("batch")
        if isinstance(made, RangeView):
            found["operations"].append("live")
            found["reasons"] = True
            found["kind"] = made._unit.value + ("es" if made._unit.value == "address" else "s")  # noqa: SLF001  # the unit is what tells 32 bits from 64
            found["default_alignment"] = made.alignment
            found["greatest_size"] = made._unit.top + 1  # noqa: SLF001  # likewise
        return profile_of(self._name, found | declared)

    def _look_at_devices(self, declared: dict[str, Any]) -> Profile:
        """Learn what a target with several pools can do."""
        names = declared["pools"]
        if not isinstance(names, (list, tuple)) or not all(isinstance(one, str) for one in names):
            raise TargetError(self._name, "its profile's pools are no names", _HELP)
        trials = [
            (
                {
                    name: RangeInclusive(start + 8 * at, start + 8 * at + 3)
                    for at, name in enumerate(names)
                },
            )
            for start in (0x1000, 0)
        ]
        made = self._try_one(trials, ("register", "unregister"))
        found = {
            "protocol": PROTOCOL,
            "name": self._name,
            "kind": "addresses",
            "operations": [
                name
                for name in ("register", "unregister", "update_device", "live")
                if callable(getattr(made, name, None))
            ],
            "policies": ["first", "exact"],
            "align": True,
        }
        return profile_of(self._name, found | declared)

    def _try_one(self, trials: Sequence[tuple[Any, ...]], methods: tuple[str, ...]) -> Any:
        problem = ""
        for arguments in trials:
            try:
                with _alarm(self._seconds):
                    made = self._factory(*arguments)
            except KeyboardInterrupt:
                raise
            except _OutOfTimeError:
                problem = problem or f"it makes no allocator (no answer within {self._seconds:g} s)"
                continue
            except BaseException as error:  # noqa: BLE001  # whatever it is, the next space is tried
                problem = problem or f"it makes no allocator ({type(error).__name__}: {error})"
                continue
            if isinstance(made, RangeView) and (made.base, made.size) != arguments:
                base, size = arguments
                problem = f"asked for base {base} and size {size}, it makes {made!r}"
                raise TargetError(self._name, problem, _HELP)
            for method in methods:
                if not callable(getattr(made, method, None)):
                    raise TargetError(self._name, f"what it makes has no {method}()", _HELP)
            return made
        raise TargetError(self._name, problem, _HELP)


def _live(made: Any) -> Any:
    return made.live() if callable(getattr(made, "live", None)) else made


def _ranges(listed: Any) -> Iterator[Range]:
    return (Range(index(one.start), index(one.end)) for one in listed)


def _parameters(made: Any, method: str) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(getattr(made, method)).parameters)
    except (AttributeError, TypeError, ValueError):
        return frozenset()  # there is none, or it is written in C without a signature


def _takes(made: Any, method: str, count: int) -> bool:
    """Whether there is such a method, and it can be called with so many values."""
    try:
        inspect.signature(getattr(made, method)).bind(*range(count))
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _crash(error: BaseException) -> Failed:
    """Return an exception as a failure, named by its type and by where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}" if frames else ""
    said = "".join(traceback.format_exception_only(error)).strip()
    return Failed(Failure.CRASH, f"{type(error).__name__}{where}", said[:500])


@contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Interrupt what takes too long."""
    if seconds is None:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    try:
        before = signal.signal(signal.SIGALRM, ring)
    except ValueError:  # not the main thread: nothing can be interrupted from here
        yield
        return
    # Again and again, should the target swallow the first one.
    left, again = signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's timer, a test runner's say, goes on
            soon = max(left - (time.monotonic() - began), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, soon, again)
