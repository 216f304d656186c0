"""`vm-allocator replay`: thin over `played`, `report` and `data`."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import Progress

from .data import as_json, as_junit
from .outcome import WhenRefused
from .played import EXIT_CODES, OURS, Makers, Played, Verdict, play_file, verdict_of_all
from .report import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .formats import Line

PICTURE_WIDTH: Final = 120


def run(
    traces: Sequence[Path],
    *,
    policies: Sequence[WhenRefused] = (),
    windows: Path | None = None,
    json_output: bool = False,
    junit: Path | None = None,
    console: Console,
    progress: Console,
    makers: Makers = OURS,
) -> int:
    """Play the traces, print the results to `console` and the progress to `progress`.

    With `policies` BARs are played by these, and no BAR may end wrong; without any they are
    played by each policy there is, and BARs that end wrong are only counted.

    Returns the exit code: 0 the allocators did as the oracle says, and no BAR that may not
    ended wrong; 1 otherwise; 2 a trace (or the windows) could not be read, or the JUnit file
    not be written.
    """
    named = tuple(dict.fromkeys(policies))
    how = named or tuple(WhenRefused)

    def play(trace: Path) -> Played:
        return _play(trace, windows, progress, makers, how, must_end_right=bool(named))

    played = [play(trace) for trace in traces]
    if json_output:
        text = json.dumps(as_json(played), indent=2)
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    else:
        report(console, played)
    verdict = verdict_of_all(played)
    if junit is not None and not _write_junit(junit, played, progress):
        verdict = Verdict.REFUTED if verdict is Verdict.REFUTED else Verdict.UNKNOWN
    return EXIT_CODES[verdict]


def _play(  # what `run` was asked for
    file: Path,
    windows: Path | None,
    progress: Console,
    makers: Makers,
    policies: Sequence[WhenRefused],
    *,
    must_end_right: bool,
) -> Played:
    # A bar is for people who watch; a log gets one line per trace.
    if not progress.is_terminal:
        progress.print(f"replaying {file.name}", markup=False, highlight=False, soft_wrap=True)
    with Progress(console=progress, transient=True, disable=not progress.is_terminal) as bar:

        def watch(lines: Sequence[Line]) -> Iterable[Line]:
            return bar.track(lines, description=f"replaying {file.name}")

        return play_file(
            file,
            windows,
            policies=policies,
            must_end_right=must_end_right,
            makers=makers,
            watch=watch,
        )


def _write_junit(junit: Path, played: Sequence[Played], progress: Console) -> bool:
    try:
        as_junit(played).write(str(junit), pretty=True)
    except OSError as error:
        reason = error.strerror or str(error)
        progress.print(
            f"{junit} cannot be written ({reason}): pass a path in a directory that exists",
            markup=False,
            soft_wrap=True,
        )
        return False
    return True


def picture(trace: Path, target: Path, windows: Path | None = None) -> None:
    """Write the report of one trace as an SVG picture: the same bytes for the same trace.

    Raises `TraceError` if the trace cannot be played, `OSError` if `target` cannot be written.
    """
    played = play_file(trace, windows, policies=tuple(WhenRefused))
    if played.error is not None:
        raise played.error
    canvas = Console(
        record=True,
        width=PICTURE_WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    # The name alone: where the trace lies is nobody's business but the caller's.
    report(canvas, [replace(played, file=Path(trace.name))])
    # rich numbers its styles by a digest of the content unless it is given a name.
    svg = canvas.export_svg(title=f"vm-allocator replay {trace.name}", unique_id="replay")
    target.write_text(svg, encoding="utf-8")
