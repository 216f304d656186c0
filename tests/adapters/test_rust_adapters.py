"""The Rust adapters, spoken to directly: handshakes, and the bugs of the released crates."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "adapters" / "target" / "release"
FIELDS = {
    "protocol", "name", "kind", "operations", "policies", "align", "within", "default_alignment",
    "spaces", "largest", "greatest_align", "greatest_size", "free_reports", "free_by", "reasons",
    "snapshot",
}  # fmt: skip
ADDRESSES_0_1_4 = ("vm-allocator-0-1-4", "addresses")
COMMANDS = [
    *((f"vm-allocator-0-1-{patch}", kind) for patch in (0, 3, 4) for kind in ("addresses", "ids")),
    ("dbs-allocator-0-1-1",),
]


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    if all((BUILT / command[0]).exists() for command in COMMANDS):
        return
    # CI says that they are there: it must not skip.
    assert os.environ.get("ADAPTERS") != "needed", "make adapters has not built them"
    if shutil.which("cargo") is None:
        pytest.skip("the adapters are built with cargo, which is not here")
    pytest.skip("the adapters are not built: make adapters")


def talk(command: tuple[str, ...], *requests: dict[str, object]) -> list[dict[str, object]]:
    """Return the handshake and the replies, without their ids."""
    lines = [json.dumps({"id": n, **request}) + "\n" for n, request in enumerate(requests)]
    program = [str(BUILT / command[0]), *command[1:]]
    done = subprocess.run(  # noqa: S603  # a program of this repository
        program, input="".join(lines), capture_output=True, text=True, timeout=10, check=False
    )
    replies: list[dict[str, object]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reply.pop("id") for reply in replies[1:]] == list(range(len(replies) - 1))
    return replies


def new(base: int, last: int) -> dict[str, object]:
    return {"op": "new", "base": base, "last": last}


def allocate(size: int, policy: str = "first", **fields: int) -> dict[str, object]:
    where = {} if "start" in fields else {"policy": policy}
    return {"op": "allocate", "size": size, **where, **fields}


def free(start: int, size: int) -> dict[str, object]:
    return {"op": "free", "start": start, "size": size}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_handshake_is_one_of_the_protocol(command: tuple[str, ...]) -> None:
    (handshake,) = talk(command)
    assert handshake["protocol"] == "vm-allocator/1"
    assert set(handshake) <= FIELDS
    version = command[0].rsplit("-", 3)
    assert str(handshake["name"]).startswith(f"{version[0]} {'.'.join(version[1:])}")


@pytest.mark.parametrize(
    ("space", "calls", "replies"),
    [
        pytest.param(
            (0x1000, 0x1FFF),
            [allocate(0x800, start=0x1000), allocate(0x10, start=0x1000), free(0x1000, 0x800)],
            [{"granted": 0x1000}, {"granted": 0x1000}, {"refused": "ResourceNotAvailable"}],
            id="exact inside a live range",
        ),
        pytest.param(
            (0x1000, 0x1FFF), [free(0x1000, 0x1000)], [{"ok": True}],
            id="free of what was never allocated",
        ),
        pytest.param(
            (1, 9), [allocate(4), free(1, 4), allocate(4, start=1)],
            [{"granted": 1}, {"refused": "Underflow"}, {"refused": "ResourceNotAvailable"}],
            id="lost next to the start 1",
        ),
        pytest.param(
            (2**64 - 10, 2**64 - 2),
            [allocate(4, "last"), free(2**64 - 5, 4), allocate(4, start=2**64 - 5)],
            [{"granted": 2**64 - 5}, {"refused": "Overflow"}, {"refused": "ResourceNotAvailable"}],
            id="lost next to 2^64-2",
        ),
        pytest.param(
            (16, 17), [allocate(1), allocate(1), free(16, 1), free(17, 1), allocate(2)],
            [
                {"granted": 16}, {"granted": 17}, {"ok": True}, {"ok": True},
                {"refused": "ResourceNotAvailable"},
            ],
            id="neighbours of size 1 are not coalesced",
        ),
        pytest.param(
            (16, 31), [allocate(1, start=31)], [{"refused": "ResourceNotAvailable"}],
            id="exact size 1 at the end of a gap",
        ),
        pytest.param(
            (0, 15), [allocate(16, "last")], [{"refused": "ResourceNotAvailable"}],
            id="last match of a whole gap that starts at 0",
        ),
    ],
)  # fmt: skip
def test_the_address_allocator_0_1_4_has_the_bugs_of_the_corpus(
    space: tuple[int, int], calls: list[dict[str, object]], replies: list[dict[str, object]]
) -> None:
    assert talk(ADDRESSES_0_1_4, new(*space), *calls)[1:] == [{"ok": True}, *replies]


def test_ids_0_1_3_hands_out_one_id_twice_and_0_1_4_does_not() -> None:
    calls = [new(5, 23), free(5, 1), allocate(1), allocate(1)]
    before = talk(("vm-allocator-0-1-3", "ids"), *calls)
    assert before[2:] == [{"ok": True}, {"granted": 5}, {"granted": 5}]
    after = talk(("vm-allocator-0-1-4", "ids"), *calls)
    assert after[2:] == [{"refused": "NeverAllocated"}, {"granted": 5}, {"granted": 6}]


def test_addresses_0_1_0_refuse_a_size_of_1() -> None:
    calls = [new(1, 4), allocate(1)]
    assert talk(("vm-allocator-0-1-0", "addresses"), *calls)[2] == {"refused": "InvalidRange"}
    assert talk(ADDRESSES_0_1_4, *calls)[2] == {"granted": 1}


def test_dbs_takes_windows_alignments_and_exact_places() -> None:
    within = {"op": "allocate", "size": 2, "align": 4, "within": [5, 9]}
    calls = [new(0, 15), within, allocate(4, start=8), allocate(4, start=4, align=4), free(4, 4)]
    assert talk(("dbs-allocator-0-1-1",), *calls)[2:] == [
        {"granted": 8}, {"refused": "None"}, {"granted": 4}, {"ok": True},
    ]  # fmt: skip
