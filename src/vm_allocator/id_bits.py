"""The bits of a bitmap of ids: where live ranges start and end, and what lies beside a place.

The space is cut into chunks of 1024 ids. A chunk has two words of bits: where live ranges
start in it, and where they end. A range of any size is thereby two bits, and a freed range is
told from its neighbours; the free ids of a chunk are one subtraction away (`bit_words`). A
chunk without a bit is not there at all. Above the chunks stands a `ChunkSummary`, which leads
a search for room to the chunk that has it.

Just below the space, and just above it, one id counts as live for good. So each gap lies
between two live ids, and opens in the chunk of the lower one.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from .bit_words import highest, lowest, places
from .chunk_summary import DEFAULT_FAN_BITS, ChunkSummary
from .compiled import mypyc_attr

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_CHUNK_BITS: Final = 10


class Chunk:
    """Where live ranges start and end among the ids of one chunk, a bit each."""

    __slots__ = ("ends", "starts")

    def __init__(self, starts: int, ends: int) -> None:
        self.starts = starts
        self.ends = ends


@mypyc_attr(allow_interpreted_subclasses=True)
class IdBits:
    """The chunks of a space of ids, and their summary."""

    __slots__ = (
        "_base",
        "_chunk_bits",
        "_chunks",
        "_count",
        "_last",
        "_mask",
        "_origin",
        "_summary",
    )

    def __init__(
        self,
        base: int,
        last: int,
        *,
        chunk_bits: int = DEFAULT_CHUNK_BITS,
        fan_bits: int = DEFAULT_FAN_BITS,
    ) -> None:
        self._base = base
        self._last = last
        self._count = 0
        self._chunk_bits = chunk_bits
        self._mask = (1 << chunk_bits) - 1
        # Chunks start at multiples of their size, so that a bit is as aligned as its id.
        self._origin = (base - 1) >> chunk_bits
        self._chunks: dict[int, Chunk] = {}
        self._summary = ChunkSummary(self._number(last + 1), fan_bits)
        for sentinel in (base - 1, last + 1):
            number = self._number(sentinel)
            chunk = self._chunks.get(number) or self._open(number)
            chunk.starts |= self._bit(sentinel)
            chunk.ends |= self._bit(sentinel)
        self._summary.raise_bounds(0, base, last)

    # ---- ids, chunks and bits

    def _number(self, place: int) -> int:
        """Return the number of the chunk that an id lies in."""
        return (place >> self._chunk_bits) - self._origin

    def _bit(self, place: int) -> int:
        """Return the word with the bit of that id alone."""
        return 1 << (place & self._mask)

    def _first_of(self, number: int) -> int:
        """Return the first id of a chunk."""
        return (number + self._origin) << self._chunk_bits

    def _open(self, number: int) -> Chunk:
        """Return a new chunk, in which the caller will set a bit."""
        chunk = self._chunks[number] = Chunk(0, 0)
        self._summary.insert(number)
        return chunk

    def _drop(self, number: int) -> None:
        """Forget a chunk without a bit."""
        del self._chunks[number]
        self._summary.delete(number)

    # ---- neighbours. Starts and ends take turns, so that the next chunk but one has what is
    # ---- sought at the latest; and the ids beside the space are live.

    def _end_from(self, place: int) -> int:
        """Return the lowest end of a live range at or above `place`."""
        number = self._number(place)
        chunk = self._chunks.get(number)
        if chunk is not None:
            later = chunk.ends >> (place & self._mask)
            if later:
                return place + lowest(later)
        ends = 0
        while not ends:
            number = self._summary.above(number)
            ends = self._chunks[number].ends
        return self._first_of(number) + lowest(ends)

    def _start_from(self, place: int) -> int:
        """Return the lowest start of a live range at or above `place`."""
        number = self._number(place)
        chunk = self._chunks.get(number)
        if chunk is not None:
            later = chunk.starts >> (place & self._mask)
            if later:
                return place + lowest(later)
        starts = 0
        while not starts:
            number = self._summary.above(number)
            starts = self._chunks[number].starts
        return self._first_of(number) + lowest(starts)

    def _start_upto(self, place: int) -> int:
        """Return the highest start of a live range at or below `place`."""
        number = self._number(place)
        chunk = self._chunks.get(number)
        starts = 0 if chunk is None else chunk.starts & ((self._bit(place) << 1) - 1)
        while not starts:
            number = self._summary.below(number)
            starts = self._chunks[number].starts
        return self._first_of(number) + highest(starts)

    def _end_below(self, place: int) -> int:
        """Return the highest end of a live range below `place`."""
        number = self._number(place)
        chunk = self._chunks.get(number)
        ends = 0 if chunk is None else chunk.ends & (self._bit(place) - 1)
        while not ends:
            number = self._summary.below(number)
            ends = self._chunks[number].ends
        return self._first_of(number) + highest(ends)

    # ---- gaps, and all of it

    def _outward_gap(self, number: int, starts: int, ends: int) -> tuple[int, int] | None:
        """Return the gap that opens in this chunk and ends in one above, if there is one."""
        if not ends or ends.bit_length() < starts.bit_length():
            return None
        first = self._first_of(number) + ends.bit_length()
        if self._last < first:
            return None
        last = self._start_from(first) - 1
        return (first, last) if first <= last else None

    def _gaps_of(self, number: int) -> list[tuple[int, int]]:
        """Return the gaps that open in a chunk, lowest first."""
        chunk = self._chunks[number]
        ends = list(self._places(number, chunk.ends))
        if not ends:
            return []
        starts = self._places(number, chunk.starts & -(2 << (ends[0] & self._mask)))
        inner = [(end + 1, start - 1) for end, start in zip(ends, starts, strict=False)]
        outward = self._outward_gap(number, chunk.starts, chunk.ends)
        return inner if outward is None else [*inner, outward]

    def _boundaries(self) -> Iterator[tuple[int, int]]:
        """Iterate over the live ranges and the ids beside the space, as starts and ends."""
        numbers = sorted(self._chunks)
        starts = chain.from_iterable(self._places(n, self._chunks[n].starts) for n in numbers)
        ends = chain.from_iterable(self._places(n, self._chunks[n].ends) for n in numbers)
        return zip(starts, ends, strict=True)

    def _places(self, number: int, word: int) -> Iterator[int]:
        first = self._first_of(number)
        return (first + place for place in places(word))
