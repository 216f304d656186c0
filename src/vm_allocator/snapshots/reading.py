"""The shape of a snapshot: objects with known keys, lists, integers. Of values it says nothing.

What is not exactly a dict, list, int or str is refused: subclasses may do anything when they are
compared, and a bool is no number here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .errors import (
    Findings,
    SnapshotFormatError,
    SnapshotMismatchError,
    SnapshotVersionError,
    refuse,
    shown,
)
from .sweep import Entry

if TYPE_CHECKING:
    from collections.abc import Collection

FORMAT: Final = "vm-allocator snapshot"
VERSION: Final = 2
"""What is written."""
VERSIONS: Final = (1, 2)
"""What is read. 1 knows no owners of live ranges, and no ranges that the platform holds."""

_ENVELOPE: Final = ("format", "version", "kind")
_ENDS: Final = 2
_ENDS_AND_OWNER: Final = 3


def envelope(kind: str) -> dict[str, Any]:
    """Return the keys that every snapshot begins with."""
    return {"format": FORMAT, "version": VERSION, "kind": kind}


def opened(data: object, kind: str) -> Reader:
    """Return a reader for a snapshot of this kind.

    Raises `SnapshotFormatError`, `SnapshotVersionError`, `SnapshotMismatchError`.
    """
    findings = Findings()
    if type(data) is not dict or not all(type(key) is str for key in data):
        findings.add("", "type", f"{shown(data)} is no snapshot: pass what `save` returned")
    elif type(data.get("format")) is not str or data["format"] != FORMAT:
        findings.add("format", "format", f"this is no {FORMAT}: pass what `save` returned")
    findings.check(SnapshotFormatError)
    version = data.get("version")  # type: ignore[attr-defined]  # it is a dict: see above
    if type(version) is not int or version not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        text = f"{shown(version)} is none that this release reads: it reads {known}"
        raise refuse(SnapshotVersionError, "version", "version", text)
    found = data.get("kind")  # type: ignore[attr-defined]  # likewise
    if type(found) is not str or found != kind:
        text = f"this is a snapshot of {shown(found)}, and {kind!r} is to be restored"
        raise refuse(SnapshotMismatchError, "kind", "kind", text)
    return Reader(version, findings)


class Reader:
    """Reads parts of a snapshot; what is wrong is noted with its place, and reading goes on."""

    def __init__(self, version: int, findings: Findings) -> None:
        self.version = version
        self.findings = findings

    def wrong(self, where: str, value: object, wanted: str) -> None:
        """Note that something else is wanted."""
        self.findings.add(where, "type", f"{shown(value)} is not {wanted}")

    def check(self) -> None:
        """Raise `SnapshotFormatError` if anything is wrong."""
        self.findings.check(SnapshotFormatError)

    def whole(self, data: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
        """Return the top of a snapshot, which has these keys."""
        return self.fields(data, "", {*_ENVELOPE, *keys})

    def fields(self, value: object, where: str, keys: Collection[str]) -> dict[str, Any]:
        """Return an object that has exactly these keys; those that are missing are `None`."""
        if type(value) is not dict:
            self.wrong(where, value, f"an object with {', '.join(sorted(keys))}")
            return dict.fromkeys(keys)
        # A key of another type may be anything: it is told from these by its type alone.
        for key in value:
            if type(key) is not str or key not in keys:
                self.findings.add(where, "unknown-key", f"the key {shown(key)} is not known")
        plain = {key: member for key, member in value.items() if type(key) is str}
        for key in sorted(keys):
            if key not in plain:
                self.findings.add(where, "missing-key", f"the key {key!r} is missing")
        return {key: plain.get(key) for key in keys}

    def integer(self, value: object, where: str) -> int:
        """Return an int."""
        if type(value) is not int:
            self.wrong(where, value, "an integer")
            return 0
        return value

    def items(self, value: object, where: str) -> list[Any]:
        """Return a list."""
        if type(value) is not list:
            self.wrong(where, value, "a list")
            return []
        return value

    def table(self, value: object, where: str) -> dict[str, Any]:
        """Return an object with any keys."""
        if type(value) is not dict:
            self.wrong(where, value, "an object")
            return {}
        for key in value:
            if type(key) is not str:
                self.findings.add(where, "unknown-key", f"the key {shown(key)} is no string")
        return {key: member for key, member in value.items() if type(key) is str}

    def name(self, value: object, where: str) -> str:
        """Return a str."""
        if type(value) is not str:
            self.wrong(where, value, "a string")
            return ""
        return value

    def owner(self, value: object, where: str) -> str | None:
        """Return a str or `None`."""
        return None if value is None else self.name(value, where)

    def entries(self, value: object, listed: str) -> list[Entry]:
        """Return the ranges of a list, each `[start, end]` or, from version 2, with an owner."""
        found: list[Entry] = []
        most = _ENDS if self.version == 1 else _ENDS_AND_OWNER
        for at, item in enumerate(self.items(value, listed)):
            if type(item) is list and _ENDS <= len(item) <= most:
                start, end, *owner = item
                if type(start) is int and type(end) is int:
                    if not owner:
                        found.append(Entry(start, end, listed, at))
                        continue
                    if type(owner[0]) is str:
                        found.append(Entry(start, end, listed, at, "", owner[0]))
                        continue
            self._no_entry(item, f"{listed}[{at}]")
        return found

    def ends(self, value: object, listed: str, at: int, part: str) -> Entry:
        """Return a range that stands alone."""
        if type(value) is list and len(value) == _ENDS:
            start, end = value
            if type(start) is int and type(end) is int:
                return Entry(start, end, listed, at, part)
        self._no_entry(value, f"{listed}[{at}]{part}")
        return Entry(0, 0, listed, at, part)

    def _no_entry(self, value: object, where: str) -> None:
        kind = "[start, end], two integers"
        if self.version > 1:
            kind += ", or [start, end, owner]"
        what = value
        if type(value) is list and len(value) <= _ENDS_AND_OWNER:
            self.findings.add(where, "type", f"[{', '.join(map(shown, value))}] is not {kind}")
            return
        self.wrong(where, what, kind)
