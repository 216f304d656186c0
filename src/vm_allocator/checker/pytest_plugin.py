"""The pytest plugin: `pytest --vm-allocator-target=package.module:factory`.

Adds the tests of `conformance_test` for each target to the session. Without the option it does
nothing, and loading it loads nothing that checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn
from unittest import SkipTest

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conformance import Outcome
    from .judge import Property


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("vm-allocator", "hold allocators to their specification")
    group.addoption(
        "--vm-allocator-target",
        action="append",
        default=[],
        metavar="MODULE:FACTORY",
        help="add tests of what factory(base, size) makes; may be given again",
    )
    group.addoption(
        "--vm-allocator-max-calls",
        type=int,
        default=20_000,
        metavar="N",
        help="calls after which the search in a target ends (default: 20000)",
    )
    group.addoption(
        "--vm-allocator-seed", type=int, default=0, metavar="N", help="of all that is random"
    )


_OUTCOMES = pytest.StashKey[list["Outcome"]]()


def pytest_configure(config: pytest.Config) -> None:
    """Load the targets: one that cannot be loaded is a mistake in the call of pytest."""
    config.stash[_OUTCOMES] = [_outcome(config, name) for name in _targets(config)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the tests; before others, so that -k and -m choose among them too."""
    for outcome in config.stash[_OUTCOMES]:
        collector = _Target.from_parent(session, name=outcome.name, outcome=outcome)
        items.extend(collector.collect())


class _Target(pytest.Collector):
    """One target: its tests share the outcome of one campaign."""

    def __init__(self, *, outcome: Outcome, **rest: object) -> None:
        super().__init__(nodeid=f"vm-allocator::{outcome.name}", **rest)  # type: ignore[arg-type]  # pytest's own arguments, passed on
        self._outcome = outcome

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each property."""
        from .conformance import tests  # noqa: PLC0415  # only if there is a target

        for name, about in tests().items():
            yield _Conforms.from_parent(self, name=name, outcome=self._outcome, about=about)


class _Conforms(pytest.Item):
    """One property of one target."""

    def __init__(self, *, outcome: Outcome, about: Property | None, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # likewise
        self._outcome = outcome
        self._about = about

    def runtest(self) -> None:
        """Run the campaign, if that is still to be done, and see whether the property held."""
        from .conformance import decide  # noqa: PLC0415  # only if there is a target

        try:
            decide(self._outcome, self._about, _fail)
        except SkipTest as skipped:
            pytest.skip(str(skipped))

    def reportinfo(self) -> tuple[str, None, str]:
        """Say where it is: in no file."""
        return "vm-allocator", None, f"{self.name} of {self._outcome.name}"


def _targets(config: pytest.Config) -> list[str]:
    found: list[str] = config.getoption("--vm-allocator-target")
    return list(dict.fromkeys(found))


def _outcome(config: pytest.Config, name: str) -> Outcome:
    from .conformance import SECONDS, Outcome  # noqa: PLC0415  # only if there is a target

    try:
        from .local import LocalTarget, load_factory  # noqa: PLC0415  # likewise
        from .profile import TargetError  # noqa: PLC0415  # likewise
    except ModuleNotFoundError as error:
        raise pytest.UsageError(
            f"{error.name} is missing: install vm-allocator[cli,testing]"
        ) from None
    try:
        factory = load_factory(name)
        LocalTarget(factory, name, SECONDS)
    except TargetError as error:
        raise pytest.UsageError(str(error)) from None
    return Outcome(
        factory,
        name,
        max_calls=config.getoption("--vm-allocator-max-calls"),
        seed=config.getoption("--vm-allocator-seed"),
        seconds=SECONDS,
    )


def _fail(said: str) -> NoReturn:
    pytest.fail(said, pytrace=False)
