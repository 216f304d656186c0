"""What is in the wheel and in the source distribution, and what they ask for."""

from __future__ import annotations

from email.parser import Parser
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from vm_allocator import __version__

from .conftest import ROOT

if TYPE_CHECKING:
    from email.message import Message

    from .conftest import Distribution


@pytest.fixture(scope="session")
def metadata(distribution: Distribution) -> Message:
    return Parser().parsestr(distribution.wheel_text(".dist-info/METADATA"))


def required(metadata: Message, extra: str = "") -> set[str]:
    """Return the names that are required with an extra; without one, what always is."""
    every = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    always = {one.name for one in every if one.marker is None}
    if not extra:
        return always
    chosen = {one.name for one in every if one.marker and one.marker.evaluate({"extra": extra})}
    return chosen - always


def test_the_wheel_holds_each_module_of_the_tree_once(distribution: Distribution) -> None:
    in_tree = sorted(
        str(path.relative_to(folder))
        for folder, package in ((ROOT / "src", "vm_allocator"), (ROOT, "spec"))
        for path in (folder / package).rglob("*.py")
    )
    in_wheel = sorted(name for name in distribution.wheel_names() if name.endswith(".py"))
    assert in_tree == in_wheel


def test_the_wheel_holds_the_page_of_the_reports(distribution: Distribution) -> None:
    page = "vm_allocator/checker/page.html"
    assert distribution.wheel_names().count(page) == 1
    assert distribution.wheel_text(page) == (ROOT / "src" / page).read_text(encoding="utf-8")


def test_the_wheel_holds_two_packages_and_its_metadata(distribution: Distribution) -> None:
    tops = {name.partition("/")[0] for name in distribution.wheel_names()}
    assert tops == {"vm_allocator", "spec", f"vm_allocator-{__version__}.dist-info"}


@pytest.mark.parametrize("package", ["vm_allocator", "spec"])
def test_the_wheel_says_that_its_packages_are_typed(
    distribution: Distribution, package: str
) -> None:
    assert distribution.wheel_names().count(f"{package}/py.typed") == 1


def test_the_wheel_carries_the_licence(distribution: Distribution, metadata: Message) -> None:
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License-File"] == "LICENSE-BSD-3-Clause"
    text = (ROOT / "LICENSE-BSD-3-Clause").read_text()
    assert distribution.wheel_text(".dist-info/licenses/LICENSE-BSD-3-Clause") == text


def test_the_wheel_installs_the_command(distribution: Distribution) -> None:
    scripts = distribution.wheel_text(".dist-info/entry_points.txt").split()
    assert scripts[:4] == ["[console_scripts]", "vm-allocator", "=", "vm_allocator.cli:main"]
    plugin = ["[pytest11]", "vm_allocator", "=", "vm_allocator.checker.pytest_plugin"]
    assert scripts[4:] == plugin


def test_the_core_requires_sortedcontainers_alone(metadata: Message) -> None:
    assert required(metadata) == {"sortedcontainers"}


def test_the_heavy_dependencies_are_extras(metadata: Message) -> None:
    assert metadata.get_all("Provides-Extra") == ["all", "cli", "proofs", "testing"]
    assert required(metadata, "proofs") == {"z3-solver", "cvc5", "bitwuzla"}
    assert required(metadata, "testing") == {"hypothesis"}
    assert {"typer", "rich"} <= required(metadata, "cli")


def test_the_extra_all_is_every_extra(metadata: Message) -> None:
    each = (required(metadata, extra) for extra in ("cli", "proofs", "testing"))
    assert required(metadata, "all") == set().union(*each)


def test_the_source_distribution_is_enough_to_build_and_to_work_on(
    distribution: Distribution,
) -> None:
    names = distribution.sdist_names()
    assert len(names) == len(set(names))
    wanted = {
        "pyproject.toml",
        "README.md",
        "LICENSE-BSD-3-Clause",
        "CHANGELOG.md",
        "Makefile",
        "requirements/dev.lock",
        "spec/model.py",
        "src/vm_allocator/py.typed",
        "tests/packaging/test_distribution.py",
    }
    assert wanted <= set(names)


def test_the_source_distribution_holds_nothing_that_was_made(distribution: Distribution) -> None:
    folders = {part for name in distribution.sdist_names() for part in name.split("/")[:-1]}
    assert not folders & {".venv", "__pycache__", "dist", "build", ".git", ".mypy_cache"}
