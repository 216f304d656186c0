"""Allocators that threads share are saved at one moment, and restored with a lock of their own."""

from __future__ import annotations

import pickle
import sys
import threading
from itertools import pairwise

from vm_allocator import GuestAddress, GuestUsize, SynchronizedAddressAllocator

SIZE = GuestUsize(16)


def test_a_snapshot_is_of_one_moment() -> None:
    made = SynchronizedAddressAllocator(GuestAddress(0), GuestUsize(1 << 14))
    made.allocate_many(400, SIZE, owner="nic")
    stop = threading.Event()

    def move_up_and_down() -> None:
        while not stop.is_set():
            made.update(GuestAddress(0), SIZE, GuestAddress(0x3F00), SIZE)
            made.update(GuestAddress(0x3F00), SIZE, GuestAddress(0), SIZE)

    mover = threading.Thread(target=move_up_and_down)
    often, before = 1e-6, sys.getswitchinterval()
    sys.setswitchinterval(often)
    mover.start()
    try:
        saved = [made.save() for _ in range(100)]
    finally:
        stop.set()
        mover.join()
        sys.setswitchinterval(before)
    for data in saved:
        assert len(data["live"]) == 400
        assert all(one[1] < other[0] for one, other in pairwise(data["live"]))
        assert len(SynchronizedAddressAllocator.restore(data)) == 400


def test_what_is_restored_can_be_used() -> None:
    made = SynchronizedAddressAllocator(GuestAddress(0), GuestUsize(64))
    made.allocate(None, SIZE)
    move = made.move(GuestAddress(0), SIZE, GuestAddress(8), SIZE)
    for twin in (
        SynchronizedAddressAllocator.restore(made.save()),
        pickle.loads(pickle.dumps(made)),  # noqa: S301  # our own
    ):
        assert twin == made
        (again,) = twin.moves()
        again.commit()
        with twin.locked():
            assert twin.save()["live"] == [[8, 23]]
    assert move.is_pending
