"""The locked dependencies: complete, hashed, and what the package's own metadata allows."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT


def lock_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text()


def pins(lock: str) -> dict[str, Requirement]:
    found = map(Requirement, re.findall(r"^(\w[^\\\n]*?) *\\$", lock, re.MULTILINE))
    return {canonicalize_name(pin.name): pin for pin in found}


PINS = pins(lock_of("dev"))


def wanted() -> list[Requirement]:
    """Return what pyproject.toml and dev.in name, the package itself apart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *(ROOT / "requirements" / "dev.in").read_text().split(),
    ]
    return [one for one in map(Requirement, lines) if one.name != project["project"]["name"]]


def test_the_lock_pins_every_dependency_at_a_version_that_is_allowed() -> None:
    for requirement in wanted():
        pin = PINS[canonicalize_name(requirement.name)]
        (version,) = (one.version for one in pin.specifier)
        assert version in requirement.specifier, requirement


@pytest.mark.parametrize("name", ["dev", "mutation"])
def test_a_lock_pins_one_version_of_each_with_its_hashes(name: str) -> None:
    lock = lock_of(name)
    entries = re.split(r"\n(?=\w)", lock.strip())
    assert len(entries) == len(pins(lock))
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.!+]+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ["dev", "mutation"])
def test_a_lock_names_no_index(name: str) -> None:
    assert "://" not in lock_of(name)
    assert "--index" not in lock_of(name)


def test_what_mutates_the_core_is_locked() -> None:
    wanted_there = (ROOT / "requirements" / "mutation.in").read_text().split()
    found = pins(lock_of("mutation"))
    assert {canonicalize_name(Requirement(line).name) for line in wanted_there} <= set(found)
