"""An adapter that answers concurrent calls, each in a thread, with a race between two steps.

It looks where there is room, lets others look too, and takes the place; each step is locked.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

HANDSHAKE = {
    "protocol": "vm-allocator/1",
    "name": "racing adapter",
    "kind": "addresses",
    "policies": ["first"],
    "concurrent": True,
}


class Allocator:
    def __init__(self, base: int, last: int) -> None:
        self.free_units = set(range(base, last + 1))
        self.live: dict[int, int] = {}
        self.lock = threading.Lock()

    def allocate(self, size: int) -> int | None:
        with self.lock:
            fits = (
                start
                for start in sorted(self.free_units)
                if self.free_units.issuperset(range(start, start + size))
            )
            found = next(fits, None) if size > 0 else None
        time.sleep(0.0005)  # here another thread finds the same place
        if found is not None:
            with self.lock:
                self.free_units -= set(range(found, found + size))
                self.live[found] = size
        return found

    def free(self, start: int, size: int) -> bool:
        with self.lock:
            if self.live.get(start) != size:
                return False
            del self.live[start]
            self.free_units |= set(range(start, start + size))
            return True


def main() -> None:
    allocator = Allocator(0, 0)
    one_line = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with one_line:
            print(json.dumps(message), flush=True)  # noqa: T201  # that is what an adapter does

    def answer(request: dict[str, Any], of: Allocator) -> None:
        reply: dict[str, Any] = {"refused": "no"}
        if request["op"] == "allocate":
            start = of.allocate(request["size"])
            reply = reply if start is None else {"granted": start}
        elif of.free(request["start"], request["size"]):
            reply = {"ok": True}
        say({"id": request["id"], **reply})

    say(HANDSHAKE)
    with ThreadPoolExecutor(8) as pool:
        for line in sys.stdin:
            request = json.loads(line)
            if request["op"] == "new":
                allocator = Allocator(request["base"], request["last"])
                say({"id": request["id"], "ok": True})
            else:
                pool.submit(answer, request, allocator)


if __name__ == "__main__":
    main()
