"""What may be passed: the kinds of value, and calls that contradict themselves."""

from typing import TYPE_CHECKING

import pytest

from vm_allocator import (
    AddressAllocator,
    ConflictingRequestError,
    ExactMatch,
    FirstMatch,
    GuestAddress,
    GuestUsize,
    Id,
    IdAllocator,
    InvalidAlignmentError,
    InvalidSizeError,
    InvalidSpaceError,
    InvalidTypeError,
    LastMatch,
    MisalignedError,
)
from vm_allocator.ranges import RangeInclusive
from vm_allocator.resource import U32_MAX, U64_MAX, Unit
from vm_allocator.view import plain_int

from .builders import space

if TYPE_CHECKING:
    from collections.abc import Callable


class Pretends:
    """No int, but says which int it stands for, as numpy's numbers do."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value  # type: ignore[return-value]  # on purpose


class IntSubclass(int):
    pass


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (True, 1), (IntSubclass(7), 7), (Pretends(9), 9), (-(1 << 99), -(1 << 99))],
)
def test_whatever_is_an_int_becomes_a_plain_one(value: object, number: int) -> None:
    found = plain_int(Unit.ID, "size", value)
    assert found == number
    assert type(found) is int


@pytest.mark.parametrize(
    "value", ["5", b"5", 5.0, None, [5], object(), int, Pretends("5"), Pretends(5.0)]
)
def test_whatever_is_none_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidTypeError, match=r"the size is .*: pass an int") as caught:
        plain_int(Unit.ID, "the size", value)
    assert (caught.value.name, caught.value.value) == ("the size", value)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("wrong", ["16", 16.0, None, [16]])
def test_no_operation_takes_another_kind_of_value(wrong: object) -> None:
    allocator = space(0, 0x40)
    one = GuestUsize(1)
    start = allocator.allocate(None, one)
    before = allocator.copy()
    calls: list[Callable[[], object]] = [
        lambda: allocator.allocate(None, wrong),  # type: ignore[arg-type]  # on purpose, here and below
        lambda: allocator.free(wrong, one),  # type: ignore[arg-type]
        lambda: allocator.free(start, wrong),  # type: ignore[arg-type]
        lambda: allocator.update(start, one, wrong, one),  # type: ignore[arg-type]
        lambda: allocator.update(start, one, start, wrong),  # type: ignore[arg-type]
        lambda: allocator.allocate(None, one, policy=ExactMatch(wrong)),  # type: ignore[arg-type]
        lambda: allocator.available(wrong),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(InvalidTypeError):
            call()
        assert allocator == before


@pytest.mark.parametrize("wrong", ["16", 16.0, [16]])
def test_no_option_takes_another_kind_of_value(wrong: object) -> None:
    allocator = space(0, 0x40)
    with pytest.raises(InvalidTypeError, match="align is"):
        allocator.allocate(None, GuestUsize(1), align=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="resource is"):
        allocator.allocate(wrong, GuestUsize(1))  # type: ignore[arg-type]
    assert len(allocator) == 0


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [("LastMatch", "str"), (0, "int"), (ExactMatch, "type"), (GuestAddress(5), "int")],
)
@pytest.mark.parametrize("resource", [None, GuestAddress(8)])
def test_a_policy_is_one_of_the_three(
    wrong: object, kind: str, resource: GuestAddress | None
) -> None:
    allocator = space(0, 0x40)
    with pytest.raises(InvalidTypeError) as caught:
        allocator.allocate(resource, GuestUsize(1), policy=wrong)  # type: ignore[arg-type]
    assert str(caught.value) == f"policy is {wrong!r}, a {kind}: pass a policy"
    assert (caught.value.name, caught.value.value) == ("policy", wrong)
    with pytest.raises(InvalidTypeError, match="policy is"):
        allocator.available(GuestUsize(1), policy=wrong)  # type: ignore[arg-type]
    assert len(allocator) == 0


@pytest.mark.parametrize(
    ("wrong", "kind"), [((1, 2), "tuple"), (range(1, 3), "range"), ("1-2", "str"), (0, "int")]
)
def test_a_window_is_a_range(wrong: object, kind: str) -> None:
    allocator = space(0, 0x40)
    one = GuestUsize(1)
    start = allocator.allocate(None, one)
    before = allocator.copy()
    calls: list[Callable[[], object]] = [
        lambda: allocator.allocate(None, one, within=wrong),  # type: ignore[arg-type]
        lambda: allocator.allocate(GuestAddress(8), one, within=wrong),  # type: ignore[arg-type]
        lambda: allocator.available(one, within=wrong),  # type: ignore[arg-type]
        lambda: allocator.update(start, one, GuestAddress(8), one, within=wrong),  # type: ignore[arg-type]
        lambda: allocator.update(None, None, GuestAddress(8), one, within=wrong),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(InvalidTypeError) as caught:
            call()
        assert str(caught.value) == f"within is {wrong!r}, a {kind}: pass a RangeInclusive"
        assert allocator == before


def test_a_window_of_the_wrong_type_is_refused_before_anything_is_said_of_the_range() -> None:
    allocator = space(0, 0x40)
    one, beyond = GuestUsize(1), GuestAddress(0x1000)
    start = allocator.allocate(None, one)
    calls: list[Callable[[], object]] = [
        lambda: allocator.allocate(beyond, one, within=(1, 2)),  # type: ignore[arg-type]
        lambda: allocator.allocate(start, one, within=(1, 2)),  # type: ignore[arg-type]
        lambda: allocator.update(beyond, one, start, one, within=(1, 2)),  # type: ignore[arg-type]
        lambda: allocator.update(start, one, beyond, one, within=(1, 2)),  # type: ignore[arg-type]
        lambda: allocator.update(None, None, beyond, one, within=(1, 2)),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(InvalidTypeError, match=r"within is \(1, 2\)"):
            call()
    assert list(allocator) == [RangeInclusive(start, start)]


@pytest.mark.parametrize("wrong", ["x", None, 1.5, (0, 1)])
def test_what_is_looked_up_is_an_int(wrong: object) -> None:
    for allocator in (space(0, 16), IdAllocator(Id(0), Id(15))):
        with pytest.raises(InvalidTypeError, match="resource is") as caught:
            allocator.lookup(wrong)  # type: ignore[arg-type]
        assert (caught.value.name, caught.value.value) == ("resource", wrong)
        with pytest.raises(InvalidTypeError, match="resource is"):
            _ = wrong in allocator  # type: ignore[operator]


@pytest.mark.parametrize("size", [0, -1, (1 << 64) + 1, 1 << 99])
def test_an_impossible_size_is_refused(size: int) -> None:
    allocator = space(0, 1 << 64)
    for call in (
        lambda: allocator.allocate(None, GuestUsize(size)),
        lambda: allocator.free(GuestAddress(0), GuestUsize(size)),
        lambda: allocator.update(None, None, GuestAddress(0), GuestUsize(size)),
    ):
        with pytest.raises(InvalidSizeError) as caught:
            call()
        assert caught.value.size == size
    with pytest.raises(InvalidSizeError):
        space(0, size)


@pytest.mark.parametrize("align", [0, -1, 3, (1 << 63) + 1, 1 << 64])
def test_an_alignment_is_a_power_of_two(align: int) -> None:
    with pytest.raises(InvalidAlignmentError) as caught:
        space(0, 16).allocate(None, GuestUsize(1), align=align)
    assert caught.value.align == align
    with pytest.raises(InvalidAlignmentError):
        space(0, 16, align)


@pytest.mark.parametrize(("base", "size"), [(-1, 2), (U64_MAX, 2), (1, 1 << 64), (1 << 64, 1)])
def test_a_space_lies_in_64_bits(base: int, size: int) -> None:
    with pytest.raises(InvalidSpaceError) as caught:
        space(base, size)
    assert (caught.value.base, caught.value.last) == (base, base + size - 1)


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (2, 1), (0, U32_MAX + 1)])
def test_ids_lie_in_32_bits(first: int, last: int) -> None:
    with pytest.raises(InvalidSpaceError) as caught:
        IdAllocator(Id(first), Id(last))
    assert (caught.value.base, caught.value.last) == (first, last)


@pytest.mark.parametrize("policy", [FirstMatch, LastMatch, ExactMatch(GuestAddress(5))])
def test_a_start_and_a_policy_that_disagree_are_refused(policy: object) -> None:
    allocator = space(0, 16)
    with pytest.raises(ConflictingRequestError, match="pass only one"):
        allocator.allocate(GuestAddress(4), GuestUsize(1), policy=policy)  # type: ignore[arg-type]
    assert len(allocator) == 0


def test_a_start_and_the_same_exact_match_agree() -> None:
    start = GuestAddress(4)
    assert space(0, 16).allocate(start, GuestUsize(1), policy=ExactMatch(start)) == 4


@pytest.mark.parametrize(("old", "size"), [(None, 4), (4, None)])
def test_an_old_range_given_by_halves_is_refused(old: int | None, size: int | None) -> None:
    allocator: AddressAllocator = space(0, 16)
    with pytest.raises(ConflictingRequestError, match="by halves"):
        allocator.update(
            None if old is None else GuestAddress(old),
            None if size is None else GuestUsize(size),
            GuestAddress(8),
            GuestUsize(1),
        )
    assert len(allocator) == 0


def test_the_default_alignment_holds_where_none_is_given() -> None:
    allocator = space(0x10, 0x100, 0x20)
    assert allocator.allocate(None, GuestUsize(1)) == 0x20
    with pytest.raises(MisalignedError):
        allocator.allocate(GuestAddress(0x30), GuestUsize(1))
    assert allocator.allocate(GuestAddress(0x30), GuestUsize(1), align=0x10) == 0x30
