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
"""What is read. 1 knows no owners of live ranges, no ranges of the platform, and no claims."""

_ENVELOPE: Final = ("format", "version", "kind")
_ENDS: Final = 2


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
        """Return a str that is not empty, or `None`."""
        if value is None or (type(value) is str and value):
            return value
        self.wrong(where, value, "an owner: a string that is not empty, or null")
        return None

    def entries(self, value: object, listed: str, *, owned: bool | None = None) -> list[Entry]:
        """Return the ranges of a list, each `[start, end]` or, from version 2, with an owner.

        With `owned` all of them have one.
        """
        found: list[Entry] = []
        append = found.append
        for at, item in enumerate(self.items(value, listed)):
            # Most of them are like this; what is not is looked at closely.
            if type(item) is list and len(item) == _ENDS and owned is None:
                start, end = item
                if type(start) is int and type(end) is int:
                    append(Entry(start, end, listed, at))
                    continue
            append(self.ends(item, listed, at, "", owned=owned))
            if self.findings.are_many:
                break
        return found

    def ends(
        self, value: object, listed: str, at: int, part: str, *, owned: bool | None = False
    ) -> Entry:
        """Return a range. An owner is needed, refused, or (`None`) what version 2 may have."""
        may = owned is not False and self.version > 1
        if type(value) is list and _ENDS <= len(value) <= _ENDS + may:
            start, end, *owner = value
            named = not owner or (type(owner[0]) is str and bool(owner[0]))
            if type(start) is int and type(end) is int and named and (owner or not owned):
                return Entry(start, end, listed, at, part, *owner)
        kind = "[start, end, owner]" if owned else "[start, end]"
        if may and not owned:
            kind += ", or [start, end, owner]"
        what = shown(value)
        if type(value) is list and len(value) <= _ENDS + 1:
            what = f"[{', '.join(map(shown, value))}]"
        self.findings.add(f"{listed}[{at}]{part}", "type", f"{what} is not {kind}")
        return Entry(0, 0, listed, at, part)
