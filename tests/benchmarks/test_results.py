"""Tables, pictures and verdicts, from made-up results."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import report, targets
from benchmarks.plots import HEIGHT, WIDTH, picture
from benchmarks.results import read

from .results_of import made_up

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def test_questions() -> None:
    results = made_up()
    assert results.ratio("churn", "GapTree", "vm-allocator 0.1.4 (Rust)", 1000) == 0.5
    assert results.ratio("churn", "GapTree", "vm-allocator 0.1.4 (Rust)", 100_000) is None
    assert results.growth("churn", "GapTree") == 2.5
    assert results.growth("exact", "GapTree") is None
    assert results.reason("churn", "vm-allocator 0.1.4 (Rust)", 100_000) == "too slow"
    assert results.reason("churn", "GapTree", 5) == ""


def test_who_places_differently_is_named() -> None:
    assert made_up().disagreements() == [
        "exact at 1000: GapTree, GapTree index, GapTree index (compiled) | SortedDict pair"
    ]


def test_results_survive_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    made_up().write(path)
    assert read(path) == made_up()


def test_a_target_is_met_or_not_or_not_measured() -> None:
    verdicts = {
        (target.subject, target.what): target.verdict for target in targets.targets(made_up())
    }
    assert verdicts["GapTree", "churn at 1,000 / crate"] == "met"
    assert verdicts["GapTree", "churn at 100,000 / crate"] == "not measured"
    assert verdicts["GapTree", "exact at 1,000 / pair"] == "NOT MET"
    assert verdicts["GapTree index", "exact at 1,000 / pair"] == "met"
    assert verdicts["GapTree index (compiled)", "exact at 1,000 / pair"] == "NOT MET"
    assert verdicts["GapTree", "churn at 1,000 / pair"] == "met"
    assert verdicts["GapTree", "growth of churn, 10^3 to 10^5"] == "met"
    assert verdicts["ids by IdBitmap", "growth of smallest-id, 10^3 to 10^5"] == "NOT MET"
    assert verdicts["GapTree", "memory per range, mixed at 1,000"] == "met"
    assert verdicts["ids by IdBitmap", "memory per range, dense-ids at 10,000"] == "met"
    assert ("ids by IdBitmap", "memory per range, dense-ids at 1,000") not in verdicts
    assert verdicts["GapTree", "slowest operation, all holes too small at 1,000"] == "NOT MET"


def test_the_targets_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert targets.main([str(tmp_path / "nowhere.json")]) == 2
    assert "usage:" in capsys.readouterr().err
    path = tmp_path / "results.json"
    made_up().write(path)
    assert targets.main([str(path)]) == 0
    assert "| GapTree | exact at 1,000 / pair | 2.5x | 3x | NOT MET |" in capsys.readouterr().out


def test_the_tables_show_every_number_and_what_was_not_run() -> None:
    text = report.markdown(made_up(), "pictures")
    assert "| vm-allocator 0.1.4 (Rust) | 8.0 us | not run | - |" in text
    assert "| GapTree | 4.0 us | 10 us | 2.5x |" in text
    assert "![churn, over live ranges](pictures/churn.svg)" in text
    assert "| mixed | GapTree | 100 | - |" in text
    assert "| 1,000 | all holes too small | GapTree | 6.0 ms | first fit |" in text
    assert "- vm-allocator 0.1.4 (Rust), 100,000: too slow." in text
    assert "Free a random range + first fit of 4K" in text
    assert "- a note" in text
    assert "Medians of 3 slices" in text


def test_the_ratios_are_to_ours() -> None:
    lines = report.ratios(made_up()).splitlines()
    (crate,) = [line for line in lines if "vm-allocator" in line]
    assert crate.split()[-3:] == ["2x", "not", "run"]
    assert lines[0].startswith("churn: free a random range")


@pytest.mark.parametrize("scenario", ["churn", "exact", "smallest-id"])
def test_a_picture_is_well_formed_and_within_its_frame(scenario: str) -> None:
    root = ET.fromstring(picture(made_up(), scenario))  # noqa: S314  # our own text
    space = "{http://www.w3.org/2000/svg}"
    assert "A <processor>" in "".join(root.itertext())
    circles = list(root.iter(f"{space}circle"))
    measured = [r for r in made_up().rows if r["scenario"] == scenario and "ns" in r]
    assert len(circles) == len(measured)
    for circle in circles:
        assert 0 < float(circle.attrib["cx"]) < WIDTH
        assert 0 < float(circle.attrib["cy"]) < HEIGHT


def test_a_page_is_filled_in_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    path = tmp_path / "results.json"
    made_up().write(path)
    assert report.main([str(path), str(page)]) == 0
    text = page.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n\nA <processor>")
    assert text.endswith(f"\n{report.END}\nafter\n")
    assert "old" not in text
    assert "(page/churn.svg)" in text
    assert (tmp_path / "page" / "churn.svg").is_file()
    assert read(tmp_path / "page" / "results.json") == made_up()
    with pytest.raises(ValueError, match="needs one"):
        report.fill_in("no markers", "text")


def test_the_page_and_its_pictures_are_those_of_the_results_beside_it() -> None:
    """Otherwise: `python -m benchmarks.report docs/benchmarks/results.json docs/benchmarks.md`."""
    folder = PAGE.with_suffix("")
    results = read(folder / "results.json")
    text = PAGE.read_text()
    assert report.fill_in(text, report.markdown(results, folder.name)) == text
    drawn = {path.stem: path.read_text() for path in folder.glob("*.svg")}
    assert drawn == {scenario: picture(results, scenario) for scenario in results.scenarios()}
