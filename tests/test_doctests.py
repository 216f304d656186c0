"""Every example in a docstring of the package runs, as it stands there."""

import doctest
import importlib
import pkgutil

import pytest

import spec
import vm_allocator


def _modules() -> list[str]:
    # What prints or needs a terminal has tests of its own; `__main__` would start it.
    return [
        module.name
        for package in (vm_allocator, spec)
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        if not module.name.endswith("__main__")
    ]


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of_a_module_are_true(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", ["address", "ids", "ranges"])
def test_the_modules_that_people_read_first_have_examples(name: str) -> None:
    module = importlib.import_module(f"vm_allocator.{name}")
    assert doctest.testmod(module).attempted > 0
