"""Each refusal names the unit and the very values that caused it. What it says is `test_errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vm_allocator import (
    AddressAllocator,
    ExactMatch,
    FirstMatch,
    GuestAddress,
    Id,
    IdAllocator,
    LastMatch,
)
from vm_allocator.arithmetic import is_power_of_two
from vm_allocator.errors import (
    AllocatorError,
    ConflictingRequestError,
    InvalidAlignmentError,
    InvalidCountError,
    InvalidSizeError,
    InvalidSpaceError,
    InvalidTypeError,
    MisalignedError,
    NoSpaceError,
    NotAllocatedError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
)
from vm_allocator.gaps import SortedGaps
from vm_allocator.ranges import RangeInclusive
from vm_allocator.resource import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

A, I = Unit.ADDRESS, Unit.ID  # noqa: E741  # short in a long table


def window(start: int, end: int) -> Any:
    return RangeInclusive(start, end)


class Odd(RangeInclusive[Any]):
    """A range whose ends are no numbers, which the constructor would refuse."""

    def __post_init__(self) -> None:
        pass


def odd(start: object, end: object) -> Any:
    return Odd(start, end)


def addresses() -> Any:
    """Return 0x10 to 0x8f, of which 0x20 to 0x2f and 0x40 to 0x4f are live."""
    allocator: Any = AddressAllocator(GuestAddress(0x10), 0x80, 4)  # type: ignore[arg-type]
    for start in (0x20, 0x40):
        allocator.allocate(start, 0x10)
    return allocator


def ids() -> Any:
    """Return 16 to 143, of which 32 to 47 and 64 to 79 are live."""
    allocator: Any = IdAllocator(Id(0x10), Id(0x8F))
    for start in (0x20, 0x40):
        allocator.allocate(start, 0x10)
    return allocator


AN_INT = "an int"
BY_HALVES = (
    "the old range is given by halves: pass both its resource and its size, or None for both"
)

OF_BOTH: list[tuple[Callable[[Any], object], type[AllocatorError], tuple[object, ...]]] = [
    # wrong types, by the name of the argument
    (lambda a: a.allocate("x", 1), InvalidTypeError, ("resource", "x", AN_INT)),
    (lambda a: a.allocate(None, "x"), InvalidTypeError, ("size", "x", AN_INT)),
    (lambda a: a.allocate(None, 1, align="x"), InvalidTypeError, ("align", "x", AN_INT)),
    (lambda a: a.allocate(None, 1, policy="x"), InvalidTypeError, ("policy", "x", "a policy")),
    (
        lambda a: a.allocate(None, 1, policy=ExactMatch("x")),  # type: ignore[type-var]
        InvalidTypeError,
        ("ExactMatch", "x", AN_INT),
    ),
    (
        lambda a: a.allocate("x", 1, policy=ExactMatch(1)),
        InvalidTypeError,
        ("resource", "x", AN_INT),
    ),
    (
        lambda a: a.allocate(None, 1, within="x"),
        InvalidTypeError,
        ("within", "x", "a RangeInclusive"),
    ),
    (
        lambda a: a.allocate(None, 1, within=odd("x", 1)),
        InvalidTypeError,
        ("first of the window", "x", AN_INT),
    ),
    (
        lambda a: a.allocate(None, 1, within=odd(1, "x")),
        InvalidTypeError,
        ("last of the window", "x", AN_INT),
    ),
    (lambda a: a.free("x", 1), InvalidTypeError, ("resource", "x", AN_INT)),
    (lambda a: a.update("x", 1, 1, 1), InvalidTypeError, ("old resource", "x", AN_INT)),
    (lambda a: a.update(1, 1, "x", 1), InvalidTypeError, ("new resource", "x", AN_INT)),
    (lambda a: a.lookup("x"), InvalidTypeError, ("resource", "x", AN_INT)),
    (lambda a: odd("x", 1) in a, InvalidTypeError, ("first of the range", "x", AN_INT)),
    (lambda a: odd(1, "x") in a, InvalidTypeError, ("last of the range", "x", AN_INT)),
    # requests that make no sense
    (lambda a: a.allocate(None, 0), InvalidSizeError, (0,)),
    (lambda a: a.allocate(None, 1, align=3), InvalidAlignmentError, (3,)),
    (
        lambda a: a.allocate(1, 1, policy=ExactMatch(2)),
        ConflictingRequestError,
        ("resource 1 and ExactMatch(start=2) differ: pass only one",),
    ),
    (
        lambda a: a.allocate(1, 1, policy=FirstMatch),
        ConflictingRequestError,
        (f"resource 1 asks for an exact start and {FirstMatch!r} for any: pass only one",),
    ),
    (
        lambda a: a.update(None, 1, 1, 1),
        ConflictingRequestError,
        (BY_HALVES,),
    ),
    # requests that are refused in this state
    (lambda a: a.allocate(0xC, 8), OutOfBoundsError, (0xC, 7, 0x10, 0x8F)),
    (
        lambda a: a.allocate(0x10, 8, within=window(0x14, 0x20)),
        OutsideWindowError,
        (0x10, 7, 0x14, 0x20),
    ),
    (lambda a: a.allocate(0x12, 4, align=8), MisalignedError, (0x12, 3, 8)),
    (lambda a: a.allocate(0x24, 0x20), OverlapError, (0x24, 0x1F, 0x20, 0x2F, None)),
    (lambda a: a.allocate(0x14, 0x10), OverlapError, (0x14, 0xF, 0x20, 0x2F, None)),
    (lambda a: a.allocate(0x1C, 5), OverlapError, (0x1C, 4, 0x20, 0x2F, None)),
    (lambda a: a.allocate(0x8C, 8), OutOfBoundsError, (0x8C, 7, 0x10, 0x8F)),
    (
        lambda a: a.allocate(None, 0xC, align=8, within=window(0x14, 0x1F)),
        NoSpaceError,
        (0xB, 8, 0x14, 0x1F, 1, 0),
    ),
    (lambda a: a.free(0x24, 8), NotAllocatedError, (0x24, 7)),
    (lambda a: a.free(0x8C, 8), NotAllocatedError, (0x8C, 7)),
    (lambda a: a.update(0x20, 0x10, 0x1C, 0x40), OverlapError, (0x1C, 0x3F, 0x40, 0x4F, None)),
    (lambda a: a.update(0x40, 0x10, 0x2C, 0x40), OverlapError, (0x2C, 0x3F, 0x20, 0x2F, None)),
    (
        lambda a: a.allocate(None, 0x40, align=8, within=window(0, 0x8E)),
        NoSpaceError,
        (0x3F, 8, 0, 0x8E, 1, 0),
    ),
    (lambda a: a.allocate_many(0, 4), InvalidCountError, (0,)),
    (lambda a: a.allocate_many("x", 4), InvalidTypeError, ("count", "x", AN_INT)),
    (
        lambda a: a.allocate_many(9, 0x10, align=8, policy=LastMatch, within=window(0, 0x4F)),
        NoSpaceError,
        (0xF, 8, 0, 0x4F, 9, 2),
    ),
    (
        lambda a: a.allocate_many(2, 1, policy=ExactMatch(5)),
        ConflictingRequestError,
        ("ExactMatch(start=5) is one start, for one range: pass FirstMatch or LastMatch",),
    ),
]


@pytest.mark.parametrize(("make", "unit"), [(addresses, A), (ids, I)], ids=["addresses", "ids"])
@pytest.mark.parametrize(("call", "kind", "named"), OF_BOTH)
def test_a_refusal_names_what_caused_it(
    make: Callable[[], Any],
    unit: Unit,
    call: Callable[[Any], object],
    kind: type[AllocatorError],
    named: tuple[object, ...],
) -> None:
    allocator = make()
    with pytest.raises(kind) as caught:
        call(allocator)
    assert type(caught.value) is kind
    assert caught.value.args == (unit, *named)
    assert allocator == make()


@pytest.mark.parametrize(
    ("make", "kind", "named"),
    [
        (lambda: AddressAllocator("x", 1), InvalidTypeError, (A, "base", "x", AN_INT)),  # type: ignore[arg-type]
        (lambda: AddressAllocator(0, "x"), InvalidTypeError, (A, "size", "x", AN_INT)),  # type: ignore[arg-type]
        (lambda: AddressAllocator(0, 1, "x"), InvalidTypeError, (A, "align", "x", AN_INT)),  # type: ignore[arg-type]
        (lambda: AddressAllocator(0, 0), InvalidSizeError, (A, 0)),  # type: ignore[arg-type]
        (lambda: AddressAllocator(2, 2**64), InvalidSpaceError, (A, 2, 2**64 - 1)),  # type: ignore[arg-type]
        (lambda: AddressAllocator(0, 1, 3), InvalidAlignmentError, (A, 3)),  # type: ignore[arg-type]
        (lambda: IdAllocator("x", 1), InvalidTypeError, (I, "first", "x", AN_INT)),  # type: ignore[arg-type]
        (lambda: IdAllocator(0, "x"), InvalidTypeError, (I, "last", "x", AN_INT)),  # type: ignore[arg-type]
        (lambda: IdAllocator(0, 2**32), InvalidSpaceError, (I, 0, 2**32)),  # type: ignore[arg-type]
    ],
)
def test_a_constructor_names_what_it_refuses(
    make: Callable[[], object], kind: type[AllocatorError], named: tuple[object, ...]
) -> None:
    with pytest.raises(kind) as caught:
        make()
    assert caught.value.args == named


# ---- ends that are easily off by one


def test_a_space_of_ids_may_be_one_id_and_may_end_at_the_last_id_of_all() -> None:
    one = IdAllocator(Id(2**32 - 1), Id(2**32 - 1))
    assert (one.allocate(None), one.size) == (2**32 - 1, 1)
    assert one.lookup(Id(2**32 - 1)) == window(2**32 - 1, 2**32 - 1)
    assert window(2**32 - 1, 2**32 - 1) in one
    one._check()


def test_an_address_allocator_aligns_to_one_unless_it_is_told_otherwise() -> None:
    assert AddressAllocator(GuestAddress(1), 8).alignment == 1  # type: ignore[arg-type]


def test_an_update_from_nothing_takes_its_alignment_and_its_start() -> None:
    allocator = addresses()
    with pytest.raises(MisalignedError):
        allocator.update(None, None, 0x54, 4, align=8)
    allocator.update(None, None, 0x58, 4, align=8)
    assert window(0x58, 0x5B) in allocator


def test_an_update_looks_at_the_new_range_to_its_very_ends_and_not_beyond() -> None:
    allocator: Any = AddressAllocator(GuestAddress(0), 0x40)  # type: ignore[arg-type]
    for start, size in ((0, 8), (8, 8), (0x10, 8), (0x18, 8)):
        allocator.allocate(start, size)
    for new_start, new_size in ((8, 9), (7, 9), (7, 2), (0xF, 2), (0x10, 1), (0, 1), (1, 0x20)):
        with pytest.raises(OverlapError):
            allocator.update(8, 8, new_start, new_size)
    allocator.update(8, 8, 9, 7)
    allocator.update(9, 7, 8, 8)
    allocator.update(8, 8, 0x20, 4)
    allocator.update(0x20, 4, 8, 8)
    allocator.update(8, 8, 8, 8)
    allocator.free(0x10, 8)
    allocator.update(8, 8, 8, 0x10)
    with pytest.raises(MisalignedError):
        allocator.update(8, 0x10, 9, 1, align=4)


@pytest.mark.parametrize(
    ("single", "new_start", "new_size"), [(7, 5, 4), (0x10, 8, 0xC)], ids=["below", "above"]
)
def test_an_update_sees_the_one_address_beside_its_old_range(
    single: int, new_start: int, new_size: int
) -> None:
    allocator: Any = AddressAllocator(GuestAddress(0), 0x40)  # type: ignore[arg-type]
    allocator.allocate(single, 1)
    allocator.allocate(8, 8)
    with pytest.raises(OverlapError) as caught:
        allocator.update(8, 8, new_start, new_size)
    assert caught.value.args[-3:] == (single, single, None)


def test_a_window_may_be_the_last_address_of_a_gap() -> None:
    for make in (addresses, ids):
        assert make().allocate(None, 1, align=1, within=window(0x1F, 0x1F)) == 0x1F


def test_a_block_is_as_many_ids_as_it_says() -> None:
    allocator = ids()
    assert window(allocator.allocate_block(4), 0x13) in allocator


def test_zero_is_no_power_of_two() -> None:
    assert [is_power_of_two(value) for value in (-1, 0, 1, 2, 3)] == [
        False,
        False,
        True,
        True,
        False,
    ]


class Miscounted(SortedGaps):
    def __len__(self) -> int:
        return 7


def miscount(allocator: Any) -> None:
    allocator._index = Miscounted(0x10, 0x8F)


def move_the_base(allocator: Any) -> None:
    allocator._base = 0x30


def bend_the_alignment(allocator: Any) -> None:
    allocator._align = 0


def lose_the_space(allocator: Any) -> None:
    allocator._base = -3


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        (lose_the_space, "the space exists"),
        (bend_the_alignment, "the alignment is a power of two"),
        (miscount, "live ranges are counted"),
        (move_the_base, "live ranges lie in the space"),
    ],
)
def test_a_damaged_allocator_tells_what_is_broken_and_its_state(
    damage: Callable[[Any], None], broken: str
) -> None:
    allocator = addresses()
    damage(allocator)
    with pytest.raises(AssertionError, match=f"broken invariant: {broken}") as caught:
        allocator._check()
    assert f" {len(allocator)} live, " in str(caught.value)
