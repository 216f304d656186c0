"""A sorted map that is interrupted in the midst of a search, which makes an index of its lists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.source import needs_source
from vm_allocator.ordered import SortedMap

from .breakers import SEARCHES, Handler
from .injecting import Injection

MANY = 6


def many() -> SortedMap:
    """Return a map that has had an index for fewer lists than there are now."""
    made = SortedMap({2 * key: key for key in range(MANY // 2)})
    items: Any = made._items
    items._reset(1)
    made.floor(MANY)
    for key in range(MANY // 2, MANY):
        made.put(2 * key, key)
    return made


def answers_wrongly(search: str) -> int:
    """Interrupt a search at every instruction; return after how many of them answers are wrong."""
    places = Injection()
    places.run(lambda: getattr(many(), search)(5))
    wrong = 0
    for at in range(1, len(places.places) + 1):
        made = many()
        Injection(at).run(lambda made=made: getattr(made, search)(5))  # type: ignore[misc]  # bound now
        try:
            found = [made.floor(2 * key + 1) for key in range(MANY)]
        except IndexError:
            found = []
        wrong += found != [(2 * key, key) for key in range(MANY)]
    return wrong


@pytest.mark.parametrize("search", ["floor", "ceiling"])
def test_an_interrupted_search_leaves_the_map_whole(search: str) -> None:
    assert answers_wrongly(search) == 0


@needs_source
@pytest.mark.parametrize("handler", SEARCHES, ids=str)
def test_without_the_repair_it_does_not(handler: Handler) -> None:
    with handler.missing():
        assert answers_wrongly(handler.function) > 0
