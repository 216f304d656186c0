"""Rows as JSON and as JUnit XML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from vm_allocator.proving.verdict import Opinion, Verdict
from vm_allocator.verify import Row, Section, Summary, Task, files

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.fixtures import SubRequest

ROWS = (
    Row(
        Section.THEOREM,
        "it_holds",
        'it <is> "so" & so',
        Verdict.PROVED,
        Opinion.CONFIRMED,
        "cvc5 1.4.2",
        1.23456,
        "3 paths",
    ),
    Row(
        Section.THEOREM,
        "it_fails",
        "it is so",
        Verdict.REFUTED,
        Opinion.NOT_ASKED,
        "cvc5 1.4.2",
        0.5,
        "3 paths",
        ("live = {0x0-0x1}", "size = <1> & \u2264 2"),
        "a claim fails (obligation 2) ]]>",
    ),
    Row(
        Section.LEMMA,
        "nobody_knows",
        "it is so",
        Verdict.UNKNOWN,
        Opinion.NOT_ASKED,
        "bitwuzla 0.9.1",
        0.25,
        "72-bit",
        (),
        "z3 answers unknown",
    ),
    Row(
        Section.THEOREM,
        "others_disagree",
        "it is so",
        Verdict.PROVED,
        Opinion.CONTRADICTED,
        "cvc5 1.4.2",
        0.25,
        "1 path",
        (),
        "cvc5 1.4.2: contradicted",
    ),
    Row(
        Section.MUTATION,
        "free leaves the range live",
        "a -> b",
        Verdict.PROVED,
        Opinion.NOT_ASKED,
        "",
        0.75,
        "survives 46 theorems",
        (),
        "no theorem notices",
    ),
)


@pytest.fixture(params=range(len(ROWS) + 1), ids=lambda count: f"{count} rows")
def summary(request: SubRequest) -> Summary:
    return Summary(ROWS[: request.param], 12.3456, 7)


def test_json_can_be_parsed_and_has_the_keys_that_it_promises(summary: Summary) -> None:
    data: dict[str, Any] = json.loads(files.as_json(summary))
    assert list(data) == ["holds", "exit_code", "seconds", "seed", "rows", "not_looked_at"]
    assert (data["holds"], data["exit_code"]) == (summary.holds, summary.exit_code)
    assert (data["seconds"], data["seed"]) == (12.346, 7)
    assert [row["name"] for row in data["rows"]] == [row.name for row in summary.rows]
    for found, row in zip(data["rows"], summary.rows, strict=True):
        assert list(found) == [
            "section",
            "name",
            "claim",
            "verdict",
            "answer",
            "second_solver",
            "second_opinion",
            "holds",
            "seconds",
            "measure",
            "evidence",
            "reason",
        ]
        assert (found["section"], found["verdict"]) == (row.section.name.lower(), row.verdict.value)
        assert (found["holds"], found["evidence"]) == (row.holds, list(row.evidence))


def test_the_documentation_of_the_json_names_every_key() -> None:
    documented = files.as_json.__doc__ or ""
    data = json.loads(files.as_json(Summary(ROWS, 1.0, 0)))
    for key in (*data, *data["rows"][0]):
        assert f"`{key}`" in documented


def test_junit_tells_failures_from_errors(tmp_path: Path) -> None:
    path = tmp_path / "verify.xml"
    files.write_junit(Summary(ROWS, 1.0, 0), path)
    root = ET.parse(path).getroot()  # noqa: S314  # our own file
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert list(cases) == [
        "nobody_knows",
        "it_holds",
        "it_fails",
        "others_disagree",
        "free leaves the range live",
    ]
    told = {name: [child.tag for child in case] for name, case in cases.items()}
    assert told == {
        "nobody_knows": ["error"],
        "it_holds": [],
        "it_fails": ["failure"],
        "others_disagree": ["failure"],
        "free leaves the range live": ["failure"],
    }
    failure = cases["it_fails"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "a claim fails (obligation 2) ]]>"
    assert failure.text == "live = {0x0-0x1}\nsize = <1> & \u2264 2"
    assert cases["it_fails"].attrib["time"] == "0.5"
    assert (root.attrib["failures"], root.attrib["errors"], root.attrib["tests"]) == ("3", "1", "5")
    assert [suite.attrib["name"] for suite in root.iter("testsuite")] == [
        Section.LEMMA.value,
        Section.THEOREM.value,
        Section.MUTATION.value,
    ]


def test_what_was_not_looked_at_is_listed_and_skipped_and_not_counted_as_held(
    tmp_path: Path,
) -> None:
    left = (Task(Section.MUTATION, "left"), Task(Section.MACHINE, "alone in its section"))
    cut_short = Summary(ROWS[1:2], 1.0, 0, left)
    assert json.loads(files.as_json(cut_short))["not_looked_at"] == [
        {"section": "mutation", "name": "left"},
        {"section": "machine", "name": "alone in its section"},
    ]
    path = tmp_path / "verify.xml"
    files.write_junit(cut_short, path)
    root = ET.parse(path).getroot()  # noqa: S314  # our own file
    told = {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}
    assert told == {"it_fails": ["failure"], "left": ["skipped"], left[1].name: ["skipped"]}
    assert (root.attrib["tests"], root.attrib["skipped"]) == ("3", "2")


def test_junit_of_nothing_is_well_formed(tmp_path: Path) -> None:
    path = tmp_path / "verify.xml"
    files.write_junit(Summary([], 1.0, 0), path)
    assert ET.parse(path).getroot().attrib["tests"] == "0"  # noqa: S314  # our own file


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Is a directory"):
        files.write_junit(Summary(ROWS, 1.0, 0), tmp_path)
