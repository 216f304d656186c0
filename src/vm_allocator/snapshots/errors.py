"""What is wrong with a snapshot: every finding has a place, a reason and a sentence."""

from __future__ import annotations

from typing import Final, NamedTuple

MOST_FINDINGS: Final = 20
"""An error names so many findings, and counts the others."""

MANY_FINDINGS: Final = 1000
"""After so many wrong types nothing more is read: `omitted` is then the least that it may be."""

_LONGEST_INT: Final = 72
_LONGEST_TEXT: Final = 40


class Finding(NamedTuple):
    """One thing that is wrong: where (`live[3]`), why in a word (`overlap`), and in words."""

    where: str
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


class SnapshotError(ValueError):
    """Root of all that is raised about snapshots; nothing was made, and nothing has changed.

    `findings` are the first of what is wrong, in the order of the snapshot where it has one;
    `omitted` counts what is not among them.
    """

    def __init__(self, findings: tuple[Finding, ...], omitted: int = 0) -> None:
        # Exception.args too, which is what makes errors survive pickling.
        super().__init__(findings, omitted)
        self.findings = findings
        self.omitted = omitted

    def __str__(self) -> str:
        more = (f"and {self.omitted} more",) if self.omitted else ()
        return "; ".join((*map(str, self.findings), *more))


class SnapshotFormatError(SnapshotError):
    """It is no snapshot of this format: bad JSON, a wrong type, a missing or an unknown key."""


class SnapshotVersionError(SnapshotError):
    """It is of a version that this release does not read."""


class SnapshotTooLargeError(SnapshotError):
    """It is larger than what the caller is ready to read."""


class SnapshotStateError(SnapshotError):
    """It breaks an invariant: there is no such state."""


class SnapshotMismatchError(SnapshotError):
    """It is of something else than what it is to be restored as."""


class NotSavableError(SnapshotError, TypeError):
    """There is something to save that the format has no words for."""


class Findings:
    """What was found so far. O(1) memory: beyond `MOST_FINDINGS` they are counted."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def are_many(self) -> bool:
        """Whether nobody will want to read on: what is no snapshot need not be gone through."""
        return self._count >= MANY_FINDINGS

    def add(self, where: str, reason: str, text: str) -> None:
        """Note one more."""
        self._count += 1
        if self._count <= MOST_FINDINGS:
            self._found.append(Finding(where, reason, text))

    def check(self, kind: type[SnapshotError]) -> None:
        """Raise an error of this kind if there are any."""
        if self._count:
            raise kind(tuple(self._found), self._count - len(self._found))


def refuse(kind: type[SnapshotError], where: str, reason: str, text: str) -> SnapshotError:
    """Return an error with a single finding."""
    return kind((Finding(where, reason, text),))


def shown(value: object) -> str:
    """Return a few words for anything at all, whatever its size and its `__repr__`."""
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return repr(value)
    if kind is int:
        return shown_int(value)  # type: ignore[arg-type]  # an int by the line above
    if kind is str:
        text: str = value  # type: ignore[assignment]  # likewise a str
        return ascii(text) if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]!a}..."
    if kind in {list, dict}:
        return f"a {kind.__name__} of {len(value)}"  # type: ignore[arg-type]  # both have lengths
    return f"a {kind.__name__}"


def shown_int(value: int) -> str:
    """Return the int as people write it, unless it is enormous: that alone could take hours."""
    bits = value.bit_length()
    return f"{value}" if bits <= _LONGEST_INT else f"an int of {bits} bits"


def plain(name: str) -> str:
    """Return a name as a part of a path, unless it is none that anybody would give."""
    return (
        name
        if name.isascii() and name.isidentifier() and len(name) <= _LONGEST_TEXT
        else shown(name)
    )
