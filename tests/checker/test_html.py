"""The page: its data, what it leaves out, and that nothing of a target gets out of its data."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from vm_allocator.checker.calls import Allocate, Free, Space, Update
from vm_allocator.checker.campaign import Coverage, Report
from vm_allocator.checker.html import MOST_BYTES, as_script_data, html_page, page_data
from vm_allocator.checker.judge import Property
from vm_allocator.checker.pictured import Limits, parameters_of, pictured, wrong_calls
from vm_allocator.checker.scale import scale_of
from vm_allocator.checker.text import cut_text
from vm_allocator.modelling import Range

from .reports import (
    HOSTILE,
    hostile_report,
    large_report,
    open_right,
    plain_report,
    right_report,
    trial_of,
)


@pytest.fixture(scope="module")
def report() -> Report:
    return plain_report()


class _Elements(HTMLParser):
    """The tags of a page, with their attributes, and what is in its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts[-1] += data


def _of(report: Report, broken: Property) -> dict[str, Any]:
    found: list[dict[str, Any]] = page_data(report)["findings"]
    return next(one for one in found if one["broken"] == broken.value)


def test_the_data_tell_what_was_found(report: Report) -> None:
    data = page_data(report)
    assert data["target"] == "plain"
    assert data["verdict"] == "3 findings"
    assert data["left_out"] == []
    assert [one["broken"] for one in data["findings"]] == ["bounds", "exact free", "no overlap"]
    assert [one["id"] for one in data["findings"]] == [f.fingerprint for f in report.findings]
    assert [name for name, _ in data["properties"]] == [one.value for one in Property]


def test_a_step_tells_its_call_what_was_expected_and_what_came(report: Report) -> None:
    first, second = _of(report, Property.NO_OVERLAP)["steps"]
    assert first["call"] == "allocate(FirstMatch, 1)"
    assert first["parameters"] == [
        ["size", "1"],
        ["policy", "FirstMatch: the lowest start that fits"],
    ]
    assert (first["expected"], first["actual"]) == ("granted 0", "granted 0")
    assert "broken" not in first
    assert (second["call"], second["kind"]) == ("allocate(0, 1)", "allocate exact")
    assert (second["expected"], second["actual"]) == ("refused (overlap)", "granted 0")
    assert second["sentence"] == "no two live ranges share an address"
    assert (
        second["words"]
        == "allocate(0, 1) must be refused (overlap); the target's answer: granted 0"
    )


def test_the_range_that_was_handed_out_twice_is_guilty(report: Report) -> None:
    found = _of(report, Property.NO_OVERLAP)
    assert found["edges"] == ["0", "1"]
    assert found["ranges"] == [[0, 1, 1, -1]]
    wrong = found["steps"][1]
    assert wrong["guilty"] == [0]
    assert wrong["marks"] == [[0, 1, "asked", True]]
    assert wrong["got"] == {"gone": [], "more": [[0, 1, True]]}
    assert wrong["wanted"] == {"gone": [], "more": []}


def test_a_range_that_reaches_out_of_the_space_is_drawn_out_there(report: Report) -> None:
    found = _of(report, Property.BOUNDS)
    assert (found["space"], found["edges"]) == ((0, 1), ["0", "1", "2"])
    wrong = found["steps"][1]
    assert wrong["got"]["more"] == [[0, 2, True]]
    assert wrong["guilty"] == []  # what was there before is no part of the error


def test_nobody_knows_what_is_live_after_a_crash() -> None:
    (found,) = page_data(hostile_report())["findings"]
    assert found["steps"][-1]["broken"] == "no crash"
    assert found["steps"][-1]["got"] is None


def test_a_report_of_nothing_and_one_without_findings_say_so(report: Report) -> None:
    assert page_data(right_report())["verdict"] == "no counterexample was found"
    nothing = replace(report, findings=(), coverage=Coverage())
    assert page_data(nothing)["verdict"] == "nothing was checked: not one call was made"


def test_a_range_lives_from_its_call_to_the_one_that_ends_it(report: Report) -> None:
    space, calls = Space(0, 63), (Allocate(8), Allocate(4), Update(0, 8, 32, 8), Free(8, 4))
    moved = trial_of(space, *calls, target=open_right)
    finding = replace(report.findings[0], trial=moved)
    data = pictured(finding, wrong_calls(finding), Limits(9, 99, 9))
    assert data["edges"] == ["0", "8", "0xc", "0x20", "0x28", "0x40"]
    assert data["ranges"] == [[0, 1, 1, 3], [1, 2, 2, 4], [3, 4, 3, -1]]
    assert data["steps"][2]["marks"] == [[0, 1, "old", False], [3, 4, "asked", False]]
    assert not any("broken" in step for step in data["steps"])


