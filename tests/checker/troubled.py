"""Python targets: right, until a request for the first fit of 2 units makes trouble."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
from vm_allocator.modelling import Range


class Correct:
    """What the library does, with nothing but the two methods that a target needs."""

    def __init__(self, base: int, size: int) -> None:
        self._inner = AddressAllocator(GuestAddress(base), GuestUsize(size))

    def allocate(self, start: int | None, size: int) -> int:
        if start is None and size == 2:
            self.trouble()
        at = None if start is None else GuestAddress(start)
        return int(self._inner.allocate(at, GuestUsize(size)))

    def free(self, start: int, size: int) -> None:
        self._inner.free(GuestAddress(start), GuestUsize(size))

    def trouble(self) -> None:
        """Do what a target must not do."""


class Hangs(Correct):
    def trouble(self) -> None:
        while True:
            pass


class HangsAndHoldsOn(Correct):
    """Swallows whatever interrupts it."""

    def trouble(self) -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:  # noqa: BLE001, S110  # that is the bug
                pass


class Leaves(Correct):
    def trouble(self) -> None:
        raise SystemExit(3)


class Recurses(Correct):
    def trouble(self) -> None:
        self.trouble()


class Exits(Correct):
    def trouble(self) -> None:
        os._exit(3)


class Chats(Correct):
    """Correct, but prints, and reads from standard input."""

    def trouble(self) -> None:
        sys.stdout.write('{"id": 3, "granted": 0}\n')
        sys.stdout.flush()
        os.write(1, b"raw\n")
        sys.stdin.readline()


class HangsAtFirst(Correct):
    """Makes no allocator, and takes its time."""

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        while True:
            pass


class LeavesAtFirst(Correct):
    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        raise SystemExit(0)


class WrongInManyWays(Correct):
    """Refuses everything, each time for another reason."""

    refusals: ClassVar = (LookupError,)

    def allocate(self, start: int | None, size: int) -> int:
        # A name that is a page long: it must not fill the report either.
        raise type(f"No{start}for{size}" + "x" * 5000, (LookupError,), {})

    def free(self, start: int, size: int) -> None:
        raise type(f"No{start}free{size}", (LookupError,), {})


class ListsThousands(Correct):
    """Lists live ranges that nobody allocated, and far too many of them."""

    profile: ClassVar = {"operations": ["allocate", "free", "live"]}

    def live(self) -> list[Range]:
        return [Range(at, at) for at in range(500)]
