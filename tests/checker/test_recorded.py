"""ITF traces and regression tests: there and back, run, and played again."""

import ast
import json
import runpy
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from vm_allocator.checker.as_json import as_json
from vm_allocator.checker.baseline import Baseline
from vm_allocator.checker.calls import Allocate, Call, Done, Free, Pick, Space, Update
from vm_allocator.checker.campaign import Report
from vm_allocator.checker.findings import Finding
from vm_allocator.checker.itf import VARIABLES, calls_of, itf
from vm_allocator.checker.judge import Property
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.recorded import BadTraceError, Recorded
from vm_allocator.checker.regression import regression_test
from vm_allocator.checker.remote import RemoteTarget
from vm_allocator.checker.replayed import TraceFileError, read_calls, replay_finding
from vm_allocator.modelling import Range

from .reports import HOSTILE, open_hostile, open_plain, open_right, plain_report, right, trial_of

PLAIN = "tests.checker.reports:plain"
EVERY_CALL: tuple[Call, ...] = (
    Allocate(1),
    Allocate(2, pick=Pick.LAST),
    Allocate(2, pick=Pick.ANY, align=1 << 20),
    Allocate(2**63, 2**63, align=1, within=Range(0, 2**64 - 1)),
    Free(2**64 - 1, 0),
    Update(0, 1, 16, 0xABC, 16, Range(16, 0xFFFF_FFFF_FFFF)),
    Update(0, 0, 0, 0),
)


@pytest.fixture(scope="module")
def report() -> Report:
    return plain_report()


def _all_calls(report: Report) -> Finding:
    """A finding whose trace has every kind of call."""
    space = Space(0, 2**64 - 1)
    steps = trial_of(space, *EVERY_CALL, target=open_right).steps
    assert len(steps) == len(EVERY_CALL)
    return replace(
        report.findings[0], trial=replace(report.findings[0].trial, space=space, steps=steps)
    )


_CALL = '{"op": "allocate", "size": 1}'

# ---- there and back


def test_an_itf_trace_holds_the_calls_exactly(report: Report) -> None:
    finding = _all_calls(report)
    written = json.dumps(itf(finding))
    assert calls_of(json.loads(written)) == Recorded(finding.space, EVERY_CALL)


def test_an_itf_trace_is_one_of_the_format(report: Report) -> None:
    found = next(one for one in report.findings if one.broken is Property.NO_OVERLAP)
    trace = itf(found)
    assert trace["vars"] == list(VARIABLES)
    assert trace["#meta"]["finding"] == found.fingerprint
    assert [state["#meta"]["index"] for state in trace["states"]] == [0, 1, 2]
    for state in trace["states"]:
        assert set(state) == {"#meta", *VARIABLES}
    first, granted, refused = trace["states"]
    assert (first["action"], first["live"]) == ("init", {"#set": []})
    one = {"start": {"#bigint": "0"}, "end": {"#bigint": "0"}}
    assert granted["live"] == refused["live"] == {"#set": [one]}
    assert (granted["outcome"], refused["outcome"]) == ("granted 0", "refused (overlap)")
    assert (refused["action"], refused["parameters"]["start"]) == ("allocate", {"#bigint": "0"})
    assert refused["#meta"]["answer"] == "granted 0"


@pytest.mark.parametrize("target", [PLAIN, ("./adapter", "--quiet")])
def test_a_regression_test_holds_the_calls_exactly(
    report: Report, target: str | tuple[str, ...], tmp_path: Path
) -> None:
    finding = _all_calls(report)
    file = tmp_path / "test_it.py"
    file.write_text(regression_test(finding, target, report.profile), encoding="utf-8")
    assert read_calls(file) == Recorded(finding.space, EVERY_CALL)


