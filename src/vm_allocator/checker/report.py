"""A report as a person reads it, in the terminal. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from vm_allocator.drawing import LIVE, Row, draw_rows
from vm_allocator.modelling import Range

from .calls import Allocate, Done, Failed, Free
from .pictured import places_of
from .words import answered, asked, shown_range, shown_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from .baseline import Baseline
    from .calls import Call, Space
    from .campaign import Coverage, Report
    from .findings import Finding
    from .trial import Step, Trial

_MOST_STEPS: Final = 30
"""Calls of one trace that are printed: the last ones."""
_MOST_DETAIL: Final = 12
"""Lines of what a dying target said that are printed: the last ones."""


def findings(report: Report, baseline: Baseline, *, ascii_only: bool = False) -> RenderableType:
    """Return every new finding, and a line for each that is accepted or gone."""
    new = baseline.new(report.findings)
    parts: list[RenderableType] = []
    for number, one in enumerate(new, start=1):
        parts += [Text(f"{number}. ", style="bold") + _title(one), *finding(one, ascii_only)]
        parts.append(Text())
    reasons = {entry.finding: entry.reason for entry in baseline.accepted}
    parts += [
        Text.assemble(("accepted ", "yellow"), _title(one), f": {reasons[one.fingerprint]}")
        for one in report.findings
        if one.fingerprint in reasons
    ]
    parts += [
        Text.assemble(
            ("gone ", "green"),
            f"{entry.title or entry.finding} was not found this time: if it is mended, "
            f"take {entry.finding} out of the baseline",
        )
        for entry in baseline.gone(report.findings)
    ]
    return Group(*parts)


def _title(one: Finding) -> Text:
    return Text.assemble((one.broken.value, "bold red"), f"  {one.title}")


def finding(one: Finding, ascii_only: bool = False) -> list[RenderableType]:  # noqa: FBT001, FBT002  # private in spirit: the two callers read well
    """Return one finding: the property in words, the trace, the space before and after."""
    lines = [
        Text(f"   {one.broken.sentence}", style="italic"),
        Text(f"   on a fresh allocator of {one.space}:"),
    ]
    lines += _trace(one.steps)
    if one.steps:
        picture = drawn(one.space, one.steps[-1], ascii_only=ascii_only)
        lines += [Text(f"   {line}") for line in picture]
    else:
        lines.append(Text(f"     {one.violation.words}", style="red"))
    if one.steps and one.steps[-1].answer.live is not None and "must be" in one.violation.words:
        lines.append(Text(f"   {one.violation.words}"))
    lines += [Text(f"   {note}", style="yellow") for note in one.notes]
    lines += [Text(f"   | {line}", style="dim") for line in _detail(one)]
    found = f"{one.found_by}, after {one.after_calls:,} calls"
    seen = f"seen {one.occurrences:,} times; first by {found}; finding {one.fingerprint}"
    lines.append(Text(f"   {seen}", style="dim"))
    return list(lines)


def _trace(every: Sequence[Step]) -> list[Text]:
    """Return the calls, one a line, with what the target answered and what it had to."""
    steps = every[-_MOST_STEPS:]
    lines = []
    if len(steps) < len(every):
        lines.append(Text(f"     ... {len(every) - len(steps)} calls before"))
    width = max((len(asked(step.call)) for step in steps), default=0)
    for step in steps:
        said = answered(step.call, step.answer.reply)
        line = Text(f"     {asked(step.call):<{width}}  ")
        if step.violation is None:
            lines.append(line.append(said, style="dim"))
        else:
            line.append(said, style="bold red").append(f"   must be {step.expected}")
            lines.append(line)
    return lines


def played(trial: Trial, name: str, *, ascii_only: bool = False) -> RenderableType:
    """Return a trace that was played again: each call, and the first violation drawn."""
    lines: list[RenderableType] = [
        Text(f"on a fresh allocator of {trial.space}:"),
        *_trace(trial.steps),
    ]
    broken = trial.violations
    if not broken:
        lines.append(Text(f"{name}: the target answered as it must", style="bold green"))
        return Group(*lines)
    position, violation = broken[0]
    if position:
        picture = drawn(trial.space, trial.steps[position - 1], ascii_only=ascii_only)
        lines += [Text(f"   {line}") for line in picture]
    said = f"{violation.broken.value}: {violation.words}"
    lines += [Text(said, style="red"), Text(f"{name}: it still happens", style="bold red")]
    return Group(*lines)


def drawn(within: Space, step: Step, *, ascii_only: bool) -> list[str]:
    """Draw the space before a call, what the call was about, and the space as it must be after."""
    space = within.range
    rows = [Row("before", _live(step.before), space, step.before, LIVE)]
    if step.reserved:
        rows.append(Row("reserved", shown_ranges(step.reserved), None, step.reserved))
    call, reply = step.call, step.answer.reply
    if isinstance(call, Allocate) and call.start is None:
        if isinstance(reply, Done) and reply.start is not None:
            rows.append(_about("granted", reply.start, call.size))
    else:
        rows += _about_all(call)
    rows.append(Row("must be", _live(step.wanted), space, step.wanted, LIVE))
    return draw_rows(rows, ascii_only=ascii_only)


def _about_all(call: Call) -> list[Row]:
    """Return a row for each range that the call names."""
    freed = isinstance(call, Free)
    labels = {"asked": "freed" if freed else "asked for", "old": "old"}
    return [
        _about(labels[what], one.start, one.end - one.start + 1)
        for what, one in places_of(call)
        if what in labels
    ]


def _about(label: str, start: int, size: int) -> Row:
    at = Range(start, start + max(size, 1) - 1)
    return Row(label, shown_range(at), None, (at,))


def _live(ranges: Sequence[Range]) -> str:
    shown = shown_ranges(ranges[:8])
    more = f" and {len(ranges) - 8} more" if len(ranges) > 8 else ""  # noqa: PLR2004  # a line's worth
    return f"live {shown}{more}"


def _detail(one: Finding) -> list[str]:
    for step in one.steps[-1:]:
        reply = step.answer.reply
        if isinstance(reply, Failed):
            return reply.detail.splitlines()[-_MOST_DETAIL:]
    return []


def coverage(looked: Coverage) -> RenderableType:
    """Return how much was looked at: what "no finding" is worth."""
    tally = looked.tally
    table = Table(box=None, title="What was looked at", title_justify="left", pad_edge=False)
    table.add_column("operation")
    table.add_column("granted", justify="right")
    table.add_column("refused, as the model does")
    operations = sorted({operation for operation, _ in tally.outcomes})
    for operation in operations:
        refused = {
            outcome: calls
            for (name, outcome), calls in sorted(tally.outcomes.items())
            if name == operation and outcome != "granted"
        }
        table.add_row(
            operation,
            f"{tally.outcomes[operation, 'granted']:,}",
            ", ".join(f"{outcome} {calls:,}" for outcome, calls in refused.items()),
        )
    lines: list[RenderableType] = [table]
    if looked.complete:
        lines.append(Text(f"every sequence of: {_depths(looked)}"))
    if looked.drawn:
        drawn_units = ", ".join(f"{name} ({units} units)" for name, units in looked.drawn.items())
        lines.append(Text(f"drawn at random: {drawn_units}; up to {tally.most_live} live ranges"))
    lines.append(
        Text(
            f"{tally.calls:,} calls in {tally.sequences:,} sequences and {len(tally.spaces)} "
            f"spaces; {len(tally.tiny_states)} states of tiny spaces, each asked every call"
        )
    )
    if tally.skipped:
        lines.append(Text(f"{tally.skipped:,} calls that the target cannot be asked"))
    if looked.given_up:
        given_up = f"{looked.given_up} units of work given up: the target kept failing"
        lines.append(Text(given_up, style="yellow"))
    return Group(*lines)


def _depths(looked: Coverage) -> str:
    """Write how deep the tiny spaces were exhausted, by their size."""
    deepest: dict[int, int] = {}
    for units, calls in sorted(looked.complete):
        deepest[units] = max(calls, deepest.get(units, 0))
    return "; ".join(
        f"{_count(calls, 'call')} in {_count(looked.complete[units, calls], 'space')} "
        f"of {_count(units, 'unit')}"
        for units, calls in deepest.items()
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def summary(report: Report, baseline: Baseline) -> RenderableType:
    """Return the last lines: the verdict, and how to come to the same one again."""
    new = len(baseline.new(report.findings))
    known = len(report.findings) - new
    name = report.profile.name
    if new:
        more = f", and {report.more_groups} more not shown" if report.more_groups else ""
        verdict = Text(f"{name}: {new} new findings{more}", style="bold red")
    elif known:
        verdict = Text(f"{name}: nothing new; {known} accepted findings", style="bold green")
    elif report.holds:
        verdict = Text(f"{name}: no counterexample found (sampled, not proved)", style="bold green")
    else:
        verdict = Text(f"{name}: nothing could be asked: unknown", style="bold yellow")
    calls = report.coverage.tally.calls
    how = f"{report.seconds:.1f} s, {calls:,} calls, stopped by {report.stopped_by}"
    options = report.options
    again = f"--seed {options.seed}" + (
        f" --max-calls {options.max_calls}" if options.max_calls else ""
    )
    return Group(verdict, Text(f"{how}; {again}", style="dim"))
