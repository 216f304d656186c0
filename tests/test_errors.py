import pickle

import pytest

from spec import claims, model, moves
from vm_allocator import (
    AllocatorError,
    ConflictingRequestError,
    HeldByPlatformError,
    InvalidAlignmentError,
    InvalidCountError,
    InvalidRangeError,
    InvalidRequestError,
    InvalidSizeError,
    InvalidSpaceError,
    InvalidTypeError,
    MisalignedError,
    MoveEndedError,
    MovePendingError,
    NoSpaceError,
    NotAllocatedError,
    NotReservedError,
    NotYoursError,
    OutOfBoundsError,
    OutsideWindowError,
    OverlapError,
    RefusedError,
    ReservedError,
)
from vm_allocator.claim_errors import InvalidOwnerError, NotClaimedError
from vm_allocator.resource import U64_MAX, Unit

ADDRESS, ID = Unit.ADDRESS, Unit.ID

# Each error with a text that says its values, and the specification's name for the refusal.
ERRORS = (
    (InvalidTypeError(ADDRESS, "size", "4k", "an int"), "size is '4k', a str: pass an int", None),
    (
        InvalidSpaceError(ID, 5, (1 << 32) - 5),
        (
            "a space from 5 to 4294967296 is not possible: "
            "pass one that lies in 0 to 4294967295 and is not empty"
        ),
        model.INVALID_SPACE,
    ),
    (
        InvalidSizeError(ADDRESS, 0),
        "size 0x0 is not possible: pass 1 to 0x10000000000000000",
        model.INVALID_SIZE,
    ),
    (
        InvalidCountError(ADDRESS, 0),
        "0 ranges at once are not possible: pass a count of 1 to 1048576",
        model.INVALID_COUNT,
    ),
    (
        InvalidAlignmentError(ADDRESS, 3),
        "alignment 0x3 is not possible: pass a power of two, 1 to 0x8000000000000000",
        model.INVALID_ALIGNMENT,
    ),
    (
        InvalidRangeError(ID, 8, 7),
        "range 8-7 is empty: pass a start that is at most its end",
        model.INVALID_RANGE,
    ),
    (ConflictingRequestError(ID, "a and b differ"), "a and b differ", None),
    (
        OutOfBoundsError(ADDRESS, 0xF00, 0x1FF, 0x1000, 0x1FFF),
        "0xf00-0x10ff is not within the space 0x1000-0x1fff: choose a range inside it",
        model.OUT_OF_BOUNDS,
    ),
    (
        OutsideWindowError(ADDRESS, 0x1000, 0xFF, 0x1800, 0x1FFF),
        "0x1000-0x10ff is not within the window 0x1800-0x1fff: widen it or move the range",
        model.OUTSIDE_WINDOW,
    ),
    (
        MisalignedError(ID, 5, 3, 4),
        "5-8 does not start at a multiple of 4: pass an aligned start",
        model.MISALIGNED,
    ),
    (
        OverlapError(ADDRESS, 0x1000, 0xFFF, 0x1800, 0x27FF),
        "0x1000-0x1fff overlaps live 0x1800-0x27ff: free that first or choose another range",
        model.OVERLAP,
    ),
    (
        NotAllocatedError(ID, 7, 0),
        "7 is not a live range: pass exactly what was allocated",
        model.NOT_ALLOCATED,
    ),
    (
        MovePendingError(ID, 7, 0, 7, 7, 9, 9, "rtc"),
        "7 is held by the pending move of rtc from 7 to 9: commit or abort that first",
        None,
    ),
    (
        ReservedError(ADDRESS, 0x10, 0xF, 0x18, 0x1F, 0x40, 0x47, 0x18, 0x1F),
        (
            "0x10-0x1f overlaps reserved 0x18-0x1f of the pending move from 0x40-0x47 to "
            "0x18-0x1f: choose another range, or wait until that move has ended"
        ),
        model.OVERLAP,
    ),
    (
        OverlapError(ADDRESS, 0x10, 0xF, 0x18, 0x1F, "nvme0/BAR2"),
        (
            "0x10-0x1f overlaps live 0x18-0x1f of nvme0/BAR2: "
            "free that first or choose another range"
        ),
        model.OVERLAP,
    ),
    (
        HeldByPlatformError(ADDRESS, 0xCF8, 3, 0xCF8, 0xCFF, "PCI configuration"),
        "0xcf8-0xcfb overlaps 0xcf8-0xcff, reserved for PCI configuration: choose another range",
        model.OVERLAP,
    ),
    (
        NotYoursError(ID, 8, 0, "the clock"),
        (
            "8 is reserved for the clock: leave it alone, or give it back by `unreserve` "
            "if it is yours"
        ),
        moves.RESERVED,
    ),
    (
        NotReservedError(ID, 8, 0),
        "8 is not a reserved range: pass exactly what was reserved",
        moves.NOT_RESERVED,
    ),
    (
        MoveEndedError(ID, "committed"),
        "this move was committed before: begin another one",
        None,
    ),
    (
        NoSpaceError(ADDRESS, 0xFF, 0x10, 0, 0xFF),
        "no room for 0x100 aligned to 0x10 within 0x0-0xff: free something, or ask for less",
        model.NO_SPACE,
    ),
    (
        NoSpaceError(ID, 3, 4, 32, 47, 5, 2),
        (
            "no room for 5 times 4 aligned to 4 within 32-47, only for 2 of them: "
            "free something, or ask for fewer"
        ),
        model.NO_SPACE,
    ),
    (
        InvalidOwnerError(ADDRESS, None),
        "None is no owner: pass something hashable that is not None",
        claims.INVALID_OWNER,
    ),
    (
        NotClaimedError(ADDRESS, "nic"),
        "'nic' has no claim: nothing is to be released",
        claims.NOT_CLAIMED,
    ),
)

