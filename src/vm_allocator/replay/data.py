"""A replay as JSON and as JUnit XML: stable, and numbers are numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from .outcome import BarReplay, WhenRefused
from .played import Played, Verdict, verdict_of_all
from .vectors import FIRST_GSI, LAST_GSI, VectorReplay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .account import BarRange
    from .outcome import ClaimAccount, Refusal, Wait

Json: TypeAlias = dict[str, Any]

FORMAT: Final = 1
"""Grows when a field changes its meaning or goes; new fields may come without."""

MOST_REFUSALS: Final = 1000
"""Refusals, and waits, that are listed one by one; all are counted."""


def as_json(played: Sequence[Played]) -> Json:
    """Return what was played, as plain data. Addresses and sizes are ints; times are in µs.

    `{"format": 1, "verdict": V, "traces": [...]}` with V one of `holds`, `refuted`, `unknown`.
    Each trace has `file`, `verdict` and, if it is `unknown`, `error`; otherwise `kind`,
    `records`, `operations`, `notes`, `disagreement` (null, or `line`, `difference`, `setup`,
    `calls`, `lines`) and:

    - for BARs `policy` and, about that policy, `windows` (`space`, `first`, `last`), `guest`
      (`first`, `moves`, `remaps`, `withdrawals`, `swaps`, `takeovers`, `onto_live`, `outside`,
      `outside_bars`, `peak`, `bars`, `devices`, `irregular`), `allocators` (`allocated`,
      `updated`, `freed`, `crossed`, `nothing_to_free`), `refusals` (`count`, `by_reason`,
      `listed`), `claims` (null, or `claims`, `at_once`, `later`, `withdrawn`,
      `still_waiting`, `longest` and `waits`), `misplaced` and `wrong`; a listed refusal has
      `line`, `t`, `bar`, `asked`, `held`, `reason` and `in_way`, a wait `line`, `t`, `bar`,
      `asked`, `in_way`, `end` (null,
      `granted`, `withdrawn`), `end_line` and `end_t`, a misplaced BAR `bar`, `wanted`, `held`,
      `ending` and `wrong`, a range `space`, `start` and `size`; and, by other policies, all
      that is not about the guest, in `others`;
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
    if not isinstance(one.result, BarReplay):
        return head | _gsis(one.result)
    others = [_by_policy(other) for other in one.others]
    return head | _bars(one.result) | {"must_end_right": one.must_end_right, "others": others}


def _bars(result: BarReplay) -> Json:
    guest = result.guest
    counted = (
        "first moves remaps withdrawals swaps takeovers onto_live outside peak bars devices "
        "irregular"
    )
    return {
        "windows": [window._asdict() for window in result.windows],
        "guest": {name: getattr(guest, name) for name in counted.split()}
        | {"outside_bars": [str(bar) for bar in sorted(guest.outside_bars)]},
    } | _by_policy(result)


def _by_policy(result: BarReplay) -> Json:
    done = "allocated updated freed crossed nothing_to_free"
    return {
        "policy": result.policy.value,
        "allocators": {name: getattr(result, name) for name in done.split()},
        "refusals": {
            "count": len(result.refusals),
            "by_reason": dict(sorted(result.reasons.items())),
            "listed": [_refusal(refusal) for refusal in result.refusals[:MOST_REFUSALS]],
        },
        "claims": _claims(result.claims) if result.policy is WhenRefused.CLAIM else None,
        "misplaced": [
            {
                "bar": str(one.bar),
                "wanted": _range(one.wanted),
                "held": _range(one.held),
                "ending": result.ending_of(one).name.lower(),
                "wrong": result.ending_of(one).is_wrong,
            }
            for one in result.misplaced
        ],
        "wrong": len(result.wrong),
    }


def _claims(account: ClaimAccount) -> Json:
    counted = "claims at_once later withdrawn still_waiting"
    return {name: getattr(account, name) for name in counted.split()} | {
        "longest": _microseconds(account.longest),
        "waits": [_wait(wait) for wait in account.waits[:MOST_REFUSALS]],
    }


def _wait(wait: Wait) -> Json:
    return {
        "line": wait.line,
        "t": _microseconds(wait.t),
        "bar": str(wait.bar),
        "asked": _range(wait.asked),
        "in_way": [{"bar": str(bar), "range": _range(live)} for bar, live in wait.in_way],
        "end": None if wait.end is None else wait.end.value,
        "end_line": wait.end_line,
        "end_t": _microseconds(wait.end_t),
    }


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _refusal(refusal: Refusal) -> Json:
    return {
        "line": refusal.line,
        "t": _microseconds(refusal.t),
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


def _wrong_ones(one: Played) -> list[str]:
    return [
        f"policy {result.policy.value}: {wrong.bar}: the guest put it at {wrong.wanted}, "
        f"it {result.ending_of(wrong).value}"
        for result in one.by_policy
        for wrong in result.wrong
    ]


def as_junit(played: Sequence[Played]) -> JUnitXml:
    """Return one test case per trace: passed, failed (refuted) or in error (unknown)."""
    suite = TestSuite("vm-allocator replay")
    for one in played:
        case = TestCase(str(one.file), classname="replay")
        if one.verdict is Verdict.REFUTED and one.disagreement is not None:
            finding = Failure(one.disagreement.difference, "DisagreementError")
            finding.text = "\n".join([one.disagreement.setup, *one.disagreement.calls])
            case.result = [finding]
        elif one.wrong:
            finding = Failure(f"{one.wrong} BARs end wrong", "MisplacedError")
            finding.text = "\n".join(_wrong_ones(one))
            case.result = [finding]
        elif one.verdict is Verdict.UNKNOWN:
            case.result = [Error(str(one.error), "TraceError")]
        case.system_out = "\n".join(result.account() for result in one.by_policy)
        suite.add_testcase(case)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    return xml
