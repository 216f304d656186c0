"""Claims: an allocator, which owners hold its ranges, and who waits for what, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vm_allocator.resource import U64_MAX

from .errors import NotSavableError, SnapshotStateError, refuse, shown
from .pools import read_pool, saved_pool
from .reading import envelope, opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm_allocator.claims import Claims

    from .errors import Findings
    from .reading import Reader
    from .states import SavedState

CLAIMS: Final = "claims"
_CLAIM: Final = 3  # [start, end, owner]

Name = str | int
"""What an owner or a device has to be to be saved: ints of 64 bits."""


def is_name(value: object) -> bool:
    """Whether an owner or a device of that name can be saved."""
    if type(value) is int:
        return -(1 << 63) <= value <= U64_MAX
    return type(value) is str


class SavedClaim(NamedTuple):
    """A range that an owner holds or waits for, and where the snapshot says so."""

    start: int
    end: int
    owner: Name
    where: str


@dataclass(slots=True)
class SavedClaims:
    """What a snapshot says of claims to one allocator, beside what it says of that."""

    held: list[SavedClaim] = field(default_factory=list)
    waiting: list[SavedClaim] = field(default_factory=list)

    def check(self, state: SavedState, findings: Findings) -> None:
        """Note everything that cannot be: O(n) in the numbers of ranges and of claims.

        What is held is live, and not on the move; an owner has one claim, and a range one
        owner; what is waited for could be granted some day.
        """
        live = {entry[:2] for entry in state.live}
        owners, holders = dict[Name, str](), dict[tuple[int, int], str]()
        for claim in (*self.held, *self.waiting):
            if claim.owner in owners:
                text = f"{shown(claim.owner)} has a claim already: {owners[claim.owner]}"
                findings.add(claim.where, "claimed-twice", text)
            owners.setdefault(claim.owner, claim.where)
        for claim in self.held:
            ends = (claim.start, claim.end)
            if ends in holders:
                text = f"{_shown(claim, state)} is held by {holders[ends]} as well"
                findings.add(claim.where, "held-twice", text)
            elif ends not in live:
                findings.add(
                    claim.where, "not-allocated", f"{_shown(claim, state)} is held and not live"
                )
            holders.setdefault(ends, claim.where)
        for claim in self.waiting:
            if not state.base <= claim.start <= claim.end <= state.last:
                text = f"{_shown(claim, state)} is no range of the space: nobody can wait for it"
                findings.add(claim.where, "out-of-bounds", text)

    def body(self) -> dict[str, Any]:
        """Return the data."""
        return {
            "held": [list(claim[:3]) for claim in self.held],
            "waiting": [list(claim[:3]) for claim in self.waiting],
        }

    @classmethod
    def of(cls, claims: Claims[Any, Any, Any], where: str) -> SavedClaims:
        """Return what is said of these claims. Raises `NotSavableError` for owners of other types.

        And `SnapshotStateError` if what an owner holds was freed past its claim.
        """
        made = cls()
        for name, found, listed in (
            ("held", claims._held, made.held),
            ("waiting", claims._waiting, made.waiting),
        ):
            for at, (owner, (start, end)) in enumerate(found.items()):
                here = f"{where}{name}[{at}]"
                if not is_name(owner):
                    text = f"owner {shown(owner)} is no string and no 64-bit int: it is not saved"
                    raise refuse(NotSavableError, here, "owner", text)
                listed.append(SavedClaim(start, end, owner, here))
        return made

    @classmethod
    def read(cls, reader: Reader, fields: dict[str, Any], where: str) -> SavedClaims:
        """Return what the fields say."""
        made = cls()
        for name, listed in (("held", made.held), ("waiting", made.waiting)):
            for at, item in enumerate(reader.items(fields[name], f"{where}{name}")):
                if reader.findings.are_many:
                    break
                if type(item) is list and len(item) == _CLAIM:
                    start, end, owner = item
                    if type(start) is int and type(end) is int and is_name(owner):
                        listed.append(SavedClaim(start, end, owner, f"{where}{name}[{at}]"))
                        continue
                reader.wrong(f"{where}{name}[{at}]", item, "[start, end, owner]")
        return made

    def put(self, claims: Claims[Any, Any, Any]) -> None:
        """Let the fresh claims be these."""
        _put(claims._held, self.held)
        _put(claims._waiting, self.waiting)


def save_claims(claims: Claims[Any, Any, Any]) -> dict[str, Any]:
    """Return the snapshot of claims, and of the allocator below them."""
    data = {
        **envelope(CLAIMS),
        "allocator": saved_pool(claims._allocator),
        **SavedClaims.of(claims, "").body(),
    }
    read_claims(data)  # what could not be restored is not saved
    return data


def read_claims(data: Any) -> tuple[SavedState, SavedClaims]:
    """Return what such a snapshot says. Raises a `SnapshotError` that names what is wrong."""
    reader = opened(data, CLAIMS)
    fields = reader.whole(data, ("allocator", "held", "waiting"))
    state = read_pool(reader, fields["allocator"], "allocator")
    claims = SavedClaims.read(reader, fields, "")
    reader.check()
    if state is None:
        raise AssertionError("what is wrong with it was noted")
    state.check(reader.findings, "allocator.")
    claims.check(state, reader.findings)
    reader.findings.check(SnapshotStateError)
    return state, claims


def _put(into: dict[Any, tuple[int, int]], claims: Iterable[SavedClaim]) -> None:
    into.update({claim.owner: (claim.start, claim.end) for claim in claims})


def _shown(claim: SavedClaim, state: SavedState) -> str:
    if 0 <= claim.start <= claim.end <= state.unit.top:
        return state.unit.show_range(claim.start, claim.end)
    return f"{shown(claim.start)} to {shown(claim.end)}"
