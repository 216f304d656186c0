"""Known findings, accepted with a reason each: only new ones make a check fail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .findings import Finding

_FORMAT: Final = 1
_UNSAID: Final = "write here why this is accepted"
_HELP: Final = "write one with --write-baseline FILE, and give each entry its reason"


class BaselineError(Exception):
    """A baseline that cannot be used: which file, what is wrong, and what to do."""


class Entry(msgspec.Struct, frozen=True):
    """One accepted finding. `title` is for people; `finding` is its fingerprint."""

    finding: Annotated[str, msgspec.Meta(min_length=1)]
    reason: Annotated[str, msgspec.Meta(min_length=1)]
    title: str = ""


class _File(msgspec.Struct, frozen=True):
    format: int
    accepted: tuple[Entry, ...]


@dataclass(frozen=True)
class Baseline:
    """The accepted findings of a target."""

    accepted: tuple[Entry, ...] = ()

    def new(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings that are not accepted."""
        known = {entry.finding for entry in self.accepted}
        return [one for one in findings if one.fingerprint not in known]

    def gone(self, findings: Sequence[Finding]) -> list[Entry]:
        """Return the accepted findings that were not found this time."""
        found = {one.fingerprint for one in findings}
        return [entry for entry in self.accepted if entry.finding not in found]


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in a file. Raises `BaselineError`."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise BaselineError(f"{path}: it cannot be read ({error.strerror}): {_HELP}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path}: this is no baseline ({error}): {_HELP}") from None
    if file.format != _FORMAT:
        raise BaselineError(f"{path}: its format is {file.format} and not {_FORMAT}: {_HELP}")
    for entry in file.accepted:
        if not entry.reason.strip() or entry.reason == _UNSAID:
            said = f"{path}: {entry.finding} has no reason"
            raise BaselineError(f"{said}: say why it is accepted")
    return Baseline(file.accepted)


def write_baseline(path: Path, findings: Sequence[Finding], before: Baseline) -> None:
    """Write a baseline that accepts these findings, keeping the reasons that were given before.

    A new entry has no reason yet, and is refused until somebody writes one. Raises OSError.
    """
    reasons = {entry.finding: entry.reason for entry in before.accepted}
    accepted = [
        {
            "finding": one.fingerprint,
            "title": f"{one.broken.value}: {one.title}",
            "reason": reasons.get(one.fingerprint, _UNSAID),
        }
        for one in findings
    ]
    text = json.dumps({"format": _FORMAT, "accepted": accepted}, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
