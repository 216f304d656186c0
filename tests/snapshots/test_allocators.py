"""Saved and restored: equal, independent; and a refusal names everything that is wrong."""

from __future__ import annotations

import copy
import json
import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import ids, space
from tests.snapshots.bending import bend
from tests.snapshots.making import address_allocator, claims, id_allocator, ordered_pools
from vm_allocator import (
    AddressAllocator,
    Claims,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    OrderedPools,
    SnapshotError,
    SnapshotFormatError,
    SnapshotMismatchError,
    SnapshotStateError,
    SnapshotVersionError,
    dump_snapshot,
    load_snapshot,
)
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap
from vm_allocator.resource import U64_MAX
from vm_allocator.snapshots.sweep import Entry, Sweep

MAKERS = (address_allocator, id_allocator, ordered_pools, claims)
WAYS = {
    "snapshot": lambda made: type(made).restore(made.save()),
    "text": lambda made: type(made).restore(load_snapshot(dump_snapshot(made.save()))),
    "json": lambda made: type(made).restore(json.loads(json.dumps(made.save(), indent=1))),
    "pickle": lambda made: pickle.loads(pickle.dumps(made)),  # noqa: S301  # our own
    "oldest pickle": lambda made: pickle.loads(pickle.dumps(made, 2)),  # noqa: S301  # likewise
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", MAKERS)
def test_each_way_gives_an_equal_and_independent_allocator(make: Any, way: str) -> None:
    for seed in range(40):
        made: Any = make(Random(seed))
        before = made.save()
        twin = WAYS[way](made)
        assert twin is not made
        assert type(twin) is type(made)
        assert twin.save() == before
        if isinstance(made, Claims):
            assert twin.allocator == made.allocator
            for owner in list(twin.owners()):
                twin.release(owner)
            assert made.save() == before
            continue
        assert twin == made
        # All that is there goes, moves first.
        for pool in twin.pools if isinstance(twin, OrderedPools) else [twin]:
            for move in list(pool.moves()):
                move.commit()
            for found, hold in list(pool.reserved()):
                pool.unreserve(found.start, found.size)
                assert hold.owner == "firmware"
            for live in list(pool):
                pool.free(live.start, live.size)
            assert pool.free_size == pool.size
        assert made.save() == before


def test_the_index_is_that_which_is_named_or_the_usual_one() -> None:
    made = ids(5, 23)
    made.allocate(None)
    data = made.save()
    assert type(IdAllocator.restore(data)._index) is SortedGaps
    assert type(IdAllocator.restore(data, index=IdBitmap)._index) is IdBitmap
    assert type(IdAllocator.restore(data, index=GapTree)._index) is GapTree
    assert IdAllocator.restore(data, index=IdBitmap) == made
    bitmap = IdAllocator.restore(data, index=IdBitmap)
    assert type(pickle.loads(pickle.dumps(bitmap))._index) is IdBitmap  # noqa: S301  # our own
    assert type(AddressAllocator.restore(space(0, 5).save())._index) is GapTree


def test_moves_go_on_where_they_were() -> None:
    made = space(0, 100)
    made.allocate(GuestAddress(10), GuestUsize(10), owner="disk")
    move = made.move(GuestAddress(10), GuestUsize(10), GuestAddress(15), GuestUsize(10), owner="x")
    restored = AddressAllocator.restore(made.save())
    (again,) = restored.moves()
    assert (again.owner, again.old, again.new) == (move.owner, move.old, move.new)
    again.abort()
    assert restored.owner_of(GuestAddress(10)) == "disk"
    move.commit()
    assert made.owner_of(GuestAddress(15)) == "x"
    with pytest.raises(TypeError, match="pickle that, and ask it for moves"):
        copy.deepcopy(move)


def test_all_of_2_to_the_64_is_a_space_and_a_range() -> None:
    made = space(0, U64_MAX + 1)
    made.allocate(GuestAddress(0), GuestUsize(U64_MAX + 1))
    assert made.save()["live"] == [[0, U64_MAX]]
    assert AddressAllocator.restore(made.save()) == made


def test_an_owner_of_a_subclass_is_saved_as_what_it_says() -> None:
    class Loud(str):
        __slots__ = ()

        def __str__(self) -> str:
            return self.upper()

    made = space(0, 10)
    made.allocate(None, GuestUsize(1), owner=Loud("nic"))
    made.reserve(GuestAddress(5), GuestUsize(1), owner=Loud("firmware"))
    data = made.save()
    assert (data["live"], data["reserved"]) == ([[0, 0, "nic"]], [[5, 5, "firmware"]])
    assert type(data["live"][0][2]) is str
    assert AddressAllocator.restore(data) == made


def test_what_was_freed_leaves_no_owner_behind() -> None:
    made = space(0, 10)
    made.allocate(GuestAddress(3), GuestUsize(1), owner="nic")
    made.free(GuestAddress(3), GuestUsize(1))
    made.allocate(GuestAddress(3), GuestUsize(2))
    assert made.save()["live"] == [[3, 4]]


def body(**changes: Any) -> dict[str, Any]:
    """A snapshot of the addresses 0 to 99, changed."""
    return {**space(0, 100).save(), **changes}


def refused(kind: type[SnapshotError], data: Any, *findings: str) -> None:
    with pytest.raises(kind) as caught:
        AddressAllocator.restore(data)
    assert [str(finding) for finding in caught.value.findings] == list(findings)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # our own
    assert str(again) == str(caught.value) == "; ".join(findings)


def test_every_entry_that_breaks_an_invariant_is_named() -> None:
    refused(
        SnapshotStateError,
        body(
            alignment=3,
            live=[[50, 59], [9, 8], [95, 100], [55, 55], [-1, 3], [0, 5, "net"]],
            reserved=[[5, 6, "ACPI"]],
            moves=[{"old": [20, 29], "new": [29, 50], "owner": None}],
        ),
        "alignment: 3 is no power of two from 1 to 9223372036854775808",
        "live[4]: -1 to 3 is not within the space 0x0-0x63",
        "reserved[0]: 0x5-0x6 overlaps live[5], 0x0-0x5",
        "live[1]: 0x9-0x8 is empty: it ends before it starts",
        "live[0]: 0x32-0x3b overlaps moves[0].new, 0x1e-0x32",
        "live[3]: 0x37 overlaps live[0], 0x32-0x3b",
        "live[2]: 0x5f-0x64 is not within the space 0x0-0x63",
    )


def test_a_space_that_cannot_be_is_named_alone() -> None:
    refused(
        SnapshotStateError,
        body(base=9, last=1 << 64),
        "base: a space from 9 to 18446744073709551616 is not possible: it lies in 0 to "
        "18446744073709551615, and is not empty",
    )


def test_what_is_of_another_shape_is_named_where_it_stands() -> None:
    refused(
        SnapshotFormatError,
        body(
            base=True,
            live=[[1, 2.5], [1, 2, ""], [1], "1-2", {}],
            reserved=[[7, 8]],
            moves=[{"old": [1, 2], "new": [3, 4, "x"], "owner": 5, "size": 1}],
            size=1 << 100,
        ),
        "the key 'size' is not known",
        "moves[0]: the key 'size' is not known",
        "moves[0].new: [3, 4, 'x'] is not [start, end]",
        "moves[0].owner: 5 is not an owner: a string that is not empty, or null",
        "base: True is not an integer",
        "live[0]: [1, 2.5] is not [start, end], or [start, end, owner]",
        "live[1]: [1, 2, ''] is not [start, end], or [start, end, owner]",
        "live[2]: [1] is not [start, end], or [start, end, owner]",
        "live[3]: '1-2' is not [start, end], or [start, end, owner]",
        "live[4]: a dict of 0 is not [start, end], or [start, end, owner]",
        "reserved[0]: [7, 8] is not [start, end, owner]",
    )


def test_what_is_no_snapshot_of_this_kind_is_refused() -> None:
    no = "is no snapshot: pass what `save` returned"
    refused(SnapshotFormatError, None, f"None {no}")
    refused(SnapshotFormatError, [], f"a list of 0 {no}")
    wrong = "format: this is no vm-allocator snapshot: pass what `save` returned"
    refused(SnapshotFormatError, {}, wrong)
    refused(SnapshotFormatError, body(format="qcow2"), wrong)
    reads = "is none that this release reads: it reads 1 and 2"
    refused(SnapshotVersionError, body(version=3), f"version: 3 {reads}")
    refused(SnapshotVersionError, body(version=True), f"version: True {reads}")
    refused(SnapshotVersionError, body(version=1 << 99), f"version: an int of 100 bits {reads}")
    refused(
        SnapshotMismatchError,
        ids(0, 1).save(),
        "kind: this is a snapshot of 'ids', and 'addresses' is to be restored",
    )


def test_of_many_findings_the_first_are_named_and_the_others_counted() -> None:
    with pytest.raises(SnapshotStateError) as caught:
        AddressAllocator.restore(body(live=[[5, 5]] * 1000))
    assert len(caught.value.findings) == 20
    assert caught.value.omitted == 979
    assert str(caught.value).endswith("; and 979 more")


def test_an_error_is_short_whatever_is_wrong() -> None:
    for value in ("x" * 10**6, 1 << 10**6, [0] * 10**5, [{}] * 10**5, b"x" * 10**6, object()):
        for key in body():
            with pytest.raises(SnapshotError) as caught:
                AddressAllocator.restore(body(**{key: value}))
            assert len(str(caught.value)) < 2000
        with pytest.raises(SnapshotError) as caught:
            AddressAllocator.restore(body(live=[[value, value, value]] * 50))
        assert len(str(caught.value)) < 6000


def test_pools_are_of_one_kind_and_apart() -> None:
    data = OrderedPools(space(0, 10), space(10, 10)).save()
    data["pools"][1]["base"] = 9
    with pytest.raises(SnapshotStateError, match=r"0x9-0x13 overlaps that of pools\[0\], 0x0-0x9"):
        OrderedPools.restore(data)
    data["pools"][1] = {"kind": "ids", **{key: ids(20, 30).save()[key] for key in SHARED}}
    with pytest.raises(SnapshotStateError, match=r"it counts ids, and pools\[0\] addresses"):
        OrderedPools.restore(data)
    with pytest.raises(SnapshotFormatError, match="a list of 0 is not a list of 1 to 1024 pools"):
        OrderedPools.restore({**data, "pools": []})


SHARED = ("base", "last", "live", "reserved", "moves")

ENDS = st.tuples(st.integers(-2, 30), st.integers(-2, 30)).map(list)


def named_and_wrong(live: list[list[int]]) -> tuple[set[int], set[int]]:
    """Which entries an error names, and which are wrong: by looking at all pairs."""
    named: set[int] = set()
    entries = [Entry(start, end, "live", at) for at, (start, end) in enumerate(live)]

    def report(entry: Entry, _: str, other: Entry | None) -> None:
        named.add(entry.at)
        if other is not None:
            named.add(other.at)

    Sweep(0, 25).over(sorted(entries), report)
    inside = {at for at, (start, end) in enumerate(live) if 0 <= start <= end <= 25}
    wrong = set(range(len(live))) - inside
    for one in inside:
        for other in inside:
            if one != other and live[one][0] <= live[other][1] and live[other][0] <= live[one][1]:
                wrong.add(one)
    return named, wrong


@given(st.lists(ENDS, max_size=8))
def test_exactly_the_entries_that_are_wrong_are_named(live: list[list[int]]) -> None:
    named, wrong = named_and_wrong(live)
    assert named == wrong


def test_that_not_all_are_named_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    condition = "self.highest is None or self.highest.end < entry.end"
    bend(monkeypatch, Sweep, "keep", condition, "True")
    named, wrong = named_and_wrong([[0, 9], [1, 2], [4, 5]])
    assert named < wrong


def test_a_snapshot_is_plain_data_in_order() -> None:
    made = ids(0, 30)
    for start in (20, 3, 11):
        made.allocate(Id(start))
    made.reserve(Id(9), owner="timer")
    made.reserve(Id(2), owner="cascade")
    assert made.save() == {
        "format": "vm-allocator snapshot",
        "version": 2,
        "kind": "ids",
        "base": 0,
        "last": 30,
        "live": [[3, 3], [11, 11], [20, 20]],
        "reserved": [[2, 2, "cascade"], [9, 9, "timer"]],
        "moves": [],
    }
