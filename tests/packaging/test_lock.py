"""The locked dependencies: complete, hashed, and what the package's own metadata allows."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT

LOCK = (ROOT / "requirements" / "dev.lock").read_text()
PINS = {
    canonicalize_name(pin.name): pin
    for pin in map(Requirement, re.findall(r"^(\w[^\\\n]*?) *\\$", LOCK, re.MULTILINE))
}


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


def test_the_lock_pins_one_version_of_each_with_its_hashes() -> None:
    entries = re.split(r"\n(?=\w)", LOCK.strip())
    assert len(entries) == len(PINS)
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.!+]+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_lock_names_no_index() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
