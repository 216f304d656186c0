"""Which tests run by default: all of the quick ones, and a fixed part of each slow group.

All together take more than half an hour on two cores. What is left out is chosen by the name of the
test, so that it is the same everywhere; `--every-test` (`make test-full`) runs everything.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

ONE_IN: Final = {
    "checker": 3,
    "explore": 4,
    "faults": 8,
    "gallery": 4,
    "gap_tree": 3,
    "id_bitmap": 4,
    "machines": 3,
    "proofs": 6,
    "refutation": 4,
    "seeded_bugs": 6,
    "snapshots": 3,
    "threads": 3,
    "verify": 3,
}
"""Of the tests in these directories, one in so many runs by default."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that leaves nothing out."""
    parser.addoption("--every-test", action="store_true", help="run all of the slow tests, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests of the slow groups out, unless they are asked for by name."""
    asked = [Path(str(argument).partition("::")[0]) for argument in config.args]
    by_name = any("::" in str(argument) for argument in config.args) or config.option.keyword
    if config.getoption("--every-test") or by_name or any(one.suffix == ".py" for one in asked):
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if _runs(item) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def _runs(item: pytest.Item) -> bool:
    one_in = ONE_IN.get(item.path.parent.name, 1)
    return zlib.crc32(item.nodeid.encode()) % one_in == 0
