"""What the pages show: the dialogs of the protocol are played, the examples are checked."""

from __future__ import annotations

import json
import re
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vm_allocator.checker.campaign import Options, run
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.ours import InTransactions
from vm_allocator.checker.profile import profile_of
from vm_allocator.checker.serve import serve
from vm_allocator.gallery.devices import DeviceMap

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[2] / "docs"


def dialogs() -> list[list[tuple[str, dict[str, Any]]]]:
    """Return the lines of each dialog, with who says them."""
    found = []
    for block in re.findall(
        r"```\n(adapter .*?)```", (DOCS / "protocol.md").read_text(), re.DOTALL
    ):
        said = re.findall(r"^(adapter|checker)  (.*?)(?=^\w|\Z)", block, re.DOTALL | re.MULTILINE)
        found.append([(who, json.loads(line)) for who, line in said])
    return found


@pytest.mark.parametrize("number", range(3))
def test_a_dialog_of_the_page_is_what_an_adapter_says(number: int) -> None:
    makes: list[Callable[..., Any]] = [InTransactions, InTransactions, DeviceMap]
    (_, handshake), *lines = dialogs()[number]
    declared = profile_of("the page", handshake)
    target = LocalTarget(makes[number])
    assert set(declared.operations) <= set(target.profile.operations)
    requests = b"".join(
        json.dumps(line).encode() + b"\n" for who, line in lines if who == "checker"
    )
    replies = BytesIO()
    serve(target, BytesIO(requests), replies)
    said = [json.loads(line) for line in replies.getvalue().splitlines()[1:]]
    wanted = [line for who, line in lines if who == "adapter"]
    assert len(said) == len(wanted) > 3
    for reply, right in zip(said, wanted, strict=True):
        if "refused" in right:  # in words of its own
            assert "refused" in reply
            reply["refused"] = right["refused"]
        assert reply == right


def test_every_dialog_is_played() -> None:
    assert len(dialogs()) == 3


def test_the_allocator_of_the_page_passes() -> None:
    page = (DOCS / "checking.md").read_text()
    (source,) = re.findall(r"```python\n(from contextlib.*?)```", page, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102  # our own page
    make = namespace["MyAllocator"]
    report = run(partial(LocalTarget, make, "mine"), Options(max_time=600, max_calls=4_000))
    assert [one.title for one in report.findings] == []
    assert report.coverage.tally.outcomes["batch", "granted"] > 0
