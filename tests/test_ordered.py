"""`SortedMap` answers as a plain dict does that is sorted for every question."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vm_allocator.ordered import SortedMap
from vm_allocator.resource import U64_MAX

# Few enough that they meet, and both ends of 64 bits.
KEYS = st.sampled_from([*range(10), U64_MAX - 2, U64_MAX - 1, U64_MAX])
# A value to put at a key, or `None` to delete the key if it is there.
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers(0, U64_MAX)), max_size=30)

derandomized = settings(derandomize=True, deadline=None, database=None)


def _both(changes: list[tuple[int, int | None]]) -> tuple[SortedMap, dict[int, int]]:
    """Carry out the changes on an ordered map and on a dict."""
    ordered, plain = SortedMap(), dict[int, int]()
    for key, value in changes:
        if value is not None:
            ordered.put(key, value)
            plain[key] = value
        elif key in plain:
            ordered.delete(key)
            del plain[key]
        assert list(ordered.items()) == sorted(plain.items())
    return ordered, plain


@derandomized
@given(CHANGES)
def test_its_items_are_those_of_a_dict_in_order(changes: list[tuple[int, int | None]]) -> None:
    ordered, plain = _both(changes)
    assert len(ordered) == len(plain)
    assert list(SortedMap(plain).items()) == list(ordered.items())


@derandomized
@given(CHANGES, KEYS)
def test_floor_and_ceiling_are_the_nearest_items_the_key_itself_included(
    changes: list[tuple[int, int | None]], key: int
) -> None:
    ordered, plain = _both(changes)
    assert ordered.floor(key) == max((i for i in plain.items() if i[0] <= key), default=None)
    assert ordered.ceiling(key) == min((i for i in plain.items() if key <= i[0]), default=None)


@derandomized
@given(CHANGES, KEYS, KEYS)
def test_a_walk_passes_the_items_between_two_keys_both_included(
    changes: list[tuple[int, int | None]], first: int, last: int
) -> None:
    ordered, plain = _both(changes)
    between = sorted(item for item in plain.items() if first <= item[0] <= last)
    assert list(ordered.ascending(first, last)) == between
    assert list(ordered.descending(first, last)) == between[::-1]


@derandomized
@given(CHANGES, KEYS)
def test_a_copy_goes_its_own_way(changes: list[tuple[int, int | None]], key: int) -> None:
    ordered, plain = _both(changes)
    twin = ordered.copy()
    assert list(twin.items()) == list(ordered.items())
    twin.put(key, 0)
    if key in plain:
        ordered.delete(key)
    assert list(twin.items()) == sorted({**plain, key: 0}.items())
    assert list(ordered.items()) == sorted(item for item in plain.items() if item[0] != key)


def test_the_map_that_it_was_made_of_stays_as_it_is() -> None:
    given_items = {5: 6}
    made = SortedMap(given_items)
    made.put(1, 2)
    made.delete(5)
    assert (list(made.items()), given_items) == ([(1, 2)], {5: 6})


def test_its_repr_shows_ranges_in_order() -> None:
    assert repr(SortedMap()) == "{}"
    assert repr(SortedMap({0x20: 0x3F, 0: 0xF})) == "{0x0-0xf, 0x20-0x3f}"
