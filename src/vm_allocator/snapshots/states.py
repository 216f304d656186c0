"""The state of one allocator, read from a snapshot, held to every invariant, and made."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.arithmetic import is_power_of_two
from vm_allocator.moves import Move
from vm_allocator.resource import MAX_ALIGNMENT, Unit

from .errors import SnapshotStateError, shown
from .reading import envelope, opened
from .sweep import EMPTY, OUTSIDE, Entry, Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vm_allocator.gaps import GapIndex
    from vm_allocator.view import RangeView

    from .errors import Findings
    from .reading import Reader

KINDS: Final = {Unit.ADDRESS: "addresses", Unit.ID: "ids"}
UNITS: Final = {kind: unit for unit, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class SavedMove:
    """A move that was pending: its two ranges, and whose it is."""

    old: Entry
    new: Entry
    owner: str | None

    def reserved(self) -> Iterable[Entry]:
        """Return what it holds: the old range, and the parts of the new one outside of it."""
        yield self.old
        old, new = self.old, self.new
        if new.end < new.start or new.end < old.start or old.end < new.start:
            yield new  # an empty one is for the sweep to find
            return
        if new.start < old.start:
            yield new._replace(end=old.start - 1)
        if old.end < new.end:
            yield new._replace(start=old.end + 1)


@dataclass(slots=True)
class SavedState:
    """What a snapshot says of one allocator."""

    unit: Unit
    base: int
    last: int
    alignment: int
    live: list[Entry] = field(default_factory=list)
    reserved: list[Entry] = field(default_factory=list)
    moves: list[SavedMove] = field(default_factory=list)

    # ---- to data, and from it

    def body(self) -> dict[str, Any]:
        """Return the data, without what says which format it is."""
        space = {"base": self.base, "last": self.last}
        if self.unit is Unit.ADDRESS:
            space["alignment"] = self.alignment
        return {
            **space,
            "live": [_listed(entry) for entry in self.live],
            "reserved": [_listed(entry) for entry in self.reserved],
            "moves": [
                {"old": _listed(one.old), "new": _listed(one.new), "owner": one.owner}
                for one in self.moves
            ],
        }

    def data(self) -> dict[str, Any]:
        """Return the whole snapshot."""
        return {**envelope(KINDS[self.unit]), **self.body()}

    @classmethod
    def of(cls, allocator: RangeView[Any, Any]) -> SavedState:
        """Return the state of an allocator, at one moment to other threads. O(n)."""
        as_one: Any = getattr(allocator, "_as_one", nullcontext)
        with as_one():
            return cls._of(allocator)

    @classmethod
    def _of(cls, allocator: RangeView[Any, Any]) -> SavedState:
        unit, base, last, owners = (
            allocator._unit,
            allocator._base,
            allocator._last,
            allocator._owners,
        )
        live = [
            Entry(start, end, "live", at, "", _text(owners.get(start)))
            for at, (start, end) in enumerate(allocator._live())
        ]
        moves = list[SavedMove]()
        reserved = list[Entry]()
        for holder in allocator._holders():
            if isinstance(holder, Move):
                old_start, old_end, new_start, new_end = holder.ends
                at, whose = len(moves), _text(owners.get(old_start))
                old = Entry(old_start, old_end, "moves", at, ".old", whose)
                new = Entry(new_start, new_end, "moves", at, ".new")
                moves.append(SavedMove(old, new, _text(holder.owner)))
            else:
                reserved.append(
                    Entry(*holder.ends, "reserved", len(reserved), "", _text(holder.owner))
                )
        return cls(unit, base, last, allocator._align, live, sorted(reserved), moves)

    @classmethod
    def read(cls, data: Any, unit: Unit) -> SavedState:
        """Return the state that a whole snapshot has, and that breaks no invariant.

        Raises a `SnapshotError` that names what is wrong.
        """
        kind = KINDS[unit]
        reader = opened(data, kind)
        state = cls.from_fields(reader, reader.whole(data, keys_of(unit, reader.version)), unit, "")
        reader.check()
        state.check(reader.findings)
        reader.findings.check(SnapshotStateError)
        return state

    @classmethod
    def from_fields(
        cls, reader: Reader, fields: dict[str, Any], unit: Unit, where: str
    ) -> SavedState:
        """Return what the fields say; what is wrong with their types is noted by the reader."""
        moves = []
        listed = f"{where}moves"
        for at, item in enumerate(reader.items(fields["moves"], listed)):
            if reader.findings.are_many:
                break
            here = f"{listed}[{at}]"
            move = reader.fields(item, here, ("old", "new", "owner"))
            moves.append(
                SavedMove(
                    reader.ends(move["old"], listed, at, ".old", owned=None),
                    reader.ends(move["new"], listed, at, ".new"),
                    reader.owner(move["owner"], f"{here}.owner"),
                )
            )
        alignment = 1
        if unit is Unit.ADDRESS:
            alignment = reader.integer(fields["alignment"], f"{where}alignment")
        return cls(
            unit,
            reader.integer(fields["base"], f"{where}base"),
            reader.integer(fields["last"], f"{where}last"),
            alignment,
            reader.entries(fields["live"], f"{where}live"),
            reader.entries(fields["reserved"], f"{where}reserved", owned=True)
            if reader.version > 1
            else [],
            moves,
        )

    # ---- what has to be true

    def check(self, findings: Findings, where: str = "") -> None:
        """Note everything that breaks an invariant. O(n log n), and O(n) if the list is sorted."""
        unit = self.unit
        if not 0 <= self.base <= self.last <= unit.top:
            findings.add(
                f"{where}base",
                "invalid-space",
                f"a space from {shown(self.base)} to {shown(self.last)} is not possible: it lies "
                f"in 0 to {unit.top}, and is not empty",
            )
            return
        if not 1 <= self.alignment <= MAX_ALIGNMENT or not is_power_of_two(self.alignment):
            findings.add(
                f"{where}alignment",
                "invalid-alignment",
                f"{shown(self.alignment)} is no power of two from 1 to {MAX_ALIGNMENT}",
            )

        def report(entry: Entry, reason: str, other: Entry | None) -> None:
            findings.add(entry.where, reason, self._said(entry, reason, other))

        Sweep(self.base, self.last).over(self.held(), report)

    def held(self) -> list[Entry]:
        """Return everything that is not free, lowest first."""
        of_moves = [entry for move in self.moves for entry in move.reserved()]
        return sorted([*self.live, *self.reserved, *of_moves])

    def _said(self, entry: Entry, reason: str, other: Entry | None) -> str:
        this = self._range(entry)
        if reason == EMPTY:
            return f"{this} is empty: it ends before it starts"
        if reason == OUTSIDE or other is None:
            return f"{this} is not within the space {self.unit.show_range(self.base, self.last)}"
        return f"{this} overlaps {other.where}, {self._range(other)}"

    def _range(self, entry: Entry) -> str:
        if 0 <= entry.start <= self.unit.top and 0 <= entry.end <= self.unit.top:
            return self.unit.show_range(entry.start, entry.end)
        return f"{shown(entry.start)} to {shown(entry.end)}"

    # ---- how it is made

    def owners(self) -> dict[int, str]:
        """Return whose ranges are, by their starts."""
        olds = [move.old for move in self.moves]
        return {one.start: one.owner for one in (*self.live, *olds) if one.owner is not None}

    def filled(self, factory: Callable[[int, int], GapIndex]) -> GapIndex:
        """Return an index of all that is taken before the moves begin. O(n) for most indexes."""
        olds = [move.old for move in self.moves]
        ranges = sorted(entry[:2] for entry in (*self.live, *self.reserved, *olds))
        from_live = getattr(factory, "from_live", None)
        if from_live is not None:
            index: GapIndex = from_live(self.base, self.last, ranges)
            return index
        index = factory(self.base, self.last)
        # As many at once as have one size.
        by_span = sorted(ranges, key=_span)
        for span, group in groupby(by_span, key=_span):
            index.add_all([start for start, _ in group], span)
        return index


def keys_of(unit: Unit, version: int) -> Sequence[str]:
    """Return the keys that the state of an allocator has."""
    keys = ["base", "last", "live", "moves"]
    if unit is Unit.ADDRESS:
        keys.append("alignment")
    if version > 1:
        keys.append("reserved")
    return keys


def _text(owner: str | None) -> str | None:
    """Return a plain str: of an owner that is one of a subclass, just what it says."""
    return owner if owner is None else str.__str__(owner)


def _span(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0]


def _listed(entry: Entry) -> list[int | str]:
    owner = () if entry.owner is None else (entry.owner,)
    return [entry.start, entry.end, *owner]
