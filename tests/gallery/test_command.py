"""`vm-allocator gallery` as a person calls it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from vm_allocator.commands import app
from vm_allocator.gallery import gallery, not_shown, twins

WIDE = {"COLUMNS": "200"}


def test_without_a_name_it_lists_every_entry_and_what_cannot_be_shown() -> None:
    done = CliRunner().invoke(app, ["gallery"], env=WIDE)
    assert done.exit_code == 0
    listed = {word for line in done.output.splitlines() for word in line.split()}
    assert {bug.name for bug in gallery()} | {twin.name for twin in twins()} <= listed
    for one in not_shown():
        assert one.where in done.output


def test_a_bug_by_name_is_caught_and_the_exit_code_is_that_of_check() -> None:
    done = CliRunner().invoke(app, ["gallery", "move-frees-first"], env=WIDE)
    assert done.exit_code == 1
    assert "move-frees-first  Cloud Hypervisor, issue 8203" in done.output
    assert "A move frees the old range, and returns early when the new one is refused." in (
        done.output
    )
    assert "atomicity  free: expected granted, got refused: not live" in done.output
    assert "the refused call changed the state" in done.output


@pytest.mark.parametrize("name", [twin.name for twin in twins()])
def test_a_twin_by_name_passes(name: str) -> None:
    done = CliRunner().invoke(app, ["gallery", name, "--max-calls", "1000"], env=WIDE)
    assert done.exit_code == 0
    assert f"{name}: no counterexample found (sampled, not proved)" in done.output


def test_an_unknown_name_is_bad_usage_in_one_line() -> None:
    done = CliRunner().invoke(app, ["gallery", "no-such-bug"], env=WIDE)
    assert done.exit_code == 2
    assert "no entry is called 'no-such-bug': vm-allocator gallery lists them" in done.output
