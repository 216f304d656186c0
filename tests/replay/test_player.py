from pathlib import Path
from typing import Any

import pytest

from vm_allocator import Id, IdAllocator
from vm_allocator.replay import BarReplay, Windows, play_bars, play_vectors
from vm_allocator.replay.account import Bar, BarRange
from vm_allocator.replay.formats import Space, Window

from .support import WINDOWS, bar, trace, vector

ONE, TWO = Bar("one", 0), Bar("two", 0)


def _play(folder: Path, *records: dict[str, Any], windows: Windows = WINDOWS) -> BarReplay:
    result = play_bars(trace(folder, *records).lines, windows)
    assert result.disagreement is None
    return result


def _at(start: int, size: int = 0x1000) -> BarRange:
    return BarRange(Space.MMIO, start, size)


def test_a_refused_move_keeps_the_old_range_and_ends_wrong(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x2000),
        bar("update", "one", 0x2000, old=0x1000),
    )
    assert {ONE: _at(0x1000), TWO: _at(0x2000)} == result.held
    (refusal,) = result.refusals
    assert (refusal.line, refusal.bar, refusal.reason) == (3, ONE, "overlap")
    assert (_at(0x2000), _at(0x1000)) == (refusal.asked, refusal.held)
    assert ((TWO, _at(0x2000)),) == refusal.in_way
    assert [(ONE, _at(0x2000), _at(0x1000))] == result.misplaced
    assert result.guest.onto_live == 1


def test_a_guest_that_swaps_bars_one_by_one_is_refused_once(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x2000),
        bar("update", "one", 0x2000, old=0x1000),
        bar("update", "two", 0x1000, old=0x2000),
        bar("update", "one", 0x1000, old=0x2000),
        bar("update", "two", 0x2000, old=0x1000),
    )
    assert (result.guest.moves, result.guest.swaps) == (4, 2)
    # one stays at 0x1000, so two can never go there, and both end where they began.
    assert result.reasons == {"overlap": 2}
    assert (result.updated, result.misplaced) == (2, [])


def test_what_is_freed_is_what_is_held_not_what_the_trace_says(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x2000),
        bar("update", "one", 0x2000, old=0x1000),
        bar("free", "one", 0x2000),
    )
    assert {TWO: _at(0x2000)} == result.held
    assert (result.freed, result.nothing_to_free) == (1, 0)


def test_a_bar_that_was_refused_frees_nothing(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x1000),
        bar("free", "two", 0x1000),
    )
    assert {ONE: _at(0x1000)} == result.held
    assert (result.freed, result.nothing_to_free, result.operations) == (0, 1, 2)


def test_a_bar_that_was_refused_is_allocated_by_its_next_move(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x1000),
        bar("update", "two", 0x3000, old=0x1000),
    )
    assert _at(0x3000) == result.held[TWO]
    assert (result.allocated, result.updated, result.misplaced) == (2, 0, [])


def test_a_move_between_windows_allocates_there_before_it_frees_here(tmp_path: Path) -> None:
    moved = _play(tmp_path, bar("alloc", "one", 0x1000), bar("update", "one", 0x10000, old=0x1000))
    assert {ONE: _at(0x10000)} == moved.held
    assert (moved.allocated, moved.freed, moved.crossed, moved.updated) == (2, 1, 1, 0)
    refused = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("alloc", "two", 0x10000),
        bar("update", "one", 0x10000, old=0x1000),
    )
    assert _at(0x1000) == refused.held[ONE]
    assert (refused.allocated, refused.freed, refused.crossed) == (2, 0, 0)


@pytest.mark.parametrize(
    ("base", "size"),
    [(0, 0x1000), (0x9000, 0x1000), (0x8000, 0x2000), (2**64 - 0x1000, 0x1000), (2**64, 16)],
)
def test_a_range_outside_every_window_is_out_of_bounds(
    tmp_path: Path, base: int, size: int
) -> None:
    fresh = _play(tmp_path, bar("alloc", "one", base, size))
    assert fresh.reasons == {"out-of-bounds": 1}
    assert (1, {ONE}) == (fresh.guest.outside, fresh.guest.outside_bars)
    assert [(ONE, _at(base, size), None)] == fresh.misplaced
    moved = _play(
        tmp_path, bar("alloc", "one", 0x4000, size), bar("update", "one", base, size, old=0x4000)
    )
    assert {ONE: _at(0x4000, size)} == moved.held


