"""JSON text to data and back: what arrives from a disk or a network is measured, then read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from .errors import (
    SnapshotFormatError,
    SnapshotTooLargeError,
    refuse,
    shown,
)

_MOST_DIGITS: Final = 20  # of 2^64-1; a sign is refused later on, by whoever knows the place
_COUNTED: Final = (",", ":", "[", "{")
"""A JSON text has at most one value more than it has of these."""


@dataclass(frozen=True, slots=True)
class SnapshotLimits:
    """What `load_snapshot` is ready to read. Both are looked at before any of it is parsed.

    A range takes up to 44 bytes and three values. A value takes up to about 100 bytes of
    memory, whatever the text makes of it, and the text itself up to five times its size.
    """

    size: int = 1 << 26
    """Bytes, or characters, of text."""
    values: int = 1 << 22
    """Numbers, strings, lists and so on; commas, colons and brackets are counted for them."""


DEFAULT_LIMITS: Final = SnapshotLimits()


def dump_snapshot(data: dict[str, Any]) -> str:
    """Return saved data as JSON text, in ASCII, on one line. O(size).

    >>> from vm_allocator import Id, IdAllocator, load_snapshot
    >>> irqs = IdAllocator(Id(5), Id(23))
    >>> _ = irqs.allocate_many(2)
    >>> text = dump_snapshot(irqs.save())
    >>> IdAllocator.restore(load_snapshot(text)) == irqs
    True
    """
    return json.dumps(data, allow_nan=False, separators=(",", ":"))


def load_snapshot(text: str | bytes | bytearray, *, limits: SnapshotLimits = DEFAULT_LIMITS) -> Any:
    """Return the data of JSON text, for `restore` to look at. O(size), and bounded by `limits`.

    Raises `SnapshotTooLargeError`; `SnapshotFormatError` for what is no JSON as RFC 8259 has it,
    for a key that stands twice in one object, and for numbers that are no integers of 64 bits'
    length.
    """
    if len(text) > limits.size:
        raise refuse(
            SnapshotTooLargeError,
            "",
            "size",
            f"{len(text)} bytes of snapshot are more than {limits.size}: "
            "pass larger limits if you trust it",
        )
    text = _decoded(text)
    values = 1 + sum(map(text.count, _COUNTED))
    if values > limits.values:
        raise refuse(
            SnapshotTooLargeError,
            "",
            "values",
            f"up to {values} values are more than {limits.values}: "
            "pass larger limits if you trust it",
        )
    try:
        return json.loads(
            text,
            parse_int=_int,
            parse_float=_no_float,
            parse_constant=_no_float,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _malformed("it is nested too deep: a snapshot is not") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno} column {error.colno}") from None


def _decoded(text: str | bytes | bytearray) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(f"byte {error.start} is no UTF-8") from None


def _int(digits: str) -> int:
    # The time that `int` takes grows with the square of the length.
    if len(digits.lstrip("-")) > _MOST_DIGITS:
        raise _malformed(f"a number of {len(digits)} digits is none of 64 bits")
    return int(digits)


def _no_float(digits: str) -> NoReturn:
    raise _malformed(f"{shown(digits)} is no integer")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _malformed(f"the key {shown(key)} stands twice in one object")
            seen.add(key)
    return made


def _malformed(what: str) -> SnapshotFormatError:
    return SnapshotFormatError(refuse(SnapshotFormatError, "", "json", what).findings)
