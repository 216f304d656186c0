from hypothesis import given
from hypothesis import strategies as st

from vm_allocator.replay.account import Bar, BarRange
from vm_allocator.replay.formats import Space
from vm_allocator.replay.outcome import Refusal
from vm_allocator.replay.picture import FREE, FULL, PART, Scale, refused_move


def _at(start: int, size: int) -> BarRange:
    return BarRange(Space.MMIO, start, size)


def test_a_column_is_full_partly_filled_or_free() -> None:
    scale = Scale(0x1000, 16, 4)
    assert scale.row([_at(0x1000, 17), _at(0x103F, 1)]) == FULL + PART + FREE + PART
    assert scale.row([_at(0x1008, 8), _at(0x1000, 8)]) == FULL + FREE * 3
    assert scale.row([_at(0, 2**64)]) == FULL * 5  # what lies beyond is shown to go on


ranges = st.builds(_at, st.integers(0, 500), st.integers(1, 300))


@given(st.lists(ranges, min_size=1, max_size=4), st.integers(1, 20))
def test_no_range_is_drawn_where_it_is_not(shown: list[BarRange], width: int) -> None:
    scale = Scale.over(shown, width)
    assert scale.step & (scale.step - 1) == 0
    for one in shown:
        expected = ""
        for column in range(width + 1):
            first = scale.first + column * scale.step
            cells = range(first, first + scale.step)
            covered = sum(one.start <= address <= one.end for address in cells)
            expected += FULL if covered == scale.step else PART if covered else FREE
        # Rounding the first address down may take one column more, shown only if it is used.
        assert scale.row([one]) == (expected if expected[-1] != FREE else expected[:-1])


def test_a_refused_bar_that_holds_nothing_is_drawn_without_a_place() -> None:
    one, two = Bar("00:01.0", 0), Bar("00:02.0", 4)
    asked = _at(0x1000, 0x1000)
    drawn = refused_move(Refusal(7, 0.5, one, asked, None, "overlap", ((two, asked),)))
    assert [line.plain for line in drawn] == [
        "line 7: 00:01.0 BAR0 asks for mmio 0x1000-0x1fff: refused, overlap",
        "  mmio from 0x1000, a column is 0x40 bytes",
        "  asked          " + FULL * 64 + "  00:01.0 BAR0",
        "  and holds nothing",
        "  in the way     " + FULL * 64 + "  00:02.0 BAR4",
    ]