def test_a_long_trace_is_shown_from_a_later_call_on() -> None:
    one = large_report(1, 30).findings[0]
    wrong = wrong_calls(one)
    data = pictured(one, wrong, Limits(5, 100, 50))
    assert data["skipped"] == len(one.steps) - 5
    assert len(data["steps"]) == 5
    assert "broken" in data["steps"][-1]
    assert all(born == 0 for _, _, born, _ in data["ranges"][:25])
    few = pictured(one, wrong, Limits(5, 100, 3))
    assert (len(few["ranges"]), few["more_live"]) == (3, len(data["ranges"]) - 3)
    assert few["steps"][-1]["guilty"] == [0]  # what matters is kept, old as it is


def test_sixty_findings_of_two_hundred_calls_stay_under_a_megabyte() -> None:
    report = large_report(70, 200)
    page = html_page(report)
    assert len(page.encode()) < 1_000_000
    data = page_data(report)
    assert len(data["findings"]) == 60
    assert any("10 findings are not on this page" in line for line in data["left_out"])
    assert any("12 more groups" in line for line in data["left_out"])
    assert any("shown from a later call on" in line for line in data["left_out"])


def test_texts_of_any_length_and_kind_stay_under_the_limit(report: Report) -> None:
    long = "\x01\U000e0001\N{PILE OF POO}<" * 50_000
    finding = replace(report.findings[0], key=(long, long, long, long), notes=(long,) * 50)
    violation = replace(finding.violation, words=long)
    finding = replace(finding, violation=violation, found_by=long)
    many = replace(report, findings=(finding,) * 60)
    assert len(as_script_data(page_data(many)).encode()) <= MOST_BYTES


def test_nothing_of_a_target_becomes_markup() -> None:
    report = hostile_report()
    assert report.findings, "the target crashes whenever it is to free"
    page = html_page(report)
    elements = _Elements(page)
    assert [tag for tag, _ in elements.tags].count("script") == 2
    assert "alert(1)</script>" not in page
    assert "\N{LINE SEPARATOR}" not in page
    data = json.loads(elements.scripts[0])
    assert data == json.loads(as_script_data(page_data(report)))
    assert data["target"].startswith("</script><script>alert(1)")
    assert "\\u2028\\u202e\\x00\\ud800" in data["target"]


@pytest.mark.parametrize("text", [HOSTILE, "<!--", "&lt;", "\N{LINE SEPARATOR}", "$DATA", "\\"])
def test_data_in_a_script_are_read_back_as_they_were(text: str) -> None:
    written = as_script_data({"text": text})
    assert not set(written) & set("<>&\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}")
    assert json.loads(written) == {"text": text}


def test_the_page_asks_nobody_for_anything(report: Report) -> None:
    page = html_page(report)
    for tag, attributes in _Elements(page).tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "href", "style"} & set(attributes), f"<{tag} {attributes}>"
        assert not [name for name in attributes if name.startswith("on")]
    assert "http:" not in page
    assert "https:" not in page
    assert "innerHTML" not in page
    assert "$POLICY" not in page


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_allows_the_page_s_own_script_and_style_alone(report: Report, tag: str) -> None:
    page = html_page(report)
    policy = next(
        attributes["content"] or ""
        for name, attributes in _Elements(page).tags
        if name == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert len(inside) == 1
    digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_text_is_cut_and_made_printable() -> None:
    assert cut_text("short", 10) == "short"
    assert cut_text("x" * 11, 10) == "x" * 9 + "…"
    assert cut_text("a\nb\u202e\ud800", 40) == "a\\nb\\u202e\\ud800"
    assert len(cut_text("\0" * 100, 10)) == 10


def test_the_parameters_of_a_call_are_named() -> None:
    assert parameters_of(Update(0, 8, 32, 16, 4, Range(16, 63))) == [
        ("old start", "0"),
        ("old size", "8"),
        ("start", "0x20"),
        ("size", "0x10"),
        ("align", "4"),
        ("within", "0x10-0x3f"),
    ]


def test_long_intervals_are_cut_and_short_ones_stay_in_proportion() -> None:
    scale = scale_of([Range(0, 2**64 - 1), Range(2, 3), Range(16, 2**40), Range(5, 4)])
    assert scale.edges == (0, 2, 4, 16, 2**40 + 1, 2**64)
    assert scale.widths == (2, 2, 12, 12, 12)
    assert scale.cut == (False, False, False, True, True)
    assert scale.place(Range(2, 3)) == (1, 2)
    assert scale.place(Range(0, 2**64 - 1)) == (0, 5)
    assert scale.place(Range(5, 4)) is None


def test_many_intervals_are_cut_shorter() -> None:
    scale = scale_of([Range(100 * n, 100 * n + 99) for n in range(1000)])
    assert set(scale.widths) == {4}
    assert scale_of([]).widths == ()
