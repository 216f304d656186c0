"""JSON text is measured, then read, and never believed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.snapshots.bending import bend
from vm_allocator import (
    SnapshotFormatError,
    SnapshotLimits,
    SnapshotTooLargeError,
    dump_snapshot,
    load_snapshot,
)
from vm_allocator.snapshots import text as text_module

if TYPE_CHECKING:
    from collections.abc import Iterator

MALFORMED: dict[str | bytes, str] = {
    "": "Expecting value at line 1 column 1",
    "{": "Expecting property name enclosed in double quotes at line 1 column 2",
    "[1, 2": "Expecting ',' delimiter at line 1 column 6",
    "1 2": "Extra data at line 1 column 3",
    "\ufeff1": "Unexpected UTF-8 BOM (decode using utf-8-sig) at line 1 column 1",
    "NaN": "'NaN' is no integer",
    "[-Infinity]": "'-Infinity' is no integer",
    "[1.0]": "'1.0' is no integer",
    "[1e5]": "'1e5' is no integer",
    '{"a": 1, "b": 2, "a": 1}': "the key 'a' stands twice in one object",
    "123456789012345678901": "a number of 21 digits is none of 64 bits",
    "[" * 100_000: "it is nested too deep: a snapshot is not",
    b"\xff": "byte 0 is no UTF-8",
    b'"\xed\xa0\x80"': "byte 1 is no UTF-8",
}


@pytest.fixture
def no_limit_of_digits() -> Iterator[None]:
    """What protects us must be our own: some programs switch Python's limit off."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("text", MALFORMED)
@pytest.mark.usefixtures("no_limit_of_digits")
def test_what_is_malformed_is_refused_and_said(text: str | bytes) -> None:
    with pytest.raises(SnapshotFormatError) as caught:
        load_snapshot(text)
    assert str(caught.value) == MALFORMED[text]


BREAKERS: dict[str, tuple[str, str, str]] = {
    "a key that stands twice": ("_object", "len(made) < len(pairs)", "False"),
    "a number that is none": ("load_snapshot", "parse_constant=_no_float,", ""),
    "a fraction": ("load_snapshot", "parse_float=_no_float,", ""),
    "the length of numbers": ("_int", "> _MOST_DIGITS", "> 100 * _MOST_DIGITS"),
    "that JSON is nested": ("load_snapshot", "except RecursionError", "except KeyError"),
    "that it is JSON": ("load_snapshot", "except json.JSONDecodeError", "except KeyError"),
    "the code of bytes": ("_decoded", "except UnicodeDecodeError", "except KeyError"),
}


@pytest.mark.parametrize("bug", BREAKERS)
@pytest.mark.usefixtures("no_limit_of_digits")
def test_a_reader_that_errs_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bend(monkeypatch, text_module, *BREAKERS[bug])
    noticed = 0
    for text in MALFORMED:
        try:
            text_module.load_snapshot(text)
        except SnapshotFormatError:
            continue
        except (ValueError, RecursionError):
            pass
        noticed += 1
    assert noticed


@pytest.mark.usefixtures("no_limit_of_digits")
def test_a_long_number_is_not_computed() -> None:
    with pytest.raises(SnapshotFormatError, match="a number of 50000000 digits"):
        load_snapshot("9" * 50_000_000)


def test_sizes_are_looked_at_before_anything_is_parsed() -> None:
    limits = SnapshotLimits(size=10, values=3)
    assert load_snapshot("[1,2]", limits=limits) == [1, 2]
    with pytest.raises(SnapshotTooLargeError, match="11 bytes of snapshot are more than 10"):
        load_snapshot("[" * 11, limits=limits)
    with pytest.raises(SnapshotTooLargeError, match="up to 4 values are more than 3"):
        load_snapshot("[[[", limits=limits)
    assert load_snapshot(b'"\xc3\xbc"', limits=limits) == "\u00fc"


def test_what_is_written_is_ascii_on_one_line() -> None:
    text = dump_snapshot({"owner": "Gr\u00fc\u00dfe\n", "live": [[0, (1 << 64) - 1]]})
    assert text == '{"owner":"Gr\\u00fc\\u00dfe\\n","live":[[0,18446744073709551615]]}'
    assert load_snapshot(text.encode())["owner"] == "Gr\u00fc\u00dfe\n"
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_snapshot({"x": float("nan")})
