"""JUnit XML and SARIF: what stands in them, and that they are what their standards want."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree import ElementTree as ET

import msgspec
import pytest

from vm_allocator.checker.baseline import Baseline, Entry
from vm_allocator.checker.campaign import Coverage, Report
from vm_allocator.checker.judge import Property
from vm_allocator.checker.junit import junit, looked_at
from vm_allocator.checker.sarif import FINGERPRINT, sarif

from .reports import HOSTILE, hostile_report, large_report, plain_report, right_report


@pytest.fixture(scope="module")
def report() -> Report:
    return plain_report()


def _accepting(report: Report) -> Baseline:
    return Baseline((Entry(report.findings[0].fingerprint, "known since 1.2"),))


# ---- JUnit


def _cases(report: Report, path: Path, baseline: Baseline | None = None) -> list[ET.Element]:
    junit(report, baseline).write(str(path))
    suites = ET.parse(path).getroot()  # noqa: S314  # our own file
    assert suites.tag == "testsuites"
    (suite,) = suites
    cases = list(suite)
    assert int(suite.attrib["tests"]) == len(cases)
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == sum(case.find(kind) is not None for case in cases)
    return cases


def test_a_finding_is_a_failed_case_and_the_other_properties_pass(
    report: Report, tmp_path: Path
) -> None:
    cases = _cases(report, tmp_path / "junit.xml")
    failed = [case for case in cases if case.find("failure") is not None]
    passed = [case for case in cases if not len(case)]
    assert len(failed) + len(passed) == len(cases)
    assert [case.attrib["name"] for case in failed] == [
        f"{one.broken.value}: {one.title} [{one.fingerprint}]" for one in report.findings
    ]
    names = {case.attrib["name"].partition(":")[0] for case in passed}
    assert "completeness" in names
    assert "no overlap" not in names
    failure = failed[-1].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == (
        "allocate(0, 1) must be refused (overlap); the target's answer: granted 0"
    )
    assert failure.text is not None
    assert "  allocate(0, 1)  ->  granted 0   must be: refused (overlap)" in failure.text


def test_an_accepted_finding_is_a_skipped_case(report: Report, tmp_path: Path) -> None:
    cases = _cases(report, tmp_path / "junit.xml", _accepting(report))
    skipped = cases[0].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "accepted: known since 1.2"
    assert sum(case.find("failure") is not None for case in cases) == len(report.findings) - 1


def test_a_right_allocator_passes_every_case(tmp_path: Path) -> None:
    report = right_report()
    cases = _cases(report, tmp_path / "junit.xml")
    assert not [case for case in cases if len(case)]
    assert len(cases) == len(looked_at(report)) > 8


def test_only_what_was_looked_at_passes(report: Report) -> None:
    looked = looked_at(report)
    assert Property.CONSERVATION not in looked  # it does not list what is live
    assert Property.ALIGNMENT not in looked  # it takes no alignment
    assert Property.REASON not in looked
    assert {Property.COMPLETENESS, Property.EXACT_FREE, Property.ATOMICITY} <= set(looked)
    assert looked_at(replace(report, coverage=Coverage())) == []


def test_nothing_checked_is_an_error_and_no_success(report: Report, tmp_path: Path) -> None:
    nothing = replace(report, findings=(), coverage=Coverage())
    (case,) = _cases(nothing, tmp_path / "junit.xml")
    assert case.find("error") is not None


def test_groups_that_are_not_listed_fail_too(report: Report, tmp_path: Path) -> None:
    cases = _cases(replace(report, more_groups=7), tmp_path / "junit.xml")
    failure = cases[-1].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "7 more groups were counted"


def test_hostile_text_stays_text_in_xml(tmp_path: Path) -> None:
    report = hostile_report()
    cases = _cases(report, tmp_path / "junit.xml")
    failures = [case for case in cases if case.find("failure") is not None]
    assert len(failures) == len(report.findings) > 0
    assert failures[0].attrib["classname"].startswith("</script><script>alert(1)")
    long = replace(report.findings[0], notes=("\x00" * 100_000,), key=("x" * 9999,) * 4)
    _cases(replace(report, findings=(long,)), tmp_path / "junit.xml")
    assert (tmp_path / "junit.xml").stat().st_size < 10_000


# ---- SARIF, as section 3 of the standard has it: no field that it does not know


class _Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An object of the standard, with the fields that are written and no others."""


Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Message(_Strict):
    text: Text


class _Configuration(_Strict):
    level: Literal["none", "note", "warning", "error"]


class _Rule(_Strict):
    id: Annotated[str, msgspec.Meta(pattern="^[a-z-]+$")]
    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z]+$")]
    short_description: _Message
    default_configuration: _Configuration


class _Driver(_Strict):
    name: Text
    semantic_version: Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+\.\d+")]
    rules: list[_Rule]


class _Tool(_Strict):
    driver: _Driver


class _Invocation(_Strict):
    execution_successful: bool


class _Logical(_Strict):
    name: Text
    kind: Literal["module"]


class _Location(_Strict):
    logical_locations: Annotated[list[_Logical], msgspec.Meta(min_length=1)]


class _Told(_Strict):
    message: _Message


class _FlowLocation(_Strict):
    location: _Told
    state: dict[str, _Message]
    importance: Literal["important", "essential", "unimportant"]
    execution_order: Annotated[int, msgspec.Meta(ge=-1)]


