"""`IdBitmap`: a gap index for ids, which come one at a time, side by side, from below.

The space is cut into chunks of 1024 ids. A chunk has two words of bits: where live ranges
start in it, and where they end. A range of any size is thereby two bits, and a freed range is
told from its neighbours; the free ids of a chunk are one subtraction away (`bit_words`). A
chunk without a bit is not there at all. Above the chunks stands a `ChunkSummary`, which leads
a search for room to the chunk that has it.

Just below the space, and just above it, one id counts as live for good. So each gap lies
between two live ids, and opens in the chunk of the lower one.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final

from .arithmetic import highest_start, lowest_start
from .bit_words import highest, inner_gaps, longest_run, lowest, multiples, places, runs
from .chunk_summary import DEFAULT_FAN_BITS, ChunkSummary, room
from .compiled import mypyc_attr
from .id_check import check_ranges, check_words
from .series import highest_series, lowest_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEFAULT_CHUNK_BITS: Final = 10
ALL: Final = -1  # of the bits of a word


class Chunk:
    """Where live ranges start and end among the ids of one chunk, a bit each."""

    __slots__ = ("ends", "starts")

    def __init__(self, starts: int, ends: int) -> None:
        self.starts = starts
        self.ends = ends


@mypyc_attr(allow_interpreted_subclasses=True)
class IdBitmap:
    """Live ranges of ids as bits: small where ids are dense, quick wherever they are.

    All but the iterators: O(log(size of the space) + chunk size / 30), on 2^32 ids a few
    microseconds; a range costs the same whatever its size. A search may look in vain into
    one chunk for each gap that has grown since the last search with that alignment.

    `chunk_bits` and `fan_bits` are for tests: the logarithms of the ids per chunk and of the
    members per group of the summary.
    """

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

    # ---- the questions

    def overlapping(self, start: int, end: int) -> tuple[int, int] | None:
        last = self._end_from(start)
        first = self._start_upto(last)
        return (first, last) if first <= end else None

    def is_live(self, start: int, end: int) -> bool:
        chunk = self._chunks.get(self._number(start))
        if chunk is None or not chunk.starts & self._bit(start):
            return False
        return self._end_from(start) == end

    def lowest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        fit = self._lowest_from(span, align, first)
        # What starts lowest ends lowest: if it reaches out of the window, so do all others.
        return fit if fit is not None and fit <= last and span <= last - fit else None

    def highest_fit(self, span: int, align: int, first: int, last: int) -> int | None:
        fit = self._highest_upto(span, align, last)
        return fit if fit is not None and first <= fit else None

    def lowest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        starts: list[int] = []
        # Gaps that reach into the window open at or after the last end below it.
        number, end = self._number(self._end_below(first)), self._number(last)
        while len(starts) < count:
            found = self._summary.lowest_with(span + 1, align, number)
            if found is None or end < found:
                break
            known = len(starts)
            for low, high in self._gaps_of(found):
                starts += lowest_series(
                    max(low, first), min(high, last), span, align, count - len(starts)
                )
            if len(starts) == known:
                self._lowest_in(found, span, align)  # what it knows of the chunk was too much
            number = found + 1
        return starts

    def highest_fits(self, count: int, span: int, align: int, first: int, last: int) -> list[int]:
        starts: list[int] = []
        number, end = self._number(self._end_below(last)), self._number(self._end_below(first))
        while len(starts) < count and end <= number:
            found = self._summary.highest_with(span + 1, align, number)
            if found is None or found < end:
                break
            known = len(starts)
            for low, high in reversed(self._gaps_of(found)):
                starts += highest_series(
                    max(low, first), min(high, last), span, align, count - len(starts)
                )
            if len(starts) == known:
                self._highest_in(found, span, align)
            number = found - 1
        return starts

    # ---- the changes

    def add(self, start: int, end: int) -> None:
        number, bit = self._number(start), 1 << (start & self._mask)
        chunk = self._chunks.get(number) or self._open(number)
        chunk.starts |= bit
        # The gap above the range is the rest of a larger one. If that opened in this very
        # chunk, its bound holds for the rest.
        allowed_for = chunk.ends & (bit - 1)
        if start != end:
            bit = 1 << (end & self._mask)
            if self._number(end) != number:
                number, allowed_for = self._number(end), 0
                chunk = self._chunks.get(number) or self._open(number)
        chunk.ends |= bit
        self._count += 1
        if not allowed_for:
            self._summary.raise_bounds(number, end + 1, self._start_from(end + 1) - 1)

    def add_all(self, starts: Sequence[int], span: int) -> None:
        bits, mask = self._chunk_bits, self._mask
        filled, chunk = 0, None
        for start in sorted(starts):
            end = start + span
            if chunk is None or filled != start >> bits or filled != end >> bits:
                self.add(start, end)
                filled = end >> bits
                chunk = self._chunks[filled - self._origin]
            else:
                # A range added before, thus below, ends in this chunk: so the gap that this
                # one lies in opens here, and its bound holds for what is left of it.
                chunk.starts |= 1 << (start & mask)
                chunk.ends |= 1 << (end & mask)
                self._count += 1

    def remove(self, start: int, end: int) -> None:
        first, last = self._number(start), self._number(end)
        lower, upper = self._chunks[first], self._chunks[last]
        lower.starts ^= 1 << (start & self._mask)
        upper.ends ^= 1 << (end & self._mask)
        self._count -= 1
        below, above = self._end_below(start), self._start_from(end + 1)
        # The gap opens elsewhere if the chunk is empty, so that its bound may go with it.
        if not lower.starts and not lower.ends:
            self._drop(first)
        if first != last and not upper.starts and not upper.ends:
            self._drop(last)
        self._summary.raise_bounds(self._number(below), below + 1, above - 1)

    # ---- the search for room

    def _lowest_from(self, span: int, align: int, first: int) -> int | None:
        """Return the lowest aligned start, from `first` on, of `span + 1` free ids."""
        number = 0
        if self._base < first:
            # What is left of the gap at `first`; then the gaps of the same chunk above it.
            end = self._end_from(first)
            start = self._start_upto(end)
            if first < start:
                fit = lowest_start(first, start - 1, span, align)
                if fit is not None:
                    return fit
            number = self._number(end)
            above = -1 << (end & self._mask)
            fit = self._lowest_in(number, span, align, above, above)
            if fit is not None:
                return fit
            number += 1
        while True:
            found = self._summary.lowest_with(span + 1, align, number)
            if found is None:
                return None
            fit = self._lowest_in(found, span, align)
            if fit is not None:
                return fit
            number = found

    def _highest_upto(self, span: int, align: int, last: int) -> int | None:
        """Return the highest aligned start of `span + 1` free ids that end by `last`."""
        number = self._number(self._last + 1)
        if last < self._last:
            # What is left of the gap at `last`; then the gaps of the same chunk below it.
            start = self._start_upto(last)
            end = self._end_from(start)
            if end < last:
                fit = highest_start(end + 1, last, span, align)
                if fit is not None:
                    return fit
            number = self._number(start)
            below = (1 << (start & self._mask)) - 1
            fit = self._highest_in(number, span, align, below * 2 + 1, below)
            if fit is not None:
                return fit
            number -= 1
        while True:
            found = self._summary.highest_with(span + 1, align, number)
            if found is None:
                return None
            fit = self._highest_in(found, span, align)
            if fit is not None:
                return fit
            number = found

    def _lowest_in(
        self, number: int, span: int, align: int, starts: int = ALL, ends: int = ALL
    ) -> int | None:
        """Return the lowest fit in the gaps that open in a chunk: all, or some of its bits.

        What a look at all of them in vain has learnt is remembered.
        """
        chunk = self._chunks[number]
        seen_starts, seen_ends = chunk.starts & starts, chunk.ends & ends
        free = inner_gaps(seen_starts, seen_ends)
        fits = self._fits_inside(free, span, align)
        if fits:
            return self._first_of(number) + lowest(fits)
        outward = self._outward_gap(number, seen_starts, seen_ends)
        fit = None if outward is None else lowest_start(*outward, span, align)
        if fit is None and ends == ALL:
            self._summary.lower_bound(number, align, self._room(free, outward, align))
        return fit

    def _highest_in(
        self, number: int, span: int, align: int, starts: int = ALL, ends: int = ALL
    ) -> int | None:
        """Return the highest fit in the gaps that open in a chunk; otherwise likewise."""
        chunk = self._chunks[number]
        seen_starts, seen_ends = chunk.starts & starts, chunk.ends & ends
        outward = self._outward_gap(number, seen_starts, seen_ends)
        fit = None if outward is None else highest_start(*outward, span, align)
        if fit is not None:
            return fit
        free = inner_gaps(seen_starts, seen_ends)
        fits = self._fits_inside(free, span, align)
        if fits:
            return self._first_of(number) + highest(fits)
        if ends == ALL:
            self._summary.lower_bound(number, align, self._room(free, outward, align))
        return None

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

    def _fits_inside(self, free: int, span: int, align: int) -> int:
        """Return the aligned places of a chunk from which `span + 1` bits are set."""
        if span > self._mask or align > self._mask:
            return 0  # an inner gap is shorter than a chunk, and contains no start of one
        if span:
            free = runs(free, span + 1)
        return free & multiples(align, self._mask + 1) if align > 1 else free

    def _outward_gap(self, number: int, starts: int, ends: int) -> tuple[int, int] | None:
        """Return the gap that opens in this chunk and ends in one above, if there is one."""
        if not ends or ends.bit_length() < starts.bit_length():
            return None
        first = self._first_of(number) + ends.bit_length()
        if self._last < first:
            return None
        last = self._start_from(first) - 1
        return (first, last) if first <= last else None

    def _room(self, free: int, outward: tuple[int, int] | None, align: int) -> int:
        """Return the most room for a range so aligned inside a chunk and in its outward gap."""
        outside = 0 if outward is None else room(*outward, align)
        if not free or align > self._mask:
            return outside
        return max(outside, longest_run(free, multiples(align, self._mask + 1)))

    # ---- all of it

    def __len__(self) -> int:
        return self._count

    def live(self) -> Iterator[tuple[int, int]]:
        return (live for live in self._boundaries() if self._base <= live[0] <= self._last)

    def gaps(self) -> Iterator[tuple[int, int]]:
        for (_, below), (above, _) in pairwise(self._boundaries()):
            if below + 1 < above:
                yield below + 1, above - 1

    def _boundaries(self) -> Iterator[tuple[int, int]]:
        """Iterate over the live ranges and the ids beside the space, as starts and ends."""
        numbers = sorted(self._chunks)
        starts = chain.from_iterable(self._places(n, self._chunks[n].starts) for n in numbers)
        ends = chain.from_iterable(self._places(n, self._chunks[n].ends) for n in numbers)
        return zip(starts, ends, strict=True)

    def _places(self, number: int, word: int) -> Iterator[int]:
        first = self._first_of(number)
        return (first + place for place in places(word))

    def copy(self) -> IdBitmap:
        twin = type(self)(self._base, self._last, chunk_bits=self._chunk_bits)
        chunks = {n: Chunk(chunk.starts, chunk.ends) for n, chunk in self._chunks.items()}
        twin._count = self._count  # noqa: SLF001  # of this very class
        twin._chunks = chunks  # noqa: SLF001  # likewise
        twin._summary = self._summary.copy()  # noqa: SLF001  # likewise
        return twin

    def _check(self) -> None:
        words = {n: (chunk.starts, chunk.ends) for n, chunk in sorted(self._chunks.items())}
        starts = [place for n, pair in words.items() for place in self._places(n, pair[0])]
        ends = [place for n, pair in words.items() for place in self._places(n, pair[1])]
        check_words(words, self._chunk_bits, f"space {self._base}-{self._last}")
        check_ranges(starts, ends, (self._base, self._last), self._count)
        opened: dict[int, list[tuple[int, int]]] = {n: [] for n in words}
        for end, start in zip(ends, starts[1:], strict=False):
            opened[self._number(end)].append((end + 1, start - 1))
        self._summary.check(opened)
