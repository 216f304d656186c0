"""The reference adapter: speaks docs/protocol.md for a Python target.

`python -m vm_allocator.checker.serve package.module:factory` is what `check` runs for a Python
target, so that a target that hangs or kills its process is an ordinary finding.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from . import wire
from .calls import Failed, Failure
from .local import LocalTarget, load_factory
from .profile import TargetError

if TYPE_CHECKING:
    from typing import BinaryIO

    from .calls import Reply


_OFTEN: Final = 1e-6
"""Seconds between switches of threads."""


def serve(target: LocalTarget, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    replies.write(wire.encode(target.profile) + b"\n")
    replies.flush()
    for line in requests:
        replies.write(_answer(target, line) + b"\n")
        replies.flush()


def serve_at_once(target: LocalTarget, threads: int, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests in so many threads, each as soon as it can be.

    What is no call, `new` and `live`, is only asked while no call is open.
    """
    one_line = threading.Lock()

    def answer(line: bytes) -> None:
        reply = _answer(target, line) + b"\n"
        with one_line:
            replies.write(reply)
            replies.flush()

    replies.write(wire.encode(replace(target.profile, concurrent=True)) + b"\n")
    replies.flush()
    sys.setswitchinterval(_OFTEN)
    with ThreadPoolExecutor(threads) as pool:
        for line in requests:
            pool.submit(answer, line)


def _answer(target: LocalTarget, line: bytes) -> bytes:
    request = None
    try:
        request = wire.read_request(line)
        if request.op == "live":
            listed = target.list_live()
            if not isinstance(listed, Failed):
                return wire.listing(request.id, listed)
            return wire.encode(wire.message_of(request.id, listed))
        return wire.encode(wire.message_of(request.id, _reply(target, request)))
    except wire.WireError as error:
        number = 0 if request is None else request.id
        failed = Failed(Failure.GARBAGE, "not understood", str(error))
        return wire.encode(wire.message_of(number, failed))


def _reply(target: LocalTarget, request: wire.Request) -> Reply:
    if request.op != "new":
        return target.do(wire.call_of(request))
    return target.begin(wire.space_of(request))


def main(arguments: list[str] | None = None, threads: int = 0) -> int:
    """Serve the factory that is named, in so many threads if any. Returns the exit code."""
    names = sys.argv[1:] if arguments is None else arguments
    if len(names) != 1:
        sys.stderr.write("usage: python -m vm_allocator.checker.serve package.module:factory\n")
        return 2
    # What the target prints would be taken for replies: it goes to standard error instead.
    # And what it reads would be requests: it finds the end of its input.
    with (
        os.fdopen(os.dup(0), "rb") as requests,
        os.fdopen(os.dup(1), "wb") as replies,
        open(os.devnull, "rb") as nothing,  # noqa: PTH123  # a descriptor is wanted
    ):
        os.dup2(2, 1)
        os.dup2(nothing.fileno(), 0)
        try:
            target = LocalTarget(load_factory(names[0]), names[0])
            if threads:
                serve_at_once(target, threads, requests, replies)
            else:
                serve(target, requests, replies)
        except TargetError as error:
            sys.stderr.write(f"{error}\n")
            replies.write(msgspec.json.encode({"problem": error.problem, "remedy": error.remedy}))
            replies.write(b"\n")
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
