"""Claims are saved with their allocator, and their queue goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.builders import space
from vm_allocator import (
    AddressAllocator,
    ClaimPools,
    Claims,
    GuestAddress,
    GuestUsize,
    NotSavableError,
    SnapshotError,
    SnapshotStateError,
    SystemAllocator,
    UnaccountedError,
)

SIZE = GuestUsize(16)


def at(start: int) -> GuestAddress:
    return GuestAddress(start)


def swapping() -> Claims[Any, GuestAddress, GuestUsize]:
    """Two of three owners are half-way through a rotation."""
    claims = Claims[Any, GuestAddress, GuestUsize](space(0, 64))
    for owner, start in (("nic", 0), ("disk", 16), (3, 32)):
        claims.claim(owner, at(start), SIZE)
    assert claims.claim("nic", at(16), SIZE) == []
    assert claims.claim("usb", at(24), SIZE) == []
    return claims


def test_the_queue_goes_on_where_it_was() -> None:
    claims = swapping()
    data = claims.save()
    assert data["held"] == [[16, 31, "disk"], [32, 47, 3]]
    assert data["waiting"] == [[16, 31, "nic"], [24, 39, "usb"]]
    restored = type(claims).restore(data)
    restored._check()
    for one in (claims, restored):
        assert [(grant.owner, grant.start) for grant in one.claim("disk", at(0), SIZE)] == [
            ("nic", 16),
            ("disk", 0),
        ]
        assert [grant.owner for grant in one.release(3)] == []
        assert [grant.owner for grant in one.release("nic")] == ["usb"]
    assert restored.save() == claims.save()


def test_claims_that_cannot_be_are_refused_and_named() -> None:
    data = swapping().save()
    data["held"] += [[16, 31, "gpu"], [0, 3, "rng"]]
    data["waiting"] += [[9, 8, "tpm"], [60, 70, "disk"]]
    with pytest.raises(SnapshotStateError) as caught:
        Claims.restore(data)
    assert [str(finding) for finding in caught.value.findings] == [
        "waiting[3]: 'disk' has a claim already: held[0]",
        "held[2]: 0x10-0x1f is held by held[0] as well",
        "held[3]: 0x0-0x3 is held and not live",
        "waiting[2]: 9 to 8 is no range of the space: nobody can wait for it",
        "waiting[3]: 0x3c-0x46 is no range of the space: nobody can wait for it",
    ]


def test_what_cannot_be_restored_is_not_saved() -> None:
    claims = swapping()
    claims.allocator.free(at(16), SIZE)
    with pytest.raises(SnapshotStateError, match="0x10-0x1f is held and not live"):
        claims.save()
    odd = Claims[Any, GuestAddress, GuestUsize](space(0, 64))
    odd.claim((1, 2), at(0), SIZE)
    with pytest.raises(NotSavableError, match="owner a tuple is no string and no 64-bit int"):
        odd.save()


@dataclass(frozen=True, eq=False)
class Windows(SystemAllocator):
    """Two windows, and the claims to them, of which an owner has one in all."""

    low: AddressAllocator
    high: AddressAllocator
    to_low: Claims[Any, GuestAddress, GuestUsize]
    to_high: Claims[Any, GuestAddress, GuestUsize]
    bars: ClaimPools[Any]


def windows() -> Windows:
    low, high = space(0, 64), space(1 << 32, 64)
    return Windows(low, high, Claims(low), Claims(high), ClaimPools())


def test_a_system_is_restored_with_its_claims() -> None:
    made = windows()
    made.bars.claim(made.to_low, "nic", at(0), SIZE)
    made.bars.claim(made.to_high, "disk", at(1 << 32), SIZE)
    made.bars.claim(made.to_low, "gpu", at(8), SIZE)
    made.check()
    data = made.save()
    restored, _ = windows().restore(data)
    restored.check()
    assert restored.save() == data
    assert restored.bars.pool_of("gpu") is restored.to_low
    assert restored.to_low.allocator is restored.low
    granted = restored.bars.claim(restored.to_high, "nic", at((1 << 32) + 16), SIZE)
    assert [grant.owner for grant in granted] == ["gpu", "nic"]
    assert made.save() == data


def test_what_is_held_past_claims_is_unaccounted_for() -> None:
    made = windows()
    made.bars.claim(made.to_low, "nic", at(0), SIZE)
    made.low.allocate(None, SIZE)
    with pytest.raises(UnaccountedError, match="low 0x10-0x1f"):
        made.check()
    with pytest.raises(SnapshotStateError, match="low 0x10-0x1f is live and held by nobody"):
        made.save()


def test_claims_past_the_pools_are_not_saved() -> None:
    made = windows()
    made.to_low.claim("nic", at(0), SIZE)
    with pytest.raises(NotSavableError, match="some claims were made past these pools"):
        made.save()


def refused(data: Any, text: str) -> None:
    with pytest.raises(SnapshotError, match=text):
        windows().restore(data)


def test_claims_of_another_system_are_refused() -> None:
    made = windows()
    made.bars.claim(made.to_low, "nic", at(0), SIZE)
    made.bars.claim(made.to_high, "disk", at(1 << 32), SIZE)
    data = made.save()
    twice = made.save()
    twice["claims"]["to_high"]["held"][0][2] = "nic"
    refused(twice, "'nic' has a claim in to_low already")
    data["claims"]["more"] = data["claims"].pop("to_low")
    refused(data, "claims.more: the system has no claims of that name to 'low'")
    data["claims"]["more"]["pool"] = "middle"
    refused(data, "claims.more.pool: there is no pool 'middle'")