def test_a_bar_is_aligned_to_its_size_and_to_16_bytes_of_memory_or_4_of_io(tmp_path: Path) -> None:
    windows = Windows((Window(Space.MMIO, 0, 0xFFFF), Window(Space.PIO, 0, 0xFFFF)))
    for base, size, space, granted in (
        (0x1000, 0x1000, "mmio", True),
        (0x1800, 0x1000, "mmio", False),
        (0x1010, 2, "mmio", True),
        (0x1008, 2, "mmio", False),
        (0x1008, 8, "pio", True),
        (0x1004, 8, "pio", False),
        (0x1004, 1, "pio", True),
        (0x1002, 1, "pio", False),
        (0x1010, 48, "mmio", True),
    ):
        record = bar("alloc", "one", base, size, space=space)
        result = _play(tmp_path, record, windows=windows)
        assert ({} if granted else {"misaligned": 1}) == result.reasons
        assert granted == (ONE in result.held)


def test_placements_are_first_moves_or_remaps(tmp_path: Path) -> None:
    guest = _play(
        tmp_path,
        bar("alloc", "one", 0x1000),
        bar("free", "one", 0x1000),
        bar("alloc", "one", 0x1000),
        bar("free", "one", 0x1000),
        bar("alloc", "one", 0x2000),
        bar("free", "one", 0x2000, why="unplug"),
        bar("alloc", "one", 0x3000),
        bar("alloc", "two", 0x1000),
        bar("update", "two", 0x4000, 0x2000, old=0x1000),
    ).guest
    # Unplugged, and of another size: another device sits in the slot.
    assert (guest.first, guest.moves, guest.remaps) == (4, 1, 1)
    assert (guest.takeovers, guest.withdrawals, guest.peak, guest.bars) == (1, 3, 2, 2)
    assert guest.irregular == 0


def test_another_type_of_device_in_the_slot_is_another_bar(tmp_path: Path) -> None:
    records = [
        bar("map", "one", 0x1000, name="nvme"),
        bar("unmap", "one", 0x1000, name="nvme"),
        bar("map", "one", 0x1000, name="edu"),
    ]
    guest = play_bars(trace(tmp_path, *records, name="x.jsonl").lines, WINDOWS).guest
    assert (guest.first, guest.remaps, guest.bars, guest.devices) == (2, 0, 2, 2)


def test_records_that_contradict_each_other_are_counted_and_played(tmp_path: Path) -> None:
    result = _play(
        tmp_path,
        bar("free", "one", 0x1000),
        bar("alloc", "one", 0x1000),
        bar("alloc", "one", 0x2000),
        bar("update", "one", 0x3000, old=0x7000),
    )
    assert result.guest.irregular == 3
    assert {ONE: _at(0x3000)} == result.held


def test_vectors_get_the_lowest_free_gsi_and_a_reset_frees_them_all(tmp_path: Path) -> None:
    records = [
        vector("alloc", "one", 24),
        vector("alloc", "two", 25),
        vector("update", "two", 25),
        vector("free", "one", 24),
        {"op": "reset", "t": 1},
        vector("alloc", "two", 99),
        vector("free", "one", 24),
    ]
    result = play_vectors(trace(tmp_path, *records).lines)
    assert (result.allocated, result.freed, result.freed_by_reset, result.resets) == (3, 1, 1, 1)
    assert (result.as_recorded, result.rewritten, result.peak, result.irregular) == (2, 1, 2, 1)
    assert list(result.held.values()) == [24]


def test_vectors_are_refused_when_no_gsi_is_left(tmp_path: Path) -> None:
    records = [vector("alloc", "one", 24), vector("alloc", "two", 25), vector("free", "two", 25)]
    lines = trace(tmp_path, *records).lines
    result = play_vectors(lines, lambda first, _: IdAllocator(first, Id(first)))
    assert result.refusals == {"no-space": 1}
    assert (result.allocated, result.irregular) == (1, 1)
