"""The workers as processes: Python, another Python, Rust."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parent.parent
RIVALS: Final = ROOT / "benchmarks" / "rivals"
BUILD: Final = ROOT / "build" / "benchmarks"


@dataclass(frozen=True)
class Kind:
    """A command that starts a worker, and what its subjects are called with it."""

    command: tuple[str, ...]
    label: str = ""
    memory_command: tuple[str, ...] = ()
    """The command that measures memory, where that is another one."""

    def named(self, subject: str) -> str:
        """Return the subject's name in the results."""
        return f"{subject} ({self.label})" if self.label else subject


class WorkerDiedError(Exception):
    """The worker ended instead of answering."""


class Process:
    """A running worker."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own commands
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one request, and wait for the answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101  # a pipe, as asked for above
        assert stdout is not None  # noqa: S101  # likewise
        try:
            stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self._process.wait()
            raise WorkerDiedError(f"the worker ended with {code} instead of answering {do}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """End the worker, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what it never read
                    stream.close()


@contextmanager
def running(command: Sequence[str]) -> Iterator[Process]:
    """Start a worker for a while."""
    process = Process(command)
    try:
        yield process
    finally:
        process.end()


def this_python() -> Kind:
    """Return the worker of the running Python."""
    return Kind((sys.executable, "-m", "benchmarks.worker"))


def other_python(python: str, label: str) -> Kind:
    """Return the worker of another Python: a compiled build of the same source, say."""
    return Kind((python, "-m", "benchmarks.worker"), label)


def rust() -> Kind | str:
    """Build the Rust rivals and return their worker, or the reason why there is none."""
    cargo = shutil.which("cargo")
    if cargo is None:
        return "cargo is not installed"
    target = BUILD / "rivals"
    manifest = RIVALS / "Cargo.toml"
    places = ("--manifest-path", str(manifest), "--target-dir", str(target))
    built = subprocess.run(  # noqa: S603  # our own command
        [cargo, "build", "--quiet", "--release", "--locked", *places],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        return f"cargo build failed: {built.stderr.strip().splitlines()[-1:]}"
    binaries = target / "release"
    return Kind((str(binaries / "rivals"),), "Rust", (str(binaries / "memory"),))
