"""Claims: what is returned, what is refused, and what can be asked; the machine does the rest."""

from __future__ import annotations

import doctest
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from vm_allocator import (
    AddressAllocator,
    ClaimPools,
    Claims,
    Granted,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    InvalidOwnerError,
    MisalignedError,
    NotAllocatedError,
    NotClaimedError,
    OutOfBoundsError,
    OutsideWindowError,
    RangeInclusive,
)
from vm_allocator.errors import BrokenInvariantError
from vm_allocator.resource import Unit

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "claims.md").read_text(encoding="utf-8")


def fresh(size: int = 16, base: int = 0) -> Claims[Any, Any, Any]:
    return Claims(AddressAllocator(GuestAddress(base), GuestUsize(size)))


def told(granted: list[Granted[Any, Any]]) -> list[tuple[Any, int, int]]:
    return [(grant.owner, grant.start, grant.end) for grant in granted]


def test_the_page_is_true() -> None:
    text = PAGE.replace("```python", "").replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {}, "claims.md", None, 0)
    results = doctest.DocTestRunner().run(test)
    assert results.attempted > 15
    assert results.failed == 0
    links = re.findall(r"\]\(([^)#]+\.md)\)", PAGE)
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_a_row_of_bars_moves_up_by_one_from_below() -> None:
    claims = fresh()
    for at in range(3):
        assert told(claims.claim(f"bar{at}", at * 4, 4)) == [(f"bar{at}", at * 4, at * 4 + 3)]
    assert claims.claim("bar0", 4, 4) == []
    assert claims.held("bar0") is None
    # bar1 leaves 4-7, which bar0 has waited for, and waits itself.
    assert told(claims.claim("bar1", 8, 4)) == [("bar0", 4, 7)]
    assert told(claims.claim("bar2", 12, 4)) == [("bar1", 8, 11), ("bar2", 12, 15)]


def test_whoever_waits_for_little_overtakes_whoever_waits_for_much() -> None:
    claims = fresh()
    claims.claim("here", 0, 8)
    claims.claim("there", 8, 8)
    assert claims.claim("much", 0, 16) == []
    assert claims.claim("little", 0, 4) == []
    assert told(claims.release("here")) == [("little", 0, 3)]
    assert list(claims.waiting()) == [("much", RangeInclusive(0, 15))]


def test_what_others_free_is_granted_when_it_is_settled() -> None:
    claims = fresh()
    mmio = claims.allocator
    mmio.allocate(0, 8)
    assert claims.claim("bar", 0, 4) == []
    assert claims.settle() == []
    mmio.free(0, 8)
    assert told(claims.settle()) == [("bar", 0, 3)]
    assert claims.settle() == []


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ((16, 4, {}), OutOfBoundsError),
        ((2, 2, {"align": 4}), MisalignedError),
        ((4, 4, {"within": RangeInclusive(0, 3)}), OutsideWindowError),
    ],
)
def test_what_can_never_be_granted_is_refused_and_changes_nothing(
    request_: tuple[int, int, dict[str, Any]], error: type[Exception]
) -> None:
    claims = fresh()
    claims.claim("held", 8, 4)
    claims.claim("waits", 8, 4)
    before = repr(claims), list(claims), list(claims.waiting())
    start, size, options = request_
    for owner in ("held", "waits", "new"):
        with pytest.raises(error):
            claims.claim(owner, start, size, **options)
    assert before == (repr(claims), list(claims), list(claims.waiting()))


@pytest.mark.parametrize("owner", [None, [], {}])
def test_an_owner_is_hashable_and_not_none(owner: Any) -> None:
    claims, pools = fresh(), ClaimPools[Any]()
    with pytest.raises(InvalidOwnerError, match="is no owner: pass something hashable"):
        claims.claim(owner, 0, 1)
    with pytest.raises(InvalidOwnerError):
        pools.claim(claims, owner, 0, 1)
    assert list(claims.allocator) == []


def test_who_has_nothing_releases_nothing() -> None:
    claims, pools = fresh(), ClaimPools[Any]()
    with pytest.raises(NotClaimedError, match="'bar' has no claim: nothing is to be released"):
        claims.release("bar")
    with pytest.raises(NotClaimedError):
        pools.release("bar")


