"""Replay recorded traces of real guests against the allocators and the oracle together.

`play_file` plays one file; `command.run` is the command line's. From a library's point of
view: `read_trace`, `read_windows`, `play_bars` and `play_vectors` are pure and print nothing.
"""

from .formats import Kind, Trace, TraceError, Window, Windows, read_trace, read_windows
from .outcome import BarReplay, WhenRefused
from .played import Makers, Played, Verdict, play_file
from .player import play_bars
from .vectors import VectorReplay, play_vectors

__all__ = [
    "BarReplay",
    "Kind",
    "Makers",
    "Played",
    "Trace",
    "TraceError",
    "VectorReplay",
    "Verdict",
    "WhenRefused",
    "Window",
    "Windows",
    "play_bars",
    "play_file",
    "play_vectors",
    "read_trace",
    "read_windows",
]
