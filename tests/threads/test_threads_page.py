"""The page of a history: its data, and how a browser draws it."""

import json
import re
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.checker.test_browser import browser as browser  # noqa: PLC0414  # a fixture, used here too
from vm_allocator.checker.calls import Allocate, Done, Free, Space
from vm_allocator.checker.concurrent.campaign import Options, Report
from vm_allocator.checker.concurrent.history import Event, History
from vm_allocator.checker.concurrent.linearizability import explain, linearize
from vm_allocator.checker.concurrent.page import html_page, page_data
from vm_allocator.checker.concurrent.plays import Played
from vm_allocator.checker.concurrent.programs import Planned, Program
from vm_allocator.checker.concurrent.search import Broken, Found, Tally
from vm_allocator.checker.judge import Judge
from vm_allocator.checker.profile import PROTOCOL, Profile
from vm_allocator.threads import Schedule, Stop, Switch

HOSTILE = "</script><script>alert(1)</script>"
ONE = Allocate(1)


def _report(name: str = "a target") -> Report:
    profile = Profile(PROTOCOL, name, "addresses")
    history = History(
        Space(0, 1),
        (
            Event(0, ONE, 0, 1, Done(0)),
            Event(1, Free(0, 1), 2, 5, Done()),
            Event(2, ONE, 3, 7, Done(1)),
            Event(3, ONE, 4, 6, Done(1)),
        ),
    )
    judge = Judge(profile, history.space)
    illegal = explain(judge, history, linearize(judge, history))
    switch = Switch(0, 0, 3, 1)
    played = Played(
        history, None, None, (Stop(switch, 3, f"a.py:1 in {name}"),), Schedule((switch,))
    )
    program = Program(history.space, ((Planned(1, ONE),),))
    found = Found(
        program, played, Broken.LINEARIZABILITY, "allocate first", name, illegal.words, illegal
    )
    tally = Tally(programs=3, executions=5, calls=20, overlapping=9)
    return Report(profile, Options(3), tally, found, 2, 1.0, scheduled=True)


def _nothing_found() -> Report:
    report = _report()
    return Report(report.profile, report.options, report.tally, None, 2, 1.0, scheduled=True)


def test_the_data_has_a_row_for_each_thread_and_the_order_within_the_calls() -> None:
    finding = page_data(_report())["finding"]
    assert [row["name"] for row in finding["rows"]] == [
        "before",
        "thread 1",
        "thread 2",
        "thread 3",
    ]
    events = {event["position"]: event for row in finding["rows"] for event in row["events"]}
    assert [position for position, event in events.items() if event["illegal"]] == [2]
    assert len(finding["order"]) == 3
    for step in finding["order"]:
        event = events[step["event"]]
        assert event["began"] < step["at"] < event["ended"]
    assert finding["order"][0]["shares"] == [[0.0, 0.5]]


def test_nothing_of_the_target_is_markup_or_a_program() -> None:
    page = html_page(_report(HOSTILE))
    assert HOSTILE not in page
    assert page.count("<script") == 2
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data.group(1))["target"] == HOSTILE


def _open(driver: webdriver.Chrome, report: Report, place: Path) -> None:
    file = place / "threads.html"
    file.write_text(html_page(report), encoding="utf-8")
    driver.get(file.as_uri())


def _said(driver: webdriver.Chrome) -> list[object]:
    said: list[object] = driver.get_log("browser")  # type: ignore[no-untyped-call]  # untyped in selenium
    return said


def test_a_browser_draws_the_boxes_the_points_and_the_wrong_answer_in_words(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    _open(browser, _report(), tmp_path)
    boxes = browser.find_elements(By.CSS_SELECTOR, "#canvas .call")
    assert len(boxes) == 4
    assert all(box.size["width"] > 20 for box in boxes)
    (wrong,) = browser.find_elements(By.CSS_SELECTOR, "#canvas .wrong")
    assert "fits no order" in wrong.text
    assert len(browser.find_elements(By.CSS_SELECTOR, "#canvas .point.past")) == 3
    assert "must be" in browser.find_element(By.ID, "now").text
    assert "thread 1 is stopped at a.py:1" in browser.find_element(By.ID, "stops").text
    assert _said(browser) == []


def test_the_arrow_keys_step_through_the_order(browser: webdriver.Chrome, tmp_path: Path) -> None:
    _open(browser, _report(), tmp_path)
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.HOME)
    assert "a fresh allocator of 0-1" in browser.find_element(By.ID, "now").text
    live = []
    for _ in range(3):
        body.send_keys(Keys.ARROW_RIGHT)
        live.append(browser.find_element(By.ID, "live").text)
    assert live[0].startswith("live then, by the specification: 0,")
    assert "number 3 of 3" in browser.find_element(By.ID, "position").text
    assert browser.find_elements(By.CSS_SELECTOR, "#space i")
    assert _said(browser) == []


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_is_never_wider_than_the_screen(
    browser: webdriver.Chrome, tmp_path: Path, width: int
) -> None:
    before = browser.get_window_size()
    browser.set_window_size(width, 800)
    try:
        _open(browser, _report("x" * 300), tmp_path)
        wide, window = browser.execute_script(
            "return [document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert wide <= window
    finally:
        browser.set_window_size(before["width"], before["height"])


def test_a_page_without_a_finding_says_so(browser: webdriver.Chrome, tmp_path: Path) -> None:
    _open(browser, _nothing_found(), tmp_path)
    assert browser.find_element(By.ID, "verdict").text == "no counterexample was found"
    assert not browser.find_element(By.ID, "main").is_displayed()
    assert _said(browser) == []