def test_a_json_report_holds_the_calls_exactly(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    every = replace(report, findings=(*report.findings, _all_calls(report)))
    file.write_text(json.dumps(as_json(every, Baseline())))
    for finding in report.findings[1:]:
        calls = tuple(step.call for step in finding.steps)
        assert read_calls(file, finding.fingerprint[:8]) == Recorded(finding.space, calls)
    file.write_text(json.dumps(as_json(replace(report, findings=every.findings[-1:]), Baseline())))
    assert read_calls(file).calls == EVERY_CALL


# ---- a regression test is run


def _run(source: str, file: Path) -> None:
    file.write_text(source, encoding="utf-8")
    found = [one for name, one in runpy.run_path(str(file)).items() if name.startswith("test_")]
    assert len(found) == 1
    found[0]()


def test_a_regression_test_fails_with_the_bug_and_passes_without(
    report: Report, tmp_path: Path
) -> None:
    for finding in report.findings:
        source = regression_test(finding, PLAIN, report.profile)
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            _run(source, tmp_path / "test_wrong.py")
        _run(source.replace("import plain", "import right as plain"), tmp_path / "test_right.py")


def test_a_regression_test_of_an_adapter_fails_with_the_bug_and_passes_without(
    report: Report, tmp_path: Path
) -> None:
    finding = next(one for one in report.findings if one.broken is Property.NO_OVERLAP)
    command = [sys.executable, "-m", "vm_allocator.checker.serve", PLAIN]
    source = regression_test(finding, command, report.profile)
    with pytest.raises(AssertionError):
        _run(source, tmp_path / "test_wrong.py")
    _run(source.replace("reports:plain", "reports:right"), tmp_path / "test_right.py")


def test_a_regression_test_reads_well(report: Report) -> None:
    finding = next(one for one in report.findings if one.broken is Property.NO_OVERLAP)
    assert (
        regression_test(finding, PLAIN, report.profile)
        == f"""\
# no overlap: no two live ranges share an address.
# When this was written: allocate(0, 1) must be refused (overlap); the target's
# answer: granted 0.
# Finding {finding.fingerprint} of `vm-allocator check`.

import pytest

from tests.checker.reports import plain
from vm_allocator import AllocatorError

REFUSALS = (AllocatorError, *getattr(plain, "refusals", ()))


def test_no_overlap_{finding.fingerprint}() -> None:
    allocator = plain(0, 1)
    granted = allocator.allocate(None, 1)
    assert granted == 0
    with pytest.raises(REFUSALS):  # overlap
        allocator.allocate(0, 1)


# What `vm-allocator replay` reads.
SPACE = (0, 0)
CALLS = [
    {{"op": "allocate", "size": 1, "policy": "first"}},
    {{"op": "allocate", "size": 1, "start": 0}},
]
"""
    )


def test_the_places_that_a_target_chose_are_kept() -> None:
    def last(base: int, size: int) -> object:
        return right(base, size)

    last.profile = {"policies": ["any", "exact"]}  # type: ignore[attr-defined]  # how a factory declares
    target = partial(LocalTarget, last, "last")
    trial = trial_of(Space(0, 15), Allocate(4, 8), Allocate(4, pick=Pick.ANY), target=target)
    finding = replace(plain_report().findings[0], trial=trial)
    source = regression_test(finding, "tests.checker.reports:right", target().profile)
    assert "# Any start that fits is right" in source
    assert "assert granted == 0\n" in source
    assert "policy=" not in source


@pytest.mark.parametrize("target", [PLAIN, ("./adapter", HOSTILE, 'say "hello"', "it's")])
@pytest.mark.parametrize("every", [True, False])
def test_a_regression_test_is_formatted(
    report: Report, target: str | tuple[str, ...], *, every: bool
) -> None:
    finding = _all_calls(report) if every else report.findings[0]
    violation = replace(finding.violation, words=f"{HOSTILE} " * 40)
    source = regression_test(replace(finding, violation=violation), target, report.profile)
    ast.parse(source)
    formatted = subprocess.run(  # the formatter of this environment
        [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--isolated",
            "--stdin-filename",
            "test_it.py",
            "-",
        ],
        input=source,
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    assert source == formatted


def test_a_keyword_is_no_factory(report: Report) -> None:
    source = regression_test(report.findings[0], "import:class", report.profile)
    assert 'COMMAND = ["import:class"]' in source


# ---- played again


def test_a_finding_is_there_again_and_gone_from_a_target_without_it(
    report: Report, tmp_path: Path
) -> None:
    for finding in report.findings:
        file = tmp_path / "found.itf.json"
        file.write_text(json.dumps(itf(finding)))
        again = replay_finding(file, open_plain)
        assert again.first(finding.violation.key) == len(finding.steps)
        assert not replay_finding(file, open_right).violations


def test_a_finding_is_there_again_behind_an_adapter(report: Report, tmp_path: Path) -> None:
    finding = report.findings[0]
    file = tmp_path / "test_it.py"
    file.write_text(regression_test(finding, PLAIN, report.profile))
    command = [sys.executable, "-m", "vm_allocator.checker.serve", PLAIN]
    trial = replay_finding(file, partial(RemoteTarget, command, 5.0))
    assert [violation.key for _, violation in trial.violations] == [finding.violation.key]


def test_a_crash_is_there_again(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(f'SPACE = (0, 7)\nCALLS = [{_CALL}, {{"op": "free", "start": 0, "size": 1}}]')
    trial = replay_finding(file, open_hostile)
    assert trial.steps[0].answer.reply == Done(0)
    assert [violation.broken for _, violation in trial.violations] == [Property.NO_CRASH]


# ---- files that are wrong


def _one_call(more: str) -> bytes:
    return f"SPACE = (0, 1)\nCALLS = [{{'op': 'allocate', 'size': 1{more}}}]".encode()


WRONG = {
    "empty": b"",
    "binary": b"\xff\x00\xfe",
    "no JSON": b"{",
    "another JSON": b"{}",
    "a list": b"[1]",
    "findings that are none": b'{"findings": 3}',
    "no findings": b'{"findings": []}',
    "a finding without a trace": b'{"findings": [{}]}',
    "a part of a trace": b'{"findings": [{"space": [0, 1], "steps": [], "calls": 300}]}',
    "a space of three": b'{"findings": [{"space": [0, 1, 2], "steps": []}]}',
    "no states": b'{"states": []}',
    "states that are none": b'{"states": 7}',
    "a state without a space": b'{"states": [{}]}',
    "a number that is none": b'{"states": [{"base": {"#bigint": "x"}, "last": {"#bigint": "1"}}]}',
    "a number without end": b'{"states": [{"base": {"#bigint": "%s"}}]}' % (b"9" * 9999),
    "a space upside down": b'{"states": [{"base": {"#bigint": "2"}, "last": {"#bigint": "1"}}]}',
    "nested JSON": b'{"a":' * 100_000,
    "nested Python": b"SPACE = " + b"(" * 50_000 + b")" * 50_000,
    "a program": b"import os\nos.abort()\n",
    "a program in a literal": b"SPACE = (0, 1)\nCALLS = [__import__('os').abort()]",
    "calls that are none": b"SPACE = (0, 1)\nCALLS = 5",
    "a call that is none": b"SPACE = (0, 1)\nCALLS = [1]",
    "an unknown operation": b"SPACE = (0, 1)\nCALLS = [{'op': 'format', 'size': 1}]",
    "a call without a size": b"SPACE = (0, 1)\nCALLS = [{'op': 'allocate'}]",
    "a window of three": _one_call(", 'within': [1, 2, 3]"),
    "a policy of its own": _one_call(", 'policy': 'best'"),
    "a field with a line end": b"SPACE = (0, 1)\nCALLS = [{'op': 'a\\nb\\x1b[31m', 'size': 1}]",
    "a space beyond 64 bits": b"SPACE = (0, 2**64)\nCALLS = []",
    "a large space": b"SPACE = (0, 18446744073709551616)\nCALLS = []",
    "a negative size": f"SPACE = (0, 1)\nCALLS = [{_CALL.replace('1', '-1')}]".encode(),
    "a policy that it lacks": _one_call(", 'policy': 'any'"),
    "keys that are no names": b"SPACE = (0, 1)\nCALLS = [{1: 2, None: 3}]",
    "a set as a key": b"SPACE = (0, 1)\nCALLS = [{{}: 2}]",
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_told_in_a_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    file.write_bytes(content)
    with pytest.raises(TraceFileError) as caught:
        replay_finding(file, open_right)
    said = str(caught.value)
    assert said.startswith(f"{file}: ")
    assert said.isprintable()
    assert len(said) < 500 + len(str(file))


def test_a_file_that_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match="no such file"):
        read_calls(tmp_path / "nothing")
    with pytest.raises(TraceFileError, match="no regular file"):
        read_calls(tmp_path)
    with pytest.raises(TraceFileError):
        read_calls(Path("a\0b"))


def test_a_finding_that_the_report_does_not_hold_is_told(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(as_json(report, Baseline())))
    with pytest.raises(TraceFileError, match="no finding 'xyz'"):
        read_calls(file, "xyz")


def test_a_call_that_the_handshake_excludes_is_told(tmp_path: Path) -> None:
    def silent(base: int, size: int) -> object:
        return right(base, size)

    silent.profile = {"free_reports": False}  # type: ignore[attr-defined]  # how a factory declares
    file = tmp_path / "test_it.py"
    file.write_text('SPACE = (0, 7)\nCALLS = [{"op": "free", "start": 0, "size": 1}]')
    with pytest.raises(TraceFileError, match=r"call 1, .* is excluded by the target's handshake"):
        replay_finding(file, partial(LocalTarget, silent))


@pytest.mark.parametrize("trace", [None, 3, [], {}, {"states": {}}, {"states": "ab"}])
def test_whatever_is_no_trace_is_refused(trace: object) -> None:
    with pytest.raises(BadTraceError):
        calls_of(trace)
