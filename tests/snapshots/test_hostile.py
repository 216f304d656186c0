"""Whatever a snapshot is: it is restored as what it says, or refused. What errs is caught."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import ids, space
from tests.snapshots.bending import bend
from tests.snapshots.hostile import giants, main, one
from tests.snapshots.judging import KINDS, judge, judge_text
from tests.snapshots.making import board
from vm_allocator import OrderedPools, ResourceMap, SnapshotTooLargeError, load_snapshot
from vm_allocator.saving import Saving
from vm_allocator.snapshots import pools, reading, states, systems
from vm_allocator.snapshots.reading import Reader
from vm_allocator.snapshots.states import SavedMove, SavedState
from vm_allocator.snapshots.sweep import Sweep
from vm_allocator.snapshots.systems import SavedSystem

FEW = range(400)
MANY = range(2000)

FIRST_TRIED = {
    "a pool that is missing": 459,
    "a range below the base": 95,
    "forgets pending moves": 61,
    "forgets the index of what moves lead from": 61,
    "held and not live": 196,
    "live and not held": 905,
    "owners of the platform": 1164,
    "pools that overlap": 189,
    "the alignment": 200,
    "the base of a pool": 510,
    "the format": 90,
    "the last of a pool": 490,
    "the lower part of a move": 247,
    "the platform's ranges": 40,
    "the space": 96,
    "the upper part of a move": 697,
    "unknown keys": 162,
}
"""Seeds of snapshots that show a bug which few do: to be quick, and no more."""

# The function, a text of its source, and what stands there instead.
BREAKERS: dict[str, tuple[Any, str, str, str]] = {
    "an empty range": (Sweep, "take", "entry.end < entry.start", "False"),
    "a range below the base": (Sweep, "take", "entry.start < self._base or ", ""),
    "a range above the last": (Sweep, "take", " or self._last < entry.end", ""),
    "an overlap": (Sweep, "take", "entry.start <= self.highest.end", "False"),
    "an overlap by one": (Sweep, "take", "entry.start <= self", "entry.start < self"),
    "a touch is no overlap": (Sweep, "take", "<= self.highest.end", "<= self.highest.end + 1"),
    "the order": (SavedState, "held", "sorted(", "list("),
    "the platform's ranges": (SavedState, "held", ", *self.reserved", ""),
    "what moves hold": (SavedState, "held", ", *of_moves", ""),
    "the new range of a move": (SavedMove, "reserved", "yield new  #", "pass  #"),
    "the lower part of a move": (SavedMove, "reserved", "new.start < old.start", "False"),
    "the upper part of a move": (SavedMove, "reserved", "old.end < new.end", "False"),
    "the space": (
        SavedState,
        "check",
        "0 <= self.base <= self.last <= unit.top",
        "0 <= self.base <= unit.top",
    ),
    "the alignment": (SavedState, "check", " or not is_power_of_two(self.alignment)", ""),
    "pools that overlap": (pools, "read_pools", "one.base <= other.last and", "False and"),
    "pools of two kinds": (pools, "read_pools", "state.unit is not states[0].unit", "False"),
    "that there are pools": (pools, "read_pools", "1 <= len(items)", "0 <= len(items)"),
    "unknown keys": (Reader, "fields", "type(key) is not str or key not in keys", "False"),
    "missing keys": (Reader, "fields", "if key not in plain", "if key in ()"),
    "lists that are none": (Reader, "items", 'self.wrong(where, value, "a list")', "pass"),
    "bools are no numbers": (
        Reader,
        "integer",
        "type(value) is not int",
        "not isinstance(value, int)",
    ),
    "lists are lists": (Reader, "items", "type(value) is not list", "not value.__iter__"),
    "empty owners": (Reader, "ends", " and bool(owner[0])", ""),
    "owners of the platform": (Reader, "ends", " and (owner or not owned)", ""),
    "the version": (reading, "opened", " or version not in VERSIONS", ""),
    "the kind": (reading, "opened", "found != kind", "False"),
    "the format": (reading, "opened", ' or data["format"] != FORMAT', ""),
    "held and not live": (
        SavedSystem,
        "_agree",
        'findings.add(held.where, "not-allocated", text)',
        "pass",
    ),
    "live and not held": (
        SavedSystem,
        "_agree",
        'findings.add(where, "unaccounted", text)',
        "pass",
    ),
    "what is held": (SavedSystem, "_agree", "del free[key]", "pass"),
    "the base of a pool": (systems, "_compare", '("base", state.base, pool._base),', ""),
    "the last of a pool": (systems, "_compare", '("last", state.last, pool._last),', ""),
    "a pool of another kind": (systems, "_held", "pools[pool].unit is not unit", "False"),
    "a device twice": (systems, "_devices", "elif name in names", "elif False"),
    "a pool that is missing": (systems, "_read", "if name not in table", "if name in ()"),
    "a pool too many": (systems, "_read", "if name not in like", "if name in ()"),
    "a field too many": (systems, "_compare_platform", "if name not in values", "if name in ()"),
    "forgets owners": (SavedState, "owners", "if one.owner is not None", "if not one.owner"),
    "forgets the platform's ranges": (Saving, "_made", "in state.reserved", "in ()"),
    "forgets pending moves": (Saving, "_made", "in state.moves", "in ()"),
    "does not replay all (Firecracker 5170)": (states, "_listed", "entry.end, ", "entry.start, "),
    "forgets the index of what moves lead from": (SavedState, "filled", ", *olds", ""),
}


@pytest.mark.parametrize("seed", FEW)
def test_a_hostile_snapshot_is_restored_as_what_it_says_or_refused(seed: int) -> None:
    one(seed)


def _with_a_pool_too_many() -> Any:
    data = board().save()
    data["pools"]["more"] = data["pools"]["irqs"]
    return data


def _with_a_field_too_many() -> Any:
    data = board().save()
    data["platform"]["more"] = {"grants": []}
    return data


def _with_a_device_twice() -> Any:
    data = board().save(ResourceMap())
    data["pools"]["slots"]["live"] = [[0, 0], [1, 1]]
    rest = {"device": "nic", "irqs": [], "vectors": [], "mmio": [], "pio": []}
    data["maps"][0] = [{**rest, "instance": ["slots", at, at]} for at in (0, 1)]
    return data


def _with_a_move_of_nobody() -> Any:
    return {**space(0, 10).save(), "moves": [{"old": [1, 1], "new": [2, 2]}]}


def _with_pools_of_two_kinds() -> Any:
    data = OrderedPools(space(0, 10)).save()
    data["pools"].append(OrderedPools(ids(20, 30)).save()["pools"][0])
    return data


def _with_a_bool() -> Any:
    return {**space(0, 10).save(), "base": False}


def _with_an_empty_owner() -> Any:
    return {**space(0, 10).save(), "live": [[3, 3, ""]]}


def _with_an_irq_for_a_bar() -> Any:
    data = board().save(ResourceMap())
    data["pools"]["irqs"]["live"] = [[5, 5], [6, 6]]
    rest = {"device": "nic", "irqs": [], "vectors": [], "pio": []}
    data["maps"][0] = [{**rest, "instance": ["irqs", 5, 5], "mmio": [["irqs", 6, 6]]}]
    return data


SHOWN_BY = {
    "missing keys": _with_a_move_of_nobody,
    "pools of two kinds": _with_pools_of_two_kinds,
    "bools are no numbers": _with_a_bool,
    "empty owners": _with_an_empty_owner,
    "a pool of another kind": _with_an_irq_for_a_bar,
    "a pool too many": _with_a_pool_too_many,
    "a field too many": _with_a_field_too_many,
    "a device twice": _with_a_device_twice,
}


@pytest.mark.parametrize("bug", BREAKERS)
def test_a_restore_that_errs_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bend(monkeypatch, *BREAKERS[bug])
    with pytest.raises(Exception):  # noqa: B017, PT011  # an assertion, or a crash
        _try(bug)


def _try(bug: str) -> None:
    if bug in SHOWN_BY:
        data = SHOWN_BY[bug]()
        judge(data["kind"], data)
        return
    for seed in (FIRST_TRIED.get(bug, 0), *MANY):
        one(seed)


@pytest.mark.parametrize("bug", SHOWN_BY)
def test_what_shows_a_bug_is_refused(bug: str) -> None:
    data = SHOWN_BY[bug]()
    assert judge(data["kind"], data) != "restored"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
KEYS = ("base", "last", "alignment", "live", "reserved", "moves", "pools", "platform", "maps")
ENDS = st.integers(-1, 20) | st.sampled_from(((1 << 64) - 1, 1 << 64, 1 << 200))
RANGES = st.lists(st.lists(ENDS, min_size=2, max_size=2), max_size=4)


@st.composite
def nearly_snapshots(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw something with the head of a snapshot, and a body that is often right."""
    kind = draw(st.sampled_from(KINDS))
    body = {
        "base": draw(ENDS | JSON),
        "last": draw(ENDS | JSON),
        "live": draw(RANGES | JSON),
        "reserved": draw(st.just([]) | JSON),
        "moves": draw(st.just([]) | JSON),
    }
    if kind == "addresses":
        body["alignment"] = draw(st.sampled_from((1, 2, 3, 1 << 63)) | JSON)
    if kind in {"pools", "system"}:
        body = {"pools": draw(JSON)}
    if kind == "system":
        body |= {"platform": draw(JSON), "maps": draw(JSON)}
    head = {
        "format": "vm-allocator snapshot",
        "version": draw(st.sampled_from((1, 2))),
        "kind": kind,
    }
    return kind, {**head, **body, **draw(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=1))}


