"""Counterexamples by hand, one or more for every family of theorems about the shipped source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vm_allocator import FirstMatch, LastMatch
from vm_allocator.proving.concrete_case import Values

from .support import ADDRESSES, GIVEN, IDS, LEFT_OUT, ids, values


@dataclass(frozen=True)
class Example:
    """A counterexample by hand: the call that it is about, and how that must end."""

    theorem: str
    values: Values
    call: str
    expected: str


BUSY = [(0x0, 0x3), (0x6, 0x6), (0x8, 0xB)]
NUMBERED = {"request.size": 2, "request.align": 4}
ALIGNED = {"align": GIVEN, "within": LEFT_OUT}
ALL_GIVEN = {"align": GIVEN, "within": GIVEN}

EXAMPLES: Final = [
    Example(
        f"{ADDRESSES}_does_allocate_anywhere_as_the_model",
        values(BUSY, NUMBERED, {**ALIGNED, "policy": LastMatch}),
        "allocator.allocate(None, 0x2, policy=LastMatch, align=0x4)",
        "returns 0xc",
    ),
    Example(
        f"{ADDRESSES}_does_allocate_anywhere_as_the_model",
        values(BUSY, {"request.size": 5}, {"policy": None}, alignment=2),
        "allocator.allocate(None, 0x5)",
        "refuses: no-space",
    ),
    Example(
        f"{IDS}_does_allocate_anywhere_as_the_model",
        ids([(5, 6)], {"request.size": 2}, {"policy": None}, alignment=4),
        "allocator.allocate(None, 0x2)",
        "returns 0x8",
    ),
    Example(
        f"{ADDRESSES}_does_allocate_exactly_as_the_model",
        values(BUSY, {"start": -1}, {"exactly": "by resource"}),
        "allocator.allocate(-0x1, 0x1)",
        "refuses: out-of-bounds",
    ),
    Example(
        f"{IDS}_does_allocate_exactly_as_the_model",
        ids(
            [(5, 6)],
            {"start": 8, "request.window.start": 9, "request.window.end": 23},
            {"exactly": "by policy", "within": GIVEN},
        ),
        "allocator.allocate(None, 0x1, within=RangeInclusive(0x9, 0x17), policy=ExactMatch(0x8))",
        "refuses: outside-window",
    ),
    Example(
        f"{ADDRESSES}_does_free_as_the_model",
        values(BUSY, {"old.start": 0x8, "old.end": 0xA}),
        "allocator.free(0x8, 0x3)",
        "refuses: not-allocated",
    ),
    Example(
        f"{IDS}_does_free_as_the_model",
        ids([(5, 6)], {"old.start": 5, "old.end": 6}),
        "allocator.free(0x5, 0x2)",
        "returns None",
    ),
    Example(
        f"{ADDRESSES}_does_update_as_the_model",
        values(BUSY, {"old.start": 8, "old.end": 11, "start": 10, "request.size": 4}),
        "allocator.update(0x8, 0x4, 0xa, 0x4)",
        "returns None",
    ),
    Example(
        f"{IDS}_does_update_as_the_model",
        ids([(5, 6), (9, 9)], {"old.start": 5, "old.end": 6, "start": 9}),
        "allocator.update(0x5, 0x2, 0x9, 0x1)",
        "refuses: overlap",
    ),
    Example(
        f"{ADDRESSES}_does_update_from_nothing_as_the_model",
        values(BUSY, {"start": 4, "request.size": 2, "request.align": 8}, ALIGNED),
        "allocator.update(None, None, 0x4, 0x2, align=0x8)",
        "refuses: misaligned",
    ),
    Example(
        f"{IDS}_does_allocate_a_block_as_the_model",
        ids([(8, 8)], {"request.size": 4}, {"policy": None}),
        "allocator.allocate_block(0x4)",
        "returns 0xc",
    ),
    Example(
        f"{IDS}_does_allocate_a_block_as_the_model",
        ids([], {"request.size": 3}, {"policy": LastMatch}),
        "allocator.allocate_block(0x3, policy=LastMatch)",
        "refuses: invalid-alignment",
    ),
    Example(
        f"{ADDRESSES}_tells_what_is_available",
        values(BUSY, {"request.size": 4}, {"policy": FirstMatch}),
        "allocator.available(0x4, policy=FirstMatch)",
        "returns 0xc",
    ),
    Example(
        f"{ADDRESSES}_tells_what_is_available",
        values(BUSY, {"request.size": 5}, {"policy": FirstMatch}),
        "allocator.available(0x5, policy=FirstMatch)",
        "returns None",
    ),
    Example(
        f"{IDS}_tells_what_is_available",
        ids([], {"request.size": 0}, {"policy": LastMatch}),
        "allocator.available(0x0, policy=LastMatch)",
        "refuses: invalid-size",
    ),
    Example(
        f"{ADDRESSES}_refuses_contradictions",
        values(
            BUSY,
            {"start": 4, "other": 5},
            {"policy": None, "how": "a resource and a policy"},
        ),
        "allocator.allocate(0x4, 0x1, policy=ExactMatch(0x5))",
        "refuses: conflicting-request",
    ),
    Example(
        f"{IDS}_refuses_contradictions",
        ids([], {"start": 5, "other": 6}, {"policy": FirstMatch, "how": "an old size alone"}),
        "allocator.update(None, 0x1, 0x6, 0x1)",
        "refuses: conflicting-request",
    ),
    Example(
        f"{ADDRESSES}_constructs_the_initial_state",
        Values({"base": 4, "size": 2**64 - 4, "alignment": 16}),
        "AddressAllocator(0x4, 0xfffffffffffffffc, 0x10)",
        "returns None",
    ),
    Example(
        f"{ADDRESSES}_constructs_the_initial_state",
        Values({"base": 4, "size": 1, "alignment": 3}),
        "AddressAllocator(0x4, 0x1, 0x3)",
        "refuses: invalid-alignment",
    ),
    Example(
        f"{IDS}_constructs_the_initial_state",
        Values({"base": -1, "size": 5, "alignment": 1}),
        "IdAllocator(-0x1, 0x3)",
        "refuses: invalid-space",
    ),
    Example(
        f"{ADDRESSES}_does_update_within_64_bits",
        values([(0, 3)], {"old.start": 0, "old.end": 3, "start": 2**64 - 1}),
        "allocator.update(0x0, 0x4, 0xffffffffffffffff, 0x1)",
        "every sum and difference fits 64 bits",
    ),
    Example(
        f"{ADDRESSES}_does_allocate_many_as_the_model",
        values(BUSY, {"count": 2}, {"policy": LastMatch}),
        "allocator.allocate_many(0x2, 0x1, policy=LastMatch)",
        "returns [15, 14]",
    ),
    Example(
        f"{IDS}_refuses_many_at_one_start",
        ids([], {"count": 3, "start": 7}),
        "allocator.allocate_many(0x3, 0x1, policy=ExactMatch(0x7))",
        "refuses: conflicting-request",
    ),
    Example(
        f"{ADDRESSES}_does_update_many_as_the_model",
        values(
            BUSY,
            {
                "old.count": 2,
                "old.0.start": 0,
                "old.0.end": 3,
                "old.1.start": 8,
                "old.1.end": 11,
                "new.count": 1,
                "new.0.start": 2,
                "new.0.end": 6,
            },
            ALL_GIVEN,
        ),
        "allocator.update_many([(RangeInclusive(0x0, 0x3), RangeInclusive(0x2, 0x6)), "
        "(RangeInclusive(0x8, 0xb), None)], align=0x1, within=RangeInclusive(0x0, 0xf))",
        "refuses: overlap",
    ),
    Example(
        f"{IDS}_updates_a_pair_as_the_model",
        ids(
            [(5, 6)],
            {"old.start": 5, "old.end": 6, "new.start": 6, "new.end": 8, "granule": 2},
            {"sides": "both"},
        ),
        "allocator.update_many([(RangeInclusive(0x5, 0x6), RangeInclusive(0x6, 0x8))], align=0x2)",
        "returns None",
    ),
    Example(
        f"{ADDRESSES}_moves_as_the_model",
        values(BUSY, {"old.start": 0, "old.end": 3, "start": 2, "request.size": 4}, ALL_GIVEN),
        "allocator.move(0x0, 0x4, 0x2, 0x4, align=0x1, within=RangeInclusive(0x0, 0xf))",
        "returns <Move from 0x0-0x3 to 0x2-0x5: pending>",
    ),
    Example(
        f"{ADDRESSES}_frees_nothing_of_a_pending_move",
        values(
            BUSY,
            {
                "freed.start": 0,
                "freed.end": 3,
                "old.start": 0,
                "old.end": 3,
                "new.start": 5,
                "new.end": 6,
            },
        ),
        "allocator.move(0x0, 0x4, 0x5, 0x2, align=0x1)",
        "refuses: overlap",
    ),
]


@dataclass(frozen=True)
class Change:
    """A change of one place of the source, and a counterexample that shows it."""

    module: str
    before: str
    after: str
    theorem: str
    values: Values
    expected: str
    actual: str


CHANGES: Final = [
    Change(
        "address",
        "        self._demand_live(start, span)\n        self._intent = start\n",
        "        self._intent = start\n",
        f"{ADDRESSES}_does_free_as_the_model",
        values([(0, 1), (4, 5)], {"old.start": 0, "old.end": 2}),
        "expected:    refuses: not-allocated; live: 0x0-0x1, 0x4-0x5",
        "actual:      returns None; live: 0x5-0x5",
    ),
    Change(
        "placement",
        "        if not self._inside(start, span, self._base, self._last):\n"
        "            raise NotAllocatedError(self._unit, start, span)\n",
        "",
        f"{ADDRESSES}_does_free_as_the_model",
        values([(0, 1)], {"old.start": 0x20, "old.end": 0x21}),
        "expected:    refuses: not-allocated; live: 0x0-0x1",
        "actual:      raises LookupError('asks the index for is_live(0x20, 0x21)'); live: 0x0-0x1",
    ),
    Change(
        "placement",
        "if not is_aligned(start, granule):",
        "if False:",
        f"{ADDRESSES}_does_allocate_exactly_as_the_model",
        values([], {"start": 1, "request.align": 2}, {**ALIGNED, "exactly": "by policy"}),
        "expected:    refuses: misaligned; live: nothing",
        "actual:      returns 0x1; live: 0x1-0x1",
    ),
    Change(
        "address",
        "self._index.highest_fit if policy is LastMatch",
        "self._index.lowest_fit if policy is LastMatch",
        f"{ADDRESSES}_does_allocate_anywhere_as_the_model",
        values([(0, 1)], {}, {"policy": LastMatch}),
        "expected:    returns 0xf; live: 0x0-0x1, 0xf-0xf",
        "actual:      returns 0x2; live: 0x0-0x1, 0x2-0x2",
    ),
    Change(
        "address",
        "            self._index.remove(old_start, old_end)\n",
        "",
        f"{ADDRESSES}_does_update_as_the_model",
        values([(0, 1)], {"old.start": 0, "old.end": 1, "start": 4}),
        "expected:    returns None; live: 0x4-0x4",
        "actual:      returns None; live: 0x0-0x1, 0x4-0x4",
    ),
    Change(
        "placement",
        "        self._demand_live(old_start, old_span)\n",
        "",
        f"{IDS}_does_update_as_the_model",
        ids([(5, 6)], {"old.start": 8, "old.end": 9, "start": 12}),
        "expected:    refuses: not-allocated; live: 0x5-0x6",
        "actual:      raises LookupError('asks the index for remove(0x8, 0x9)'); "
        "live: 0x5-0x6, 0x8-0x9",
    ),
    Change(
        "placement",
        "if old_end < new_end:",
        "if old_end <= new_end:",
        f"{ADDRESSES}_does_update_as_the_model",
        values([(0, 1)], {"old.start": 0, "old.end": 1, "start": 1}),
        "expected:    returns None; live: 0x1-0x1",
        "actual:      raises LookupError('asks the index for overlapping(0x2, 0x1)'); "
        "live: 0x0-0x1",
    ),
    Change(
        "address",
        "            self._index.remove(old_start, old_end)\n"
        "            self._index.add(new_start, new_end)\n",
        "            self._index.add(new_start, new_end)\n"
        "            self._index.remove(old_start, old_end)\n",
        f"{ADDRESSES}_does_update_as_the_model",
        values([(1, 5)], {"old.start": 1, "old.end": 5, "start": 0, "request.size": 2}),
        "expected:    returns None; live: 0x0-0x1",
        "actual:      returns None; live: 0x5-0x5",
    ),
    Change(
        "address",
        "        start = None\n",
        "        start, granule = None, granule - 1\n",
        f"{ADDRESSES}_does_allocate_anywhere_as_the_model",
        values([], {}, {"policy": None}),
        "expected:    returns 0x0; live: 0x0-0x0",
        "actual:      raises LookupError('asks the index for lowest_fit(0x0, 0x0, 0x0, 0xf)'); "
        "live: nothing",
    ),
    Change(
        "ids",
        "return self.allocate(None, count, align=count,",
        "return self.allocate(None, count, align=None,",
        f"{IDS}_does_allocate_a_block_as_the_model",
        ids([], {"request.size": 4}, {"policy": None}),
        "expected:    returns 0x8; live: 0x8-0xb",
        "actual:      returns 0x5; live: 0x5-0x8",
    ),
    Change(
        "address",
        "        except (NoSpaceError, OutOfBounds",
        "        except (OutOfBounds",
        f"{ADDRESSES}_tells_what_is_available",
        values([(0, 0xF)], {}, {"policy": FirstMatch}),
        "expected:    returns None; live: 0x0-0xf",
        "actual:      refuses: no-space; live: 0x0-0xf",
    ),
    Change(
        "requests",
        "            if resource is not None and plain_int",
        "            if resource is None and plain_int",
        f"{ADDRESSES}_refuses_contradictions",
        values(
            [],
            {"start": 4, "other": 5},
            {"policy": None, "how": "a resource and a policy"},
        ),
        "expected:    refuses: conflicting-request; live: nothing",
        "actual:      returns 0x5; live: 0x5-0x5",
    ),
    Change(
        "address",
        "last = first + (units - 1)",
        "last = first + units",
        f"{ADDRESSES}_constructs_the_initial_state",
        Values({"base": 4, "size": 4, "alignment": 1}),
        "expected: returns 0x4-0x7, alignment 0x1, live/free ['', '0x4-0x7']",
        "actual:   returns 0x4-0x8, alignment 0x1, live/free ['', '0x4-0x8']",
    ),
    Change(
        "placement",
        "return first <= start <= last and span <= last - start",
        "return first <= start and start + span <= last",
        f"{ADDRESSES}_does_free_within_64_bits",
        values([], {"old.start": 2**64 - 1, "old.end": 2**64}),
        "expected: every sum and difference fits 64 bits",
        "actual:   OverflowError('0x10000000000000000 does not fit 64 bits')",
    ),
]
