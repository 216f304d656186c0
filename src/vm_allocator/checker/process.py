"""A child process that speaks lines, watched: it can die, hang and babble, and is always ended.

POSIX only: the child gets a session of its own, so that whatever it starts dies with it.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from .calls import Failed, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_LINE: Final = 1 << 20
_CHUNK: Final = 1 << 16
_TAIL: Final = 2000
"""Bytes of standard error that are shown."""
_GRACE: Final = 1.0
"""Seconds for a child whose input has ended to leave by itself."""

_PANIC: Final = re.compile(r"panicked at (?:'.*', )?(?:\S*/)?([^/\s:]+:\d+)")


class ChildFailure(Exception):  # noqa: N818  # what failed is the child; this is its message
    """The child gave no line: how, and what is known of it."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed)
        self.failed = failed


class Child:
    """A running command. `seconds` is the longest that anything may take.

    Raises OSError if the command cannot be started.
    """

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        self.seconds = seconds
        # A file and no pipe: nobody has to read it for the child to go on.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `end`
        try:
            self._process = subprocess.Popen(  # noqa: S603  # the user's own command
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
                bufsize=0,
            )
        except OSError:
            self._errors.close()
            raise
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a process with pipes has pipes")
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._input.fileno(), False)
        os.set_blocking(self._output.fileno(), False)
        self._buffer = bytearray()

    def write(self, data: bytes) -> None:
        """Send bytes. Raises `ChildFailure` if the child is gone or does not read."""
        deadline = time.monotonic() + self.seconds
        while data:
            try:
                written = os.write(self._input.fileno(), data)
                data = data[written:]
            except BlockingIOError:
                self._wait(self._input.fileno(), select.POLLOUT, deadline)
            except OSError:
                raise self._gone() from None

    def read_line(self) -> bytes:
        """Return the next line, without its end. Raises `ChildFailure`."""
        deadline = time.monotonic() + self.seconds
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if len(self._buffer) > _LONGEST_LINE:
                raise ChildFailure(Failed(Failure.GARBAGE, "a line without an end", self.tail()))
            self._wait(self._output.fileno(), select.POLLIN, deadline)
            try:
                chunk = os.read(self._output.fileno(), _CHUNK)
            except BlockingIOError:
                continue
            if not chunk:
                raise self._gone()
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def end(self) -> None:
        """End the child and all that it started. Never fails, and may be called twice."""
        with suppress(OSError):
            self._input.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()

    def kill(self) -> None:
        """End the child and all that it started, at once."""
        # The group outlives its leader, so this reaches what a dead child left behind.
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._input, self._output, self._errors):
            with suppress(OSError):
                stream.close()

    def tail(self) -> str:
        """Return the end of what the child wrote to standard error."""
        try:
            size = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, size - _TAIL))
            text = self._errors.read().decode(errors="replace").strip()
            self._errors.seek(0, os.SEEK_END)
        except (OSError, ValueError):
            return ""
        return text

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            if self._process.poll() is not None:  # what it started holds its streams open
                raise self._gone()
            name = f"no answer within {self.seconds:g} s"
            raise ChildFailure(Failed(Failure.HANG, name, self.tail()))

    def _gone(self) -> ChildFailure:
        """Return the failure of a child that closed its streams: it is dying, or dead."""
        try:
            code = self._process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            failed = Failed(Failure.GARBAGE, "closed its standard output", self.tail())
            return ChildFailure(failed)
        tail = self.tail()
        panics = _PANIC.findall(tail)
        if panics:
            name = f"panic at {panics[-1]}"  # the last one is what it died of
        elif code < 0:
            name = f"killed by {signal.Signals(-code).name}"
        else:
            name = f"exit code {code}"
        return ChildFailure(Failed(Failure.CRASH, name, tail))
