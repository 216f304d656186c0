"""`conformance_test`: a test class for anybody's allocator, for pytest and for unittest."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import unittest
from typing import Any, Final

import pytest

from vm_allocator import AddressAllocator
from vm_allocator.checker import conformance_test
from vm_allocator.checker.judge import Property

from . import troubled

TestOurs: Final = conformance_test(AddressAllocator, max_calls=2_000)


class RefusesEverySpace(troubled.Correct):
    """Makes the allocator that is looked at first, and no other one."""

    refusals = (LookupError,)

    def __init__(self, base: int, size: int) -> None:
        super().__init__(base, size)
        if (base, size) != (0x1000, 0x1000):
            raise LookupError


def run(test_class: type[unittest.TestCase]) -> unittest.TestResult:
    loaded = unittest.defaultTestLoader.loadTestsFromTestCase(test_class)
    return unittest.TextTestRunner(io.StringIO(), verbosity=0).run(loaded)


def failed(result: unittest.TestResult) -> dict[str, str]:
    """Return the tests that failed, each with what it says."""
    assert result.errors == []
    return {test.id().rpartition(".")[2]: said for test, said in result.failures}


def test_there_is_a_test_for_each_property() -> None:
    names = unittest.defaultTestLoader.getTestCaseNames(TestOurs)
    of_properties = {one.name_of_test for one in Property}
    assert set(names) == of_properties | {"test_it_can_be_checked"}


def test_the_property_that_is_broken_fails_and_shows_the_smallest_trace() -> None:
    result = run(conformance_test(troubled.Leaves, max_calls=500))
    assert failed(result) == {
        "test_no_crash": "AssertionError: Leaves breaks 'no crash': "
        "every operation ends, granted or refused.\n\n"
        "on a fresh allocator of 0:\n"
        "  allocate(FirstMatch, 2)  crash: SystemExit in trouble   must be refused (no-space)\n"
    }
    assert result.skipped == []


def test_a_hang_fails_in_a_short_time() -> None:
    result = run(conformance_test(troubled.Hangs, seconds=0.05))
    assert list(failed(result)) == ["test_no_hang"]


def test_what_is_wrong_everywhere_is_told_in_few_lines() -> None:
    (said,) = failed(run(conformance_test(troubled.WrongInManyWays, max_calls=500))).values()
    assert len(said.splitlines()) < 30
    assert re.search(r"and \d+ more ways to break it", said)


@pytest.mark.parametrize(
    ("factory", "problem"),
    [
        (troubled.LeavesAtFirst, r"it makes no allocator \(SystemExit: 0\)"),
        (object, "it makes no allocator"),
        (lambda _base, _size: object(), r"what it makes has no allocate\(\)"),
    ],
)
def test_what_cannot_be_checked_fails_once(factory: Any, problem: str) -> None:
    result = run(conformance_test(factory))
    ((name, said),) = failed(result).items()
    assert name == "test_it_can_be_checked"
    assert re.search(problem, said)
    assert len(result.skipped) == len(Property)


def test_what_takes_no_space_ends_and_fails() -> None:
    assert list(failed(run(conformance_test(RefusesEverySpace)))) == ["test_space"]


def test_the_campaign_runs_once_and_is_the_same_each_time() -> None:
    made = 0

    def factory(base: int, size: int) -> troubled.Correct:
        nonlocal made
        made += 1
        return troubled.Correct(base, size)

    counts = []
    for _ in range(2):
        made = 0
        test_class = conformance_test(factory, max_calls=500, seed=3)
        assert run(test_class).wasSuccessful()
        counts.append(made)
        assert run(test_class).wasSuccessful()
        assert made == counts[-1]
    assert counts[0] == counts[1] > 1


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys; from vm_allocator.checker import conformance_test; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "vm_allocator.checker.conformance" in loaded
    heavy = {"hypothesis", "msgspec", "rich", "typer", "z3", "spec.model", "pytest"}
    assert not loaded & heavy
