"""The check as tests: a class that anyone points at their own allocator.

    from vm_allocator.checker import conformance_test
    from mypackage import MyAllocator

    TestMyAllocator = conformance_test(MyAllocator)

Light to import: what the campaign needs is imported when it runs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
from unittest import SkipTest, TestCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from .campaign import Report
    from .findings import Finding
    from .judge import Property

__unittest = True  # unittest shows no frames of a module that says so
MAX_CALLS: Final = 20_000
SECONDS: Final = 2.0
_PATIENCE: Final = 5
"""Hangs after which the search ends: each one takes `seconds`."""
_MOST_SHOWN: Final = 3
"""Findings of one property that a failure shows; the others are counted."""
_MOST_STEPS: Final = 30


def conformance_test(
    factory: Callable[..., Any],
    *,
    name: str = "",
    max_calls: int = MAX_CALLS,
    seed: int = 0,
    seconds: float = SECONDS,
) -> type[TestCase]:
    """Return a test class that holds what `factory(base, size)` makes to the specification.

    It has one test for each property, and works with pytest and with unittest. The campaign
    runs once, in this process, and ends after about `max_calls` calls: the same seed finds the
    same. `seconds` limits each operation, in the main thread of a POSIX process. A target
    that may end or hold its process is better put to `vm-allocator check`.

    Needs the extras `cli` and `testing`.
    """
    outcome = Outcome(factory, name, max_calls=max_calls, seed=seed, seconds=seconds)
    methods = {method: _test_of(outcome, about) for method, about in tests().items()}
    doc = f"{outcome.name} keeps to the specification."
    module = getattr(factory, "__module__", __name__)
    return type("ConformanceTest", (TestCase,), {"__doc__": doc, "__module__": module, **methods})


def tests() -> dict[str, Property | None]:
    """Return the names of the tests, and what each is about: `None` is the target as such."""
    from .judge import Property  # noqa: PLC0415  # only where tests are made

    found: dict[str, Property | None] = {"test_it_can_be_checked": None}
    return found | {one.name_of_test: one for one in Property}


class Outcome:
    """What a campaign finds, which runs when it is first asked."""

    def __init__(
        self, factory: Callable[..., Any], name: str, *, max_calls: int, seed: int, seconds: float
    ) -> None:
        self.name = name or getattr(factory, "__qualname__", repr(factory))
        self._factory = factory
        self._limits = max_calls, seed, seconds
        self._report: Report | None = None
        self._problem: str | None = None

    @property
    def problem(self) -> str:
        """Why nothing can be said about any property; empty if something can."""
        if self._problem is None:
            self._problem = self._run()
        return self._problem

    def broken(self, about: Property) -> str:
        """Return how a property is broken, as a person reads it; empty if it was not."""
        if self.problem or self._report is None:
            return ""
        found = [one for one in self._report.findings if one.broken is about]
        if not found:
            return ""
        parts = [f"{self.name} breaks {about.value!r}: {about.sentence}."]
        parts += [told(one) for one in found[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            parts.append(f"and {len(found) - _MOST_SHOWN} more ways to break it")
        return "\n\n".join(parts)

    def _run(self) -> str:
        try:
            from .campaign import Options, run  # noqa: PLC0415  # heavy
            from .local import LocalTarget  # noqa: PLC0415  # likewise
            from .profile import TargetError  # noqa: PLC0415  # likewise
        except ModuleNotFoundError as error:
            return f"{error.name} is missing: install vm-allocator[cli,testing]"
        max_calls, seed, seconds = self._limits
        options = Options(seed, math.inf, max_calls, patience=_PATIENCE)
        try:
            self._report = run(lambda: LocalTarget(self._factory, self.name, seconds), options)
        except TargetError as error:
            return str(error)
        if self._report.findings or self._report.holds:
            return ""
        return f"{self.name}: no call could be made: it refuses every space"


def told(found: Finding) -> str:
    """Return a finding as plain text: the space, the calls, what was wrong with the last one."""
    from .words import answered, asked  # noqa: PLC0415  # once something was found

    lines = [f"on a fresh allocator of {found.space}:"]
    steps = found.steps[-_MOST_STEPS:]
    if len(steps) < len(found.steps):
        lines.append(f"  ... {len(found.steps) - len(steps)} calls before")
    width = max((len(asked(step.call)) for step in steps), default=0)
    for step in steps:
        line = f"  {asked(step.call):<{width}}  {answered(step.call, step.answer.reply)}"
        lines.append(line + (f"   must be {step.expected}" if step is steps[-1] else ""))
    if not steps or "must be" not in lines[-1] or steps[-1].answer.live is not None:
        lines.append(f"  {found.violation.words}")
    return "\n".join([*lines, *(f"  {note}" for note in found.notes)])


def _test_of(outcome: Outcome, about: Property | None) -> Callable[[TestCase], None]:
    def test(self: TestCase) -> None:
        __tracebackhide__ = True  # pytest shows no frame that says so
        decide(outcome, about, self.fail)

    test.__doc__ = about.sentence if about is not None else "it can be checked at all"
    return test


def decide(outcome: Outcome, about: Property | None, fail: Callable[[str], Any]) -> None:
    """Pass, call `fail` with the reason, or raise SkipTest where nothing can be said."""
    __tracebackhide__ = True
    if about is None:
        if outcome.problem:
            fail(outcome.problem)
    elif outcome.problem:
        raise SkipTest("the target cannot be checked")
    elif said := outcome.broken(about):
        fail(said)
