"""Findings in files: written by `--save`, and played again by `vm-allocator replay`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from vm_allocator.checker import wire
from vm_allocator.checker.calls import Batch, Space
from vm_allocator.threads import Schedule  # noqa: TC001  # msgspec reads it at run time

from .programs import Planned, Program
from .told import FORMAT, finding_as_json

if TYPE_CHECKING:
    from pathlib import Path

    from .search import Found

SUFFIX: Final = ".threads.json"
"""What the name of such a file ends in."""


class SavedError(Exception):
    """A file that is no saved finding: which one, what is wrong, and what to do."""


class _Planned(msgspec.Struct, frozen=True):
    name: int
    call: dict[str, Any]
    of: int | None = None


class _File(msgspec.Struct, frozen=True):
    format: str
    space: tuple[int, int]
    program: tuple[tuple[_Planned, ...], ...]
    schedule: Schedule | None = None


def write_found(found: Found, directory: Path) -> Path:
    """Write a finding to the directory. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{found.fingerprint}{SUFFIX}"
    file.write_text(json.dumps(finding_as_json(found), indent=2) + "\n", encoding="utf-8")
    return file


def read_program(file: Path) -> tuple[Program, Schedule | None]:
    """Return the program and the schedule of a saved finding. Raises `SavedError`."""
    help_ = "name a file that check --threads --save wrote"
    try:
        data = msgspec.json.decode(file.read_bytes(), type=_File)
        parts = tuple(tuple(_planned(one) for one in part) for part in data.program)
        space = Space(*data.space)
    except FileNotFoundError:
        raise SavedError(f"{file}: there is no such file: {help_}") from None
    except OSError as error:
        raise SavedError(f"{file}: it cannot be read ({error.strerror}): {help_}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, wire.WireError) as error:
        raise SavedError(f"{file}: this is no saved finding ({error}): {help_}") from None
    names = [planned.name for part in parts for planned in part]
    if data.format != FORMAT or not parts or len(set(names)) != len(names) or space.size < 1:
        raise SavedError(f"{file}: this is no saved finding of {FORMAT}: {help_}")
    return Program(space, parts), data.schedule


def _planned(one: _Planned) -> Planned:
    request = msgspec.convert({"id": 0, **one.call}, wire.Request)
    call = wire.call_of(request)
    if isinstance(call, Batch):
        raise wire.WireError("a thread asks no batch")
    return Planned(one.name, call, one.of)
