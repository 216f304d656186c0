"""Runs a piece of code, and raises an exception at one bytecode instruction of the library.

Instructions are counted by `sys.settrace`, which stops at each of them (`f_trace_opcodes`) and at
each entry of a function. An exception that the trace function raises comes out of the
instruction that it was called for, before that has done anything, and ends the tracing: what
handles it runs undisturbed.
"""

from __future__ import annotations

import dis
import sys
from dataclasses import dataclass, field
from functools import cache
from inspect import CO_GENERATOR
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sortedcontainers

import vm_allocator

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

_LIBRARY: Final = str(Path(vm_allocator.__file__).parent)
_BELOW: Final = str(Path(sortedcontainers.__file__).parent)
_ABOVE: Final = frozenset({"comparison.py", "drawing.py", "lockstep.py", "pictures.py"})
"""Of the files beside the library's, those that drive it."""


class Interrupt(BaseException):
    """No `Exception`, like a `KeyboardInterrupt`, and of no kind that anybody knows."""


KINDS: Final[tuple[type[BaseException], ...]] = (Interrupt, MemoryError, KeyboardInterrupt)
"""What is raised, in turn."""

Place = tuple["CodeType", int]
"""An instruction: the function, and the offset in its bytecode; -1 for the entry."""


@cache
def of_the_library(code: CodeType) -> bool:
    """Whether a function is the library's own, or of the sorted maps that it rests on."""
    path = Path(code.co_filename)
    parent = str(path.parent)
    return (parent == _LIBRARY and path.name not in _ABOVE) or parent == _BELOW


@dataclass
class Injection:
    """One run: where the exception is to come, and what came of it."""

    at: int = 0
    """The instruction, counted from 1; 0 is none."""
    focus: str = ""
    """The qualified name of a function: only what runs while it does counts; if empty, all."""
    places: list[Place] = field(default_factory=list)
    """The instructions in the order in which they ran, up to that one."""
    raised: BaseException | None = None
    """What came out of the code."""
    injected: BaseException | None = None
    _depth: int = 0

    def run(self, act: Callable[[], object]) -> None:
        """Run the code; whatever it raises is kept."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            act()
        except BaseException as error:  # noqa: BLE001  # among them is what was injected
            self.raised = error
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        del event, arg
        if not of_the_library(frame.f_code):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if frame.f_code.co_qualname == self.focus:
            self._depth += 1
        # What is raised where a generator is closed, nobody gets to see.
        if not frame.f_code.co_flags & CO_GENERATOR:
            self._count(frame.f_code, -1)
        return self._step

    def _step(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any]:
        del arg
        if event == "opcode":
            self._count(frame.f_code, frame.f_lasti)
        elif event == "return" and frame.f_code.co_qualname == self.focus:
            self._depth -= 1
        return self._step

    def _count(self, code: CodeType, offset: int) -> None:
        if self.focus and not self._depth:
            return
        self.places.append((code, offset))
        if len(self.places) == self.at:
            self.injected = KINDS[self.at % len(KINDS)](f"injected at instruction {self.at}")
            raise self.injected


def first_protected(code: CodeType) -> frozenset[Place]:
    """Return the instructions of a function before the first that its own handlers cover."""
    covered = [entry.start for entry in dis._parse_exception_table(code)]  # type: ignore[attr-defined]
    first = min(covered, default=len(code.co_code))
    offsets = [instruction.offset for instruction in dis.get_instructions(code)]
    return frozenset({(code, -1), *((code, offset) for offset in offsets if offset < first)})
