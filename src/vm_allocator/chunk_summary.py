"""What a bitmap of ids knows of its chunks without looking into them.

The chunks are numbered from 0. A radix tree stands above their numbers: a group holds
`fan` neighbours, a group of the next level that many groups, up to a single one. Groups
without a chunk below them do not exist. Of each of its members a group knows

- whether it exists, which makes the chunk before or after another one easy to find;
- for each alignment asked for so far, a *bound*: no gap that opens below this member has
  more room than that for one range so aligned. (A gap opens in the chunk of the live id
  before it, so that each gap belongs to one chunk, however far it reaches.)

Bounds are exact only now and then. A gap that shrinks leaves them alone, which is safe;
a gap that grows raises them; a search that they led astray lowers them. So each change of a
gap pays for at most one look in vain per alignment. An alignment that a group has not
heard of has the bounds of alignment 1.
"""

from __future__ import annotations

from typing import Final

from .arithmetic import lowest_start
from .bit_words import highest, lowest, places
from .errors import hold

DEFAULT_FAN_BITS: Final = 5


def room(first: int, last: int, align: int) -> int:
    """Return the room in `first` to `last`, which may be empty, for a range aligned so."""
    start = lowest_start(first, last, 0, align) if first <= last else None
    return 0 if start is None else last - start + 1


class Group:
    """The members of one group, each with a bit in two words and with its bounds.

    `present`: it exists. `open`: its bound of alignment 1 is not 0. `bounds` are by alignment.
    """

    __slots__ = ("bounds", "open", "present")

    def __init__(self, present: int, opened: int, bounds: dict[int, list[int]]) -> None:
        self.present = present
        self.open = opened
        self.bounds = bounds

    def lower(self, slot: int, align: int, most: int) -> None:
        """Let the bound of a member be no more than that."""
        bounds = self.bounds.get(align)
        if bounds is None:
            bounds = self.bounds[align] = self.bounds[1].copy()
        if most < bounds[slot]:
            try:
                self._set(bounds, slot, most, align)
            except BaseException:  # an interrupt may come between the bound and its bit
                self._set(bounds, slot, most, align)
                raise

    def _set(self, bounds: list[int], slot: int, most: int, align: int) -> None:
        bounds[slot] = most
        if align == 1 and not most:
            self.open &= ~(1 << slot)

    def copy(self) -> Group:
        """Return an equal, independent group."""
        return Group(
            self.present, self.open, {align: bounds.copy() for align, bounds in self.bounds.items()}
        )


