"""A replay as JSON and as JUnit XML: stable, and numbers are numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from .outcome import BarReplay
from .played import Played, Verdict, verdict_of_all
from .vectors import FIRST_GSI, LAST_GSI, VectorReplay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .account import BarRange
    from .outcome import Refusal

Json: TypeAlias = dict[str, Any]

FORMAT: Final = 1
"""Grows when a field changes its meaning or goes; new fields may come without."""

MOST_REFUSALS: Final = 1000
"""Refusals that are listed one by one; all are counted."""


def as_json(played: Sequence[Played]) -> Json:
    """Return what was played, as plain data. Addresses and sizes are ints; times are in µs.

    `{"format": 1, "verdict": V, "traces": [...]}` with V one of `holds`, `refuted`, `unknown`.
    Each trace has `file`, `verdict` and, if it is `unknown`, `error`; otherwise `kind`,
    `records`, `operations`, `notes`, `disagreement` (null, or `line`, `difference`, `setup`,
    `calls`, `lines`) and:

    - for BARs `policy`, `windows` (`space`, `first`, `last`), `guest` (`first`, `moves`,
      `remaps`, `withdrawals`, `swaps`, `takeovers`, `onto_live`, `outside`, `outside_bars`,
      `peak`, `bars`, `devices`, `irregular`), `allocators` (`allocated`, `updated`, `freed`,
      `crossed`, `nothing_to_free`), `refusals` (`count`, `by_reason`, `listed`) and
      `misplaced`; a listed refusal has `line`, `t`, `bar`, `asked`, `held`, `reason` and
      `in_way`, a range has `space`, `start` and `size`;
    - for interrupts `space` (`first`, `last`) and `vectors` (`allocated`, `freed`,
      `freed_by_reset`, `resets`, `rewritten`, `as_recorded`, `peak`, `distinct`, `live`,
      `refused`, `irregular`).
    """
    return {
        "format": FORMAT,
        "verdict": verdict_of_all(played).value,
        "traces": [_trace(one) for one in played],
    }


def _trace(one: Played) -> Json:
    head: Json = {"file": str(one.file), "verdict": one.verdict.value}
    if one.trace is None or one.result is None:
        return head | {"error": str(one.error)}
    head |= {
        "kind": one.trace.kind.value,
        "records": len(one.trace.lines),
        "operations": one.result.operations,
        "notes": list(one.notes),
        "disagreement": None if one.disagreement is None else asdict(one.disagreement),
    }
    return head | (_bars(one.result) if isinstance(one.result, BarReplay) else _gsis(one.result))


def _bars(result: BarReplay) -> Json:
    guest = result.guest
    counted = (
        "first moves remaps withdrawals swaps takeovers onto_live outside peak bars devices "
        "irregular"
    )
    done = "allocated updated freed crossed nothing_to_free"
    return {
        "policy": result.policy.value,
        "windows": [window._asdict() for window in result.windows],
        "guest": {name: getattr(guest, name) for name in counted.split()}
        | {"outside_bars": [str(bar) for bar in sorted(guest.outside_bars)]},
        "allocators": {name: getattr(result, name) for name in done.split()},
        "refusals": {
            "count": len(result.refusals),
            "by_reason": dict(sorted(result.reasons.items())),
            "listed": [_refusal(refusal) for refusal in result.refusals[:MOST_REFUSALS]],
        },
        "misplaced": [
            {"bar": str(bar), "wanted": _range(wanted), "held": _range(held)}
            for bar, wanted, held in result.misplaced
        ],
    }


def _refusal(refusal: Refusal) -> Json:
    return {
        "line": refusal.line,
        "t": round(refusal.t * 1_000_000),
        "bar": str(refusal.bar),
        "asked": _range(refusal.asked),
        "held": _range(refusal.held),
        "reason": refusal.reason,
        "in_way": [{"bar": str(bar), "range": _range(live)} for bar, live in refusal.in_way],
    }


def _range(at: BarRange | None) -> Json | None:
    return None if at is None else {"space": at.space.value, "start": at.start, "size": at.size}


def _gsis(result: VectorReplay) -> Json:
    counted = "allocated freed freed_by_reset resets rewritten as_recorded peak irregular"
    return {
        "space": {"first": int(FIRST_GSI), "last": int(LAST_GSI)},
        "vectors": {name: getattr(result, name) for name in counted.split()}
        | {
            "distinct": len(result.vectors),
            "live": len(result.held),
            "refused": sum(result.refusals.values()),
        },
    }


def as_junit(played: Sequence[Played]) -> JUnitXml:
    """Return one test case per trace: passed, failed (refuted) or in error (unknown)."""
    suite = TestSuite("vm-allocator replay")
    for one in played:
        case = TestCase(str(one.file), classname="replay")
        if one.verdict is Verdict.REFUTED and one.disagreement is not None:
            finding = Failure(one.disagreement.difference, "DisagreementError")
            finding.text = "\n".join([one.disagreement.setup, *one.disagreement.calls])
            case.result = [finding]
        elif one.verdict is Verdict.UNKNOWN:
            case.result = [Error(str(one.error), "TraceError")]
        suite.add_testcase(case)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    return xml