every_error = pytest.mark.parametrize(
    ("error", "says", "refusal"), ERRORS, ids=lambda value: getattr(type(value), "__name__", None)
)


@every_error
def test_the_message_says_the_values_and_what_to_do(
    error: AllocatorError, says: str, refusal: str | None
) -> None:
    del refusal
    assert str(error) == says


@every_error
def test_the_refusal_has_the_name_that_the_specification_gives_it(
    error: AllocatorError, says: str, refusal: str | None
) -> None:
    del says
    assert error.refusal
    if refusal is None:
        # The first two are about the form of a call, which the model's actions do not have;
        # the others about moves as objects: to the model, what a move holds is live.
        assert error.refusal in {
            "invalid-type",
            "conflicting-request",
            moves.MOVE_PENDING,
            moves.MOVE_ENDED,
        }
    else:
        assert error.refusal == refusal


@every_error
def test_an_error_survives_pickling_with_its_values(
    error: AllocatorError, says: str, refusal: str | None
) -> None:
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(twin) is type(error)
    assert (str(twin), twin.refusal) == (says, refusal or error.refusal)
    assert vars(twin) == vars(error)


@every_error
def test_an_error_is_a_mistake_of_the_caller_or_a_refusal(
    error: AllocatorError, says: str, refusal: str | None
) -> None:
    del says, refusal
    assert isinstance(error, InvalidRequestError) != isinstance(error, RefusedError)
    assert isinstance(error, ValueError) == isinstance(error, InvalidRequestError)


def test_a_range_that_was_refused_may_end_beyond_everything_that_exists() -> None:
    error = OutOfBoundsError(ADDRESS, U64_MAX, U64_MAX, 0, U64_MAX)
    assert (error.start, error.span, error.end) == (U64_MAX, U64_MAX, 2 * U64_MAX)
    assert str(error).startswith("0xffffffffffffffff-0x1fffffffffffffffe is not within")


def test_sizes_and_lasts_are_told_although_spans_are_passed() -> None:
    assert NoSpaceError(ADDRESS, U64_MAX, 1, 0, U64_MAX).size == 1 << 64
    assert InvalidSpaceError(ADDRESS, 1, U64_MAX).last == 1 << 64
    assert InvalidSpaceError(ID, 2, -1).last == 1  # empty: the reason why it is refused


def test_every_error_class_is_tried_above() -> None:
    leaves = {leaf for leaf in _subclasses(AllocatorError) if leaf.refusal}
    assert leaves == {type(error) for error, _, _ in ERRORS}
    # What is reserved is in the way as what is live is: the same refusal, told otherwise.
    alike = {ReservedError, HeldByPlatformError}
    assert len({leaf.refusal for leaf in leaves}) == len(leaves - alike)


def test_every_refusal_of_the_specification_has_an_error() -> None:
    names = {
        value
        for module in (model, claims)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    assert names <= {error.refusal for error, _, _ in ERRORS}


def _subclasses(cls: type[AllocatorError]) -> set[type[AllocatorError]]:
    ours = ("vm_allocator.errors", "vm_allocator.claim_errors")
    direct = {c for c in cls.__subclasses__() if c.__module__ in ours}
    return direct.union(*(_subclasses(c) for c in direct))
