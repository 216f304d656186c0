"""The results as Markdown: `python -m benchmarks.report RESULTS.json [PAGE.md]`.

With a page, what stands between its two markers is replaced. The results themselves and the
pictures go beside it, into a folder with the page's name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import targets
from .plots import picture, shown_time
from .results import Results, read
from .workloads import ABOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN: Final = "<!-- results: begin -->"
END: Final = "<!-- results: end -->"
FIRST_COLUMN: Final = ("GapTree", "ids by IdBitmap")


def markdown(results: Results, pictures: str | None = None) -> str:
    """Return all of it; `pictures` is the folder that the pictures are in, if there are any."""
    lines = [_machine(results), ""]
    for scenario in results.scenarios():
        about = ABOUT[scenario]
        lines += [f"### {scenario}", "", f"{about[0].upper()}{about[1:]}.", ""]
        if pictures is not None:
            lines += [f"![{scenario}, over live ranges]({pictures}/{scenario}.svg)", ""]
        lines += [*_times(results, scenario), ""]
        if missing := _missing(results, scenario):
            lines += [*missing, ""]
    if results.memory:
        lines += ["### Bytes per live range", "", *_memory(results), ""]
    if results.worst:
        lines += ["### The slowest single operation", "", *_worst(results), ""]
    lines += ["### Targets", "", *targets.table(results), ""]
    lines += ["### Notes", ""]
    for note in [*results.notes, *map("placed differently: {}".format, results.disagreements())]:
        lines.append(f"- {note}")
    return "\n".join(lines).rstrip() + "\n"


def ratios(results: Results) -> str:
    """Return, for a terminal, how many times as long each subject takes as ours."""
    lines = []
    sizes = results.sizes()
    for scenario in results.scenarios():
        ours = next((o for o in FIRST_COLUMN if o in results.subjects(scenario)), None)
        lines.append(f"{scenario}: {ABOUT[scenario]}")
        if ours is None:
            continue
        width = max(map(len, results.subjects(scenario))) + 2
        lines.append(f"  {'':{width}}" + "".join(f"{size:>12}" for size in sizes))
        for subject in results.subjects(scenario):
            cells = []
            for size in sizes:
                time, ratio = (
                    results.time(scenario, subject, size),
                    results.ratio(scenario, subject, ours, size),
                )
                if time is None:
                    cells.append("not run" if results.reason(scenario, subject, size) else "")
                elif subject == ours or ratio is None:
                    cells.append(shown_time(time))
                else:
                    cells.append(f"{ratio:.3g}x")
            lines.append(f"  {subject:{width}}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def _machine(results: Results) -> str:
    machine = results.machine
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"{machine['python']}, rustc {machine['rustc']}; load average before the run "
        f"{machine['load']}. Medians of {results.plan['rounds']} slices for each subject, "
        "taken in turns."
    )


def _times(results: Results, scenario: str) -> list[str]:
    sizes = results.sizes()
    lines = [
        "| | " + " | ".join(f"{size:,}" for size in sizes) + " | growth |",
        "| --- |" + " --- |" * (len(sizes) + 1),
    ]
    for subject in results.subjects(scenario):
        cells = []
        for size in sizes:
            time = results.time(scenario, subject, size)
            missing = "not run" if results.reason(scenario, subject, size) else "-"
            cells.append(missing if time is None else shown_time(time))
        growth = results.growth(scenario, subject)
        cells.append("-" if growth is None else f"{growth:.1f}x")
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    return lines


def _missing(results: Results, scenario: str) -> list[str]:
    """Say why what is missing was not run, once for each subject: it is so at larger sizes, too."""
    lines = []
    for subject in results.subjects(scenario):
        reasons = [
            f"- {subject}, {size:,}: {reason}."
            for size in results.sizes()
            if (reason := results.reason(scenario, subject, size))
        ]
        lines += reasons[:1]
    return lines


def _memory(results: Results) -> list[str]:
    sizes = sorted({row["size"] for row in results.memory})
    lines = [
        "| state | subject | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "| --- | --- |" + " --- |" * len(sizes),
    ]
    held = {(r["state"], r["subject"], r["size"]): r["bytes"] for r in results.memory}
    for state, subject in dict.fromkeys((r["state"], r["subject"]) for r in results.memory):
        found = [held.get((state, subject, size)) for size in sizes]
        cells = ["-" if one is None else f"{one:.3g}" for one in found]
        lines.append(f"| {state} | {subject} | " + " | ".join(cells) + " |")
    return lines


def _worst(results: Results) -> list[str]:
    lines = ["| at | case | subject | slowest | what it was |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row['size']:,} | {row['case']} | {row['subject']} | {shown_time(row['ns'])} "
        f"| {row['operation']} |"
        for row in sorted(results.worst, key=lambda row: (row["case"], row["ns"]))
    ]
    return lines


def fill_in(page: str, text: str) -> str:
    """Return the page with the text between its markers.

    Raises `ValueError` unless it has each of them once, in order.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(END) < page.index(BEGIN):
        raise ValueError(f"the page needs one {BEGIN} and, after it, one {END}")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    return f"{before}\n\n{text}\n{after}"


def draw(results: Results, folder: Path) -> None:
    """Write the picture of each scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    for scenario in results.scenarios():
        (folder / f"{scenario}.svg").write_text(picture(results, scenario))


def renew(page: Path, results: Results) -> None:
    """Put the results into a page, and with the pictures into the folder of its name."""
    folder = page.with_suffix("")
    results.write(folder / "results.json")
    draw(results, folder)
    page.write_text(fill_in(page.read_text(), markdown(results, folder.name)))


def main(arguments: Sequence[str]) -> int:
    """Print the results, or put them into a page."""
    if len(arguments) not in (1, 2) or not all(Path(path).is_file() for path in arguments):
        print("usage: python -m benchmarks.report RESULTS.json [PAGE.md]", file=sys.stderr)
        return 2
    results = read(Path(arguments[0]))
    if len(arguments) == 1:
        print(markdown(results), end="")
        return 0
    renew(Path(arguments[1]), results)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