@given(nearly_snapshots())
def test_whatever_is_drawn_is_restored_as_what_it_says_or_refused(drawn: tuple[str, Any]) -> None:
    judge(*drawn)


@given(st.sampled_from(KINDS), JSON)
def test_any_json_is_refused(kind: str, data: Any) -> None:
    assert judge(kind, data) != "restored"


@given(st.sampled_from(KINDS), st.text() | st.binary())
def test_any_text_is_refused(kind: str, written: str | bytes) -> None:
    assert judge_text(kind, written) != "restored"


def test_what_is_too_large_is_refused_before_it_is_looked_at() -> None:
    name, giant = next(giants())
    assert name == "100 MB of ranges"
    with pytest.raises(SnapshotTooLargeError, match="bytes of snapshot are more than 67108864"):
        load_snapshot(giant)


def test_the_command_says_how_many_and_what_came_of_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.snapshots.hostile.MEMORY", -1)  # no limit: others live here, too
    monkeypatch.setattr("tests.snapshots.hostile.giants", lambda: iter([("a little one", "[]")]))
    assert main(["--count", "20", "--seed", "7"]) == 0
    said = capsys.readouterr().out
    assert "20 hostile snapshots, of the seeds from 7 on:" in said
    assert "a little one: SnapshotFormatError" in said


def test_the_command_says_which_snapshot_shows_a_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bend(monkeypatch, *BREAKERS["an overlap"])
    monkeypatch.setattr("tests.snapshots.hostile.MEMORY", -1)
    assert main(["--count", "2000"]) == 1
    assert "again: python -m tests.snapshots.hostile --one" in capsys.readouterr().out
