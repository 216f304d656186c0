"""The page in a real browser: headless Chromium, driven from outside."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from vm_allocator.checker.campaign import Report
from vm_allocator.checker.html import html_page
from vm_allocator.checker.judge import Property

from .reports import hostile_report, large_report, plain_report, right_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
NEEDED = "CHROMIUM" in os.environ
"""Set where a missing browser is a failure and no reason to skip: in CI."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or DRIVER is None:
        missing = "chromium and chromedriver are not installed"
        if NEEDED:
            pytest.fail(missing)
        pytest.skip(missing)
    options = Options()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # root in a container has no other way; the pages are our own
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def report() -> Report:
    return plain_report()


def _open(browser: webdriver.Chrome, report: Report, place: Path) -> None:
    file = place / "report.html"
    file.write_text(html_page(report), encoding="utf-8")
    browser.get(file.as_uri())


def _text(browser: webdriver.Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def _press(browser: webdriver.Chrome, key: str) -> None:
    browser.find_element(By.TAG_NAME, "body").send_keys(key)


def _choose(browser: webdriver.Chrome, report: Report, broken: Property) -> None:
    index = [one.broken for one in report.findings].index(broken)
    browser.find_elements(By.CSS_SELECTOR, "#findings button")[index].click()


def _said(browser: webdriver.Chrome) -> list[object]:
    """Return what the browser had to say since it was asked last: errors of scripts, above all."""
    said: list[object] = browser.get_log("browser")  # type: ignore[no-untyped-call]  # untyped in selenium
    return said


def _ranges(browser: webdriver.Chrome) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, "#canvas .range")


def test_the_arrow_keys_step_to_the_call_that_breaks_the_property(
    browser: webdriver.Chrome, report: Report, tmp_path: Path
) -> None:
    _open(browser, report, tmp_path)
    _choose(browser, report, Property.NO_OVERLAP)
    assert _text(browser, "position") == "before call 1 of 2"
    assert _ranges(browser) == []
    _press(browser, Keys.ARROW_RIGHT)
    assert _text(browser, "position") == "call 1 of 2"
    assert "allocate(FirstMatch, 1)" in _text(browser, "now")
    assert browser.find_elements(By.ID, "broken") == []
    _press(browser, Keys.ARROW_RIGHT)
    assert _text(browser, "position") == "call 2 of 2"
    assert _text(browser, "broken").splitlines() == [
        "broken: no overlap \N{EN DASH} no two live ranges share an address",
        "allocate(0, 1) must be refused (overlap); the target's answer: granted 0",
    ]
    _press(browser, Keys.ARROW_RIGHT)  # there is no further call
    assert _text(browser, "position") == "call 2 of 2"
    _press(browser, Keys.ARROW_LEFT)
    assert browser.find_elements(By.ID, "broken") == []
    _press(browser, Keys.END)
    assert _text(browser, "position") == "call 2 of 2"
    _press(browser, Keys.HOME)
    assert _text(browser, "position") == "before call 1 of 2"


def test_the_buttons_and_the_slider_step_too(
    browser: webdriver.Chrome, report: Report, tmp_path: Path
) -> None:
    _open(browser, report, tmp_path)
    browser.find_element(By.ID, "next").click()
    assert _text(browser, "position") == "call 1 of 2"
    browser.find_element(By.ID, "slider").send_keys(Keys.ARROW_RIGHT)
    assert _text(browser, "position") == "call 2 of 2"
    assert not browser.find_element(By.ID, "next").is_enabled()
    browser.find_element(By.ID, "previous").click()
    assert _text(browser, "position") == "call 1 of 2"
    browser.find_elements(By.CSS_SELECTOR, "#calls button")[2].click()
    assert _text(browser, "position") == "call 2 of 2"


def test_a_button_jumps_to_the_first_error(browser: webdriver.Chrome, tmp_path: Path) -> None:
    _open(browser, large_report(2, 40), tmp_path)
    assert _text(browser, "position") == "before call 1 of 40"
    browser.find_element(By.ID, "jump").click()
    assert _text(browser, "position") == "call 40 of 40"
    assert _text(browser, "broken")
    actual = browser.find_element(By.CSS_SELECTOR, "#now dd:last-child")
    assert "differs" in str(actual.get_attribute("class"))


def test_a_range_tells_its_story_to_a_pointer_and_to_the_keyboard(
    browser: webdriver.Chrome, report: Report, tmp_path: Path
) -> None:
    _open(browser, report, tmp_path)
    _choose(browser, report, Property.NO_OVERLAP)
    browser.find_element(By.ID, "jump").click()
    before, asked, wanted, again, twice = _ranges(browser)
    story = "0: allocated by call 1, allocate(FirstMatch, 1); live to the end of the trace."
    before.send_keys("")  # moves the focus there, and does nothing else
    assert _text(browser, "story") == story
    webdriver.ActionChains(browser).move_to_element(asked).perform()
    assert _text(browser, "story") == "asked for: 0"
    assert "guilty" in str(before.get_attribute("class"))
    assert "guilty" not in str(wanted.get_attribute("class"))
    assert again.get_attribute("aria-label") == story
    assert twice.get_attribute("aria-label") == "0: made live by call 2, allocate(0, 1)"


def test_hostile_text_is_shown_and_does_nothing(browser: webdriver.Chrome, tmp_path: Path) -> None:
    _said(browser)
    _open(browser, hostile_report(), tmp_path)
    assert _text(browser, "target").startswith("</script><script>alert(1)</script>\"'&<!--")
    assert "<script>" in _text(browser, "title")
    browser.find_element(By.ID, "jump").click()
    assert "unknown, since it gave no answer" in _text(browser, "canvas")
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 2
    assert _said(browser) == []


def test_an_injected_script_would_not_run(
    browser: webdriver.Chrome, report: Report, tmp_path: Path
) -> None:
    page = html_page(report).replace(
        "</main>", "</main><script>document.title = 'injected'</script>"
    )
    assert "injected" in page
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    browser.get((tmp_path / "report.html").as_uri())
    assert browser.title == "vm-allocator check: plain"
    assert "Content Security Policy" in json.dumps(_said(browser))


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_fits_the_width_of_the_screen(
    browser: webdriver.Chrome, tmp_path: Path, width: int
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    _open(browser, large_report(3, 100), tmp_path)
    browser.find_element(By.ID, "jump").click()
    root = "document.documentElement"
    widest, seen = browser.execute_script(f"return [{root}.scrollWidth, {root}.clientWidth]")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert widest == seen <= width


def test_a_report_without_findings_says_so(browser: webdriver.Chrome, tmp_path: Path) -> None:
    _open(browser, right_report(), tmp_path)
    assert _text(browser, "verdict") == "no counterexample was found"
    assert not browser.find_element(By.ID, "layout").is_displayed()
