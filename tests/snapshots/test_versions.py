"""What was written once is read for good; what is written has the shape that the schema says."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.snapshots.judging import KINDS, judge, restore, save, schema
from tests.snapshots.making import saved
from vm_allocator import SnapshotFormatError, load_snapshot
from vm_allocator.snapshots.reading import VERSION, VERSIONS

DATA = Path(__file__).parents[1] / "data" / "snapshots"
FROZEN = [
    (version, kind) for version in VERSIONS for kind in KINDS if version > 1 or kind != "claims"
]


def frozen(version: int, kind: str) -> Any:
    return load_snapshot((DATA / f"v{version}-{kind}.json").read_bytes())


@pytest.mark.parametrize(("version", "kind"), FROZEN)
def test_a_frozen_sample_is_restored(version: int, kind: str) -> None:
    data = frozen(version, kind)
    assert data["version"] == version
    assert judge(kind, data) == "restored"
    again = save(kind, restore(kind, data))
    assert again["version"] == VERSION
    if version == VERSION:
        assert again == data


def test_version_1_knows_no_owners_and_nothing_reserved() -> None:
    data = frozen(1, "addresses")
    with pytest.raises(SnapshotFormatError, match=r"\[1, 1, 'x'\] is not \[start, end\]$"):
        restore("addresses", {**data, "live": [[1, 1, "x"]]})
    with pytest.raises(SnapshotFormatError, match="the key 'reserved' is not known"):
        restore("addresses", {**data, "reserved": []})
    with pytest.raises(SnapshotFormatError, match="the key 'reserved' is missing"):
        restore("addresses", {**data, "version": 2})


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema().schema)


def test_whatever_is_saved_has_the_shape_that_the_schema_says() -> None:
    for seed in range(300):
        data = saved(Random(seed))
        schema().validate(data)
        assert judge(data["kind"], data) == "restored"
