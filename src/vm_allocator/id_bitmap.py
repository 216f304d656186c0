"""`IdBitmap`: a gap index for ids, which come one at a time, side by side, from below.

Here are its questions, its changes and its search for room; the bits are in `id_bits`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from .arithmetic import highest_start, lowest_start
from .bit_words import highest, inner_gaps, longest_run, lowest, multiples, runs
from .chunk_summary import room
from .compiled import mypyc_attr
from .id_bits import Chunk, IdBits
from .id_check import check_ranges, check_words
from .series import highest_series, lowest_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALL: Final = -1  # of the bits of a word


@mypyc_attr(allow_interpreted_subclasses=True)
class IdBitmap(IdBits):
    """Live ranges of ids as bits: small where ids are dense, quick wherever they are.

    A question about one place, and a change: O(log(size of the space) + chunk size / 30), on
    2^32 ids a few microseconds; a range costs the same whatever its size. So does a search for
    room, but for the chunks that it looks into in vain: one for each gap that has grown
    since the last search with that alignment. `live`, `gaps`, `copy`: O(n) in all, `n` being
    the number of live ranges; `lowest_fits`, `highest_fits`: also O(1) for each start and
    for each gap of the chunks with room. `add_all`: an `add` for each chunk, O(1) for each start.

    `chunk_bits` and `fan_bits` are for tests: the logarithms of the ids per chunk and of the
    members per group of the summary.
    """

    __slots__ = ()

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

    def _fits_inside(self, free: int, span: int, align: int) -> int:
        """Return the aligned places of a chunk from which `span + 1` bits are set."""
        if span > self._mask or align > self._mask:
            return 0  # an inner gap is shorter than a chunk, and contains no start of one
        if span:
            free = runs(free, span + 1)
        return free & multiples(align, self._mask + 1) if align > 1 else free

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