def test_the_errors_can_be_pickled() -> None:
    for error in (NotClaimedError(Unit.ADDRESS, "bar"), InvalidOwnerError(Unit.ADDRESS, None)):
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
        assert (type(again), str(again)) == (type(error), str(error))


def test_a_range_that_was_freed_past_its_claim_is_told() -> None:
    claims = fresh()
    claims.claim("bar", 0, 4)
    claims.allocator.free(0, 4)
    with pytest.raises(BrokenInvariantError, match="what owners hold is live"):
        claims._check()
    with pytest.raises(NotAllocatedError):
        claims.release("bar")
    with pytest.raises(NotAllocatedError):
        claims.claim("bar", 8, 4)
    assert list(claims.allocator) == []


def test_what_can_be_asked() -> None:
    claims = fresh(base=0x10000)
    assert (len(claims), bool(claims)) == (0, True)
    claims.claim("one", 0x10000, 4)
    claims.claim("two", 0x10000, 4)
    assert len(claims) == 1
    assert [str(grant) for grant in claims] == ["one: RangeInclusive(0x10000, 0x10003)"]
    assert claims.held("one") == RangeInclusive(0x10000, 0x10003) == claims.wanted("two")
    assert claims.held("two") is None is claims.wanted("one")
    assert "1 held, 1 wait" in repr(claims)


def test_a_copy_knows_nothing_of_the_original() -> None:
    claims = fresh()
    claims.claim("one", 0, 4)
    claims.claim("two", 0, 4)
    twin = claims.copy()
    assert told(claims.release("one")) == [("two", 0, 3)]
    assert twin.held("one") == RangeInclusive(0, 3) == twin.wanted("two")
    assert list(twin.allocator) == list(claims.allocator) == [RangeInclusive(0, 3)]


def test_ids_are_claimed_as_addresses_are() -> None:
    irqs = Claims[str, Any, Any](IdAllocator(Id(5), Id(23)))
    assert told(irqs.claim("uart", Id(5), 1)) == [("uart", 5, 5)]
    assert irqs.claim("rtc", Id(5), 1) == []
    assert told(irqs.release("uart")) == [("rtc", 5, 5)]


# ---- several pools


def test_a_bar_that_moves_to_another_window_frees_the_one_that_it_leaves() -> None:
    low, high, pools = fresh(), fresh(base=0x100), ClaimPools[str]()
    assert told(pools.claim(low, "one", 0, 4)) == [("one", 0, 3)]
    assert pools.claim(low, "two", 0, 4) == []
    assert told(pools.claim(high, "one", 0x100, 4)) == [("two", 0, 3), ("one", 0x100, 0x103)]
    assert pools.pool_of("one") is high
    assert pools.pool_of("two") is low
    assert told(pools.claim(low, "two", 8, 4)) == [("two", 8, 11)]
    assert pools.release("two") == []
    assert pools.pool_of("two") is None
    assert list(low.allocator) == []


def test_a_claim_that_waits_elsewhere_is_withdrawn() -> None:
    low, high, pools = fresh(), fresh(base=0x100), ClaimPools[str]()
    pools.claim(low, "one", 0, 4)
    pools.claim(low, "two", 0, 4)
    assert told(pools.claim(high, "two", 0x100, 4)) == [("two", 0x100, 0x103)]
    assert pools.release("one") == []
    assert (len(low), list(low.waiting())) == (0, [])


def test_a_refused_claim_to_another_pool_changes_neither() -> None:
    low, high, pools = fresh(), fresh(base=0x100), ClaimPools[str]()
    pools.claim(low, "one", 0, 4)
    with pytest.raises(OutOfBoundsError):
        pools.claim(high, "one", 0, 4)
    assert low.held("one") == RangeInclusive(0, 3)
    low.allocator.free(0, 4)
    with pytest.raises(NotAllocatedError):
        pools.claim(high, "one", 0x100, 4)
    assert (len(high), pools.pool_of("one")) == (0, low)
