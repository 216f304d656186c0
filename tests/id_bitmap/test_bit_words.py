"""The words of bits, each function against the naive one, over every small word."""

from __future__ import annotations

import pytest

from vm_allocator.bit_words import highest, inner_gaps, longest_run, lowest, multiples, places, runs

BITS = 8
WORDS = range(1 << BITS)


def _bits(word: int) -> list[int]:
    return [place for place in range(BITS) if word >> place & 1]


@pytest.mark.parametrize("word", WORDS)
def test_places(word: int) -> None:
    assert list(places(word)) == _bits(word)
    if word:
        assert lowest(word) == _bits(word)[0]
        assert highest(word) == _bits(word)[-1]


@pytest.mark.parametrize("size", range(1, BITS + 2))
def test_runs_and_the_longest(size: int) -> None:
    for word in WORDS:
        starts = [p for p in range(BITS) if all(word >> p + i & 1 for i in range(size))]
        assert list(places(runs(word, size))) == starts
        for step in (1, 2, 4):
            aligned = any(start % step == 0 for start in starts)
            assert (longest_run(word, multiples(step, BITS)) >= size) == aligned


def test_multiples() -> None:
    for step in (1, 2, 4, 8, 16):
        assert list(places(multiples(step, 16))) == list(range(0, 16, step))


@pytest.mark.parametrize("which", range(64))
def test_inner_gaps_lie_between_an_end_and_the_next_start(which: int) -> None:
    # Six places, each live or free, and every way to cut those that are live into ranges.
    for how in range(64):
        live = [which >> place & 1 for place in range(6)]
        cuts = [how >> place & 1 for place in range(6)]
        starts = ends = 0
        for place in range(6):
            before = live[place - 1] if place else how & 1
            after = live[place + 1] if place < 5 else which & 1
            if live[place] and (not before or cuts[place]):
                starts |= 1 << place
            if live[place] and (not after or (place < 5 and cuts[place + 1])):
                ends |= 1 << place
        inner = {
            place
            for place in range(6)
            if not live[place] and ends & ((1 << place) - 1) and starts >> place
        }
        assert set(places(inner_gaps(starts, ends))) == inner
