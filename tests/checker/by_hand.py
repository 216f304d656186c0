"""Adapters written by hand, as small programs: correct, until one request makes trouble."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vm_allocator.checker.remote import RemoteTarget

if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRAM: Final = """\
import json, os, signal, subprocess, sys, time

def say(message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()

def fits(start, size):
    end = start + size - 1
    apart = all(end < first or last < start for first, last in live)
    return size > 0 and base <= start and end <= last_of_all and apart

def do(request):
    start, size = request.get("start"), request["size"]
    if request["op"] == "free":
        if (start, start + size - 1) not in live:
            return {"refused": "NotLive"}
        live.remove((start, start + size - 1))
        return {"ok": True}
    starts = [base, *(last + 1 for _, last in sorted(live))] if start is None else [start]
    for place in starts:
        if fits(place, size):
            live.append((place, place + size - 1))
            return {"granted": place}
    return {"refused": "DoesNotFit"}

#AT THE START#
say({"protocol": "vm-allocator/1", "name": "by hand", "kind": "addresses",
     "policies": ["first", "exact"]})
for line in sys.stdin:
    request = json.loads(line)
    number = request["id"]
    if request["op"] == "new":
        base, last_of_all, live = request["base"], request["last"], []
        #AT NEW#
        say({"id": number, "ok": True})
        continue
    if request.get("policy") == "first" and request["size"] == 2:
        #TROUBLE#
        pass
    say({"id": number, **do(request)})
#AT THE END#
"""

MARK: Final = "VM_ALLOCATOR_TEST_MARK"
"""A variable in the environment of all that a test starts."""


def adapter(
    folder: Path, trouble: str = "", *, start: str = "", new: str = "", end: str = ""
) -> list[str]:
    """Write an adapter that runs `trouble` when asked for the first fit of 2 units."""
    program = _PROGRAM
    for place, code in (
        ("        #TROUBLE#", trouble),
        ("        #AT NEW#", new),
        ("#AT THE START#", start),
        ("#AT THE END#", end),
    ):
        indent = place[: len(place) - len(place.lstrip())]
        program = program.replace(place, textwrap.indent(textwrap.dedent(code), indent))
    path = folder / "adapter.py"
    path.write_text(program)
    return [sys.executable, "-I", "-S", str(path)]


def opener(command: list[str], seconds: float = 20.0) -> Callable[[], RemoteTarget]:
    """Return what opens the target; it can be pickled."""
    return partial(RemoteTarget, tuple(command), seconds)


def left_behind(mark: str) -> list[str]:
    """Return the command lines of the processes that are alive and carry the mark.

    What has been killed is given a moment to be gone.
    """
    until = time.monotonic() + 5
    while (found := marked(mark)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def marked(mark: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            if f"{MARK}={mark}".encode() in environment:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return found