class ChunkSummary:
    """Which of the chunks 0 to `top` exist, and how much room each may have.

    The chunks 0 and `top` are there to stay. Everything is O(levels), which
    are `log(top)` to the base of the fan; times the fan, where bounds are searched; times the
    alignments in use, where they are raised.
    """

    __slots__ = ("_bits", "_highest", "_levels", "_mask", "_top")

    def __init__(self, top: int, fan_bits: int = DEFAULT_FAN_BITS) -> None:
        self._bits = fan_bits
        self._mask = (1 << fan_bits) - 1
        self._top = top
        # The highest chunk below the top one: nothing lies between, however far that is.
        self._highest = 0
        self._levels: list[dict[int, Group]] = [{}]
        while top >> (fan_bits * len(self._levels)):
            self._levels.append({})

    # ---- which chunks exist

    def insert(self, chunk: int) -> None:
        """Let the chunk exist, without room. Needs it not to."""
        if self._highest < chunk < self._top:
            self._highest = chunk
        member = chunk
        for level in self._levels:
            key, slot = member >> self._bits, member & self._mask
            group = level.get(key)
            if group is not None:
                group.present |= 1 << slot
                return
            level[key] = Group(1 << slot, 0, {1: [0] * (self._mask + 1)})
            member = key

    def delete(self, chunk: int) -> None:
        """Let the chunk exist no more. Needs it to."""
        if chunk == self._highest:
            self._highest = self.below(chunk)
        member = chunk
        for level in self._levels:
            key, slot = member >> self._bits, member & self._mask
            group = level[key]
            group.present ^= 1 << slot
            group.open &= group.present
            if group.present:
                for bounds in group.bounds.values():
                    bounds[slot] = 0
                return
            del level[key]
            member = key

    def above(self, chunk: int) -> int:
        """Return the next chunk above. Needs one to exist."""
        if self._highest <= chunk < self._top:
            return self._top
        member = chunk
        for height, level in enumerate(self._levels):
            key = member >> self._bits
            group = level.get(key)
            if group is not None:
                slot = (member & self._mask) + 1
                later = group.present >> slot
                if later:
                    member = (key << self._bits) + slot + lowest(later)
                    for below in range(height - 1, -1, -1):
                        within = lowest(self._levels[below][member].present)
                        member = (member << self._bits) + within
                    return member
            member = key
        raise LookupError(f"no chunk above {chunk}")

    def below(self, chunk: int) -> int:
        """Return the next chunk below. Needs one to exist."""
        member = chunk
        for height, level in enumerate(self._levels):
            key = member >> self._bits
            group = level.get(key)
            if group is not None:
                earlier = group.present & ((1 << (member & self._mask)) - 1)
                if earlier:
                    member = (key << self._bits) + highest(earlier)
                    for below in range(height - 1, -1, -1):
                        within = highest(self._levels[below][member].present)
                        member = (member << self._bits) + within
                    return member
            member = key
        raise LookupError(f"no chunk below {chunk}")

    # ---- how much room they may have

    def raise_bounds(self, chunk: int, first: int, last: int) -> None:
        """Let the bounds allow for the gap `first` to `last`, which opens in this chunk."""
        size = last - first + 1
        if not size:
            return
        member = chunk
        for level in self._levels:
            group, slot = level[member >> self._bits], member & self._mask
            group.open |= 1 << slot
            for align, bounds in group.bounds.items():
                # The first comparison is for speed: no alignment makes a gap larger.
                if bounds[slot] < size:
                    bounds[slot] = max(bounds[slot], room(first, last, align))
            member >>= self._bits

    def lower_bound(self, chunk: int, align: int, most: int) -> None:
        """Remember that no gap that opens in this chunk has more room than `most`."""
        self._levels[0][chunk >> self._bits].lower(chunk & self._mask, align, most)

    def lowest_with(self, size: int, align: int, chunk: int) -> int | None:
        """Return the lowest chunk, from this one up, that may have room; `None` if none has."""
        height, key, slot = 0, chunk >> self._bits, chunk & self._mask
        # The first member of a group stands for all of it, while there is more than that.
        while not slot and self._highest >> self._bits * (height + 1):
            height, key, slot = height + 1, key >> self._bits, key & self._mask
        while (key << self._bits) + slot <= self._highest >> self._bits * height:
            group = self._levels[height].get(key)
            if group is not None:
                bounds = group.bounds.get(align) or group.bounds[1]
                found = _first_from(group.open, bounds, size, slot)
                if found >= 0:
                    key = (key << self._bits) + found
                    if not height:
                        return key
                    height, slot = height - 1, 0
                    continue
                self._lower_group(height + 1, key, align, max(bounds))
            height, key, slot = height + 1, key >> self._bits, (key & self._mask) + 1
        group = self._levels[0][self._top >> self._bits]
        bounds = group.bounds.get(align) or group.bounds[1]
        return self._top if chunk <= self._top and size <= bounds[self._top & self._mask] else None

    def highest_with(self, size: int, align: int, chunk: int) -> int | None:
        """Return the highest chunk, from this one down, that may have room; otherwise likewise."""
        height, key, slot = 0, chunk >> self._bits, chunk & self._mask
        while height < len(self._levels):
            group = self._levels[height].get(key)
            if group is not None:
                bounds = group.bounds.get(align) or group.bounds[1]
                found = _last_upto(group.open, bounds, size, slot)
                if found >= 0:
                    key = (key << self._bits) + found
                    if not height:
                        return key
                    height, slot = height - 1, self._mask
                    continue
                self._lower_group(height + 1, key, align, max(bounds))
            height, key, slot = height + 1, key >> self._bits, (key & self._mask) - 1
        return None

    def _lower_group(self, height: int, member: int, align: int, most: int) -> None:
        """Lower the bound of a group to its own largest one, which a search has just seen."""
        if height < len(self._levels):
            self._levels[height][member >> self._bits].lower(member & self._mask, align, most)

    # ---- all of it

    def emptied(self) -> ChunkSummary:
        """Return one for chunks of the same numbers, none of which exists yet."""
        return ChunkSummary(self._top, self._bits)

    def copy(self) -> ChunkSummary:
        """Return an equal, independent summary. O(chunks)."""
        twin = ChunkSummary(self._top, self._bits)
        twin._highest = self._highest
        twin._levels = [
            {key: group.copy() for key, group in level.items()} for level in self._levels
        ]
        return twin

    def check(self, gaps: dict[int, list[tuple[int, int]]]) -> None:
        """Raise `BrokenInvariantError` unless this is true of the gaps that open in each chunk."""
        hold(
            "no chunk lies between the highest and the top",
            self._highest == max((chunk for chunk in gaps if chunk < self._top), default=0),
            f"highest {self._highest}, top {self._top}, chunks {sorted(gaps)}",
        )
        for level in self._levels:
            state = f"level {self._levels.index(level)}: " + "; ".join(
                f"group {key}: {group.present:#b}, {group.bounds}" for key, group in level.items()
            )
            present = {
                (key << self._bits) + slot
                for key, group in level.items()
                for slot in places(group.present)
            }
            hold("the members of the groups are those that exist", present == set(gaps), state)
            hold("no group is empty", all(group.present for group in level.values()), state)
            hold(
                "no bound is below the room of a gap",
                all(
                    room(*gap, align) <= bounds[member & self._mask]
                    for member, opened in gaps.items()
                    for align, bounds in level[member >> self._bits].bounds.items()
                    for gap in opened
                ),
                state,
            )
            hold(
                "open are those with a bound for alignment 1",
                all(
                    group.open
                    == sum(1 << slot for slot, most in enumerate(group.bounds[1]) if most)
                    for group in level.values()
                ),
                state,
            )
            hold(
                "what does not exist has no room",
                all(
                    group.present >> slot & 1 or bound == 0
                    for group in level.values()
                    for bounds in group.bounds.values()
                    for slot, bound in enumerate(bounds)
                ),
                state,
            )
            grouped: dict[int, list[tuple[int, int]]] = {}
            for member, opened in gaps.items():
                grouped.setdefault(member >> self._bits, []).extend(opened)
            gaps = grouped
        hold("one group stands above all", set(gaps) <= {0}, str(gaps))


def _first_from(opened: int, bounds: list[int], size: int, slot: int) -> int:
    """Return the first open slot, from this one up, whose bound allows for that size; else -1."""
    opened >>= slot
    if opened:
        for candidate in range(slot + lowest(opened), slot + opened.bit_length()):
            if bounds[candidate] >= size:
                return candidate
    return -1


def _last_upto(opened: int, bounds: list[int], size: int, slot: int) -> int:
    """Return the last open slot, from this one down, whose bound allows for that size; else -1."""
    opened &= (1 << (slot + 1)) - 1
    if opened:
        for candidate in range(highest(opened), -1, -1):
            if bounds[candidate] >= size:
                return candidate
    return -1
