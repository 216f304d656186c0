"""Drawings: to scale, every line with the same columns, whatever the numbers are."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spec.model import U64_MAX
from vm_allocator.modelling import Range
from vm_allocator.proving.concrete_case import Values
from vm_allocator.refutation import ASCII, draw

from .support import GIVEN, values

NUMBERS = st.one_of(
    st.integers(-20, 40), st.integers(-(2**66), 2**66), st.sampled_from([2**32, 2**64 - 1, 2**64])
)


def drawn(of: Values) -> str:
    return "\n" + "\n".join(draw(of, ascii_only=True)) + "\n"


def test_a_small_space_is_one_column_per_address() -> None:
    of = values(
        [(0, 1), (2, 2), (6, 9)],
        {"start": 3, "request.size": 2, "request.window.start": 1, "request.window.end": 4},
        {"within": GIVEN, "align": GIVEN},
    )
    assert (
        drawn(of)
        == """
         0x0  0x5  0xa
before   ##%...####......  live 0x0-0x1, 0x2-0x2, 0x6-0x9 in 0x0-0xf
window    [--]             0x1-0x4
request     ++             0x3-0x4, size 0x2, align 0x1
"""
    )


def test_a_huge_space_is_cut_where_nothing_begins_or_ends() -> None:
    of = values(
        [(0xFEE00000, 0xFEE00FFF), (0xFEE01000, 0xFEE01000), (U64_MAX - 1, U64_MAX)],
        {"old.start": 0xFEE00000, "old.end": 0xFEE00FFF, "start": 0xFEE00800},
        base=0,
        last=U64_MAX,
    )
    picture = drawn(of)
    before, old, request = picture.splitlines()[2:5]
    assert before.count("~") == 4
    assert "#%" in before
    assert old.count("~") == 2
    assert request.count("+") == 1
    assert before.index("~", before.index("#")) < request.index("+") < before.rindex("#~#")
    assert len(before.partition("  live ")[0]) < 80


def test_what_lies_outside_of_the_space_is_drawn_there() -> None:
    of = values([(0, 1)], {"old.start": -3, "old.end": -1, "other": 0x12, "start": 0x10})
    assert (
        drawn(of)
        == """
         -0x3 0x2           0x10
before      ##..............     live 0x0-0x1 in 0x0-0xf
old      +++                     -0x3 to -0x1
request                     +    0x10-0x10, size 0x1, align left out (0x1)
other                         ^  0x12
"""
    )


def test_an_empty_range_is_named_and_not_drawn() -> None:
    assert "old                        0x5-0x4 (empty)" in drawn(
        values([], {"old.start": 5, "old.end": 4})
    )


def test_a_request_for_anywhere_has_no_place() -> None:
    of = values([], {"request.size": 4, "request.align": 4}, {"align": GIVEN})
    assert draw(of)[-1] == "request" + " " * 20 + "size 0x4, align 0x4"


def test_a_constructor_and_two_states_are_drawn_too() -> None:
    assert draw(Values({"base": 3, "size": 4, "alignment": 1})) == [
        "       0x3",
        "space  ▒▒▒▒  0x3-0x6",
    ]
    one = values([], {}, last=1)
    two = Values(
        {"one.base": 0, "one.last": 1, "other.base": 0, "other.last": 1},
        {"one.live": one.ranges["before.live"], "other.live": [Range(1, 1)]},
    )
    assert draw(two)[1:] == [
        "one    ··  live nothing in 0x0-0x1",
        "other  ·█  live 0x1-0x1 in 0x0-0x1",
    ]


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw(Values()) == []
    assert draw(Values({"half.start": 1})) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of the machine, not us
@given(
    base=st.integers(0, 2**64 - 1),
    extent=st.integers(0, 2**64),
    lengths=st.lists(st.integers(1, 2**40), max_size=6),
    numbers=st.dictionaries(
        st.sampled_from(["start", "other", "old.start", "old.end", "request.size"]), NUMBERS
    ),
)
def test_any_case_is_drawn_in_ascii_with_every_live_range_in_it(
    base: int, extent: int, lengths: list[int], numbers: dict[str, int]
) -> None:
    last = min(base + extent, U64_MAX)
    live, start = [], base
    for length in lengths:
        if start + length - 1 <= last:
            live.append((start, start + length - 1))
            start += length
    of = values(live, numbers, {"within": GIVEN}, base=base, last=last)
    lines = draw(of)
    plain = draw(of, ascii_only=True)
    assert all(line.isascii() for line in plain)
    assert plain == [line.translate(ASCII) for line in lines]
    columns = plain[1][len("request") + 2 :].partition("  live ")[0]
    runs = [mark for mark, before in zip(columns, " " + columns, strict=False) if mark != before]
    assert [mark for mark in runs if mark in "#%"] or not live
    assert all(f"{low:#x}-{high:#x}" in plain[1] for low, high in live)