class _ThreadFlow(_Strict):
    locations: Annotated[list[_FlowLocation], msgspec.Meta(min_length=1)]


class _CodeFlow(_Strict):
    message: _Message
    thread_flows: Annotated[list[_ThreadFlow], msgspec.Meta(min_length=1)]


class _Suppression(_Strict):
    kind: Literal["inSource", "external"]
    status: Literal["accepted", "underReview", "rejected"]
    justification: Text


class _Result(_Strict):
    rule_id: Text
    rule_index: Annotated[int, msgspec.Meta(ge=0)]
    kind: Literal["fail"]
    level: Literal["error"]
    message: _Message
    locations: list[_Location]
    fingerprints: dict[str, Text]
    occurrence_count: Annotated[int, msgspec.Meta(ge=1)]
    properties: dict[str, Any]
    code_flows: list[_CodeFlow] | msgspec.UnsetType = msgspec.UNSET
    suppressions: list[_Suppression] | msgspec.UnsetType = msgspec.UNSET


class _Run(_Strict):
    tool: _Tool
    invocations: list[_Invocation]
    results: list[_Result]
    properties: dict[str, Any]


class _Log(_Strict):
    schema: Annotated[Text, msgspec.Meta(pattern="sarif-schema-2.1.0.json$")] = msgspec.field(
        name="$schema"
    )
    version: Literal["2.1.0"]
    runs: Annotated[list[_Run], msgspec.Meta(min_length=1, max_length=1)]


def _run(report: Report, baseline: Baseline | None = None) -> _Run:
    """Write the log, read it back as the standard has it, and check what refers to what."""
    written = json.dumps(sarif(report, baseline))
    run = msgspec.json.decode(written, type=_Log).runs[0]
    rules = run.tool.driver.rules
    assert len({rule.id for rule in rules}) == len(rules)
    for result in run.results:
        assert rules[result.rule_index].id == result.rule_id
        for flow in result.code_flows or ():
            orders = [one.execution_order for one in flow.thread_flows[0].locations]
            assert all(later == before + 1 for before, later in pairwise(orders))
    fingerprints = [result.fingerprints[FINGERPRINT] for result in run.results]
    assert len(set(fingerprints)) == len(fingerprints)
    return run


def test_rules_are_properties_and_results_are_findings(report: Report) -> None:
    run = _run(report)
    assert [rule.short_description.text for rule in run.tool.driver.rules] == [
        one.sentence for one in Property
    ]
    found = [(one.rule_id, one.fingerprints[FINGERPRINT]) for one in run.results]
    assert found == [
        (one.broken.value.replace(" ", "-"), one.fingerprint) for one in report.findings
    ]
    assert [one.occurrence_count for one in run.results] == [
        one.occurrences for one in report.findings
    ]
    assert run.invocations[0].execution_successful


def test_the_trace_of_a_result_is_its_code_flow(report: Report) -> None:
    (result,) = [one for one in _run(report).results if one.rule_id == "no-overlap"]
    assert result.message.text.startswith("allocate(0, 1) must be refused (overlap); ")
    assert result.code_flows is not msgspec.UNSET
    first, last = result.code_flows[0].thread_flows[0].locations
    assert first.location.message.text == "1. allocate(FirstMatch, 1): granted 0"
    assert first.state["live before"].text == "nothing"
    assert last.location.message.text == ("2. allocate(0, 1): granted 0; must be refused (overlap)")
    assert (first.importance, last.importance) == ("important", "essential")
    assert last.state["live before"].text == "0"


def test_an_accepted_finding_is_suppressed(report: Report) -> None:
    first, *others = _run(report, _accepting(report)).results
    assert first.suppressions is not msgspec.UNSET
    assert first.suppressions[0].justification == "known since 1.2"
    assert all(one.suppressions is msgspec.UNSET for one in others)


def test_no_place_of_this_machine_is_in_it(report: Report) -> None:
    written = json.dumps(sarif(report))
    assert str(Path.cwd()) not in written
    assert str(Path.home()) not in written
    assert "file:" not in written
    assert "physicalLocation" not in written


def test_hostile_text_is_neither_a_link_nor_a_placeholder(report: Report) -> None:
    one = report.findings[0]
    said = f"[click](http://example.org) {{0}} {HOSTILE}"
    violation = replace(one.violation, words=said)
    run = _run(replace(report, findings=(replace(one, violation=violation),)))
    text = run.results[0].message.text
    assert text.startswith("\\[click\\](http://example.org) {{0}} ")
    assert "\u202e" not in text
    assert _run(hostile_report()).results


def test_a_large_report_stays_of_bounded_size() -> None:
    report = large_report(60, 300)
    assert len(json.dumps(sarif(report))) < 8_000_000
    flows = _run(report).results[0].code_flows
    assert flows is not msgspec.UNSET
    assert len(flows[0].thread_flows[0].locations) == 200
    assert flows[0].message.text.endswith("the first 100 are left out")


def test_a_check_of_nothing_was_no_success(report: Report) -> None:
    nothing = replace(report, findings=(), coverage=Coverage())
    run = _run(nothing)
    assert run.results == []
    assert not run.invocations[0].execution_successful
