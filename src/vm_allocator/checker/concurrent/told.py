"""A check of concurrent calls in words and as data: what every report of it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from vm_allocator.checker.as_json import call_as_json
from vm_allocator.checker.text import cut_text
from vm_allocator.checker.words import answered, asked, shown_range

from .drawing import draw_history, stop_words
from .search import Broken

if TYPE_CHECKING:
    from .campaign import Report
    from .history import History
    from .programs import Planned
    from .search import Found

Json: TypeAlias = dict[str, Any]

FORMAT: Final = "vm-allocator-threads/1"
"""Of a finding, as it is saved and listed."""

_MOST_TEXT: Final = 1_000


def history_of(found: Found) -> History | None:
    """Return the history to be shown: up to the answer that is wrong, if one is."""
    return found.played.history if found.illegal is None else found.illegal.history


def stops_of(found: Found) -> list[str]:
    """Return in words where threads were stopped for others to go on, up to what is shown."""
    history, last = history_of(found), None
    if history is not None and found.illegal is not None:
        last = max(event.began if event.ended is None else event.ended for event in history.events)
    return stop_words(
        (stop.switch.thread + 1, stop.switch.to + 1, stop.place)
        for stop in found.played.stops
        if last is None or stop.moment <= last
    )


def facts(found: Found) -> list[str]:
    """Return what else is to be said of a finding."""
    lines = []
    schedule = found.played.schedule
    if found.played.hopeless:
        lines.append("threads were left that do not end: this was not made small")
    elif schedule is None:
        lines.append("threads were let loose: this may take several tries to happen again")
    elif not schedule.switches:
        lines.append("no thread has to be stopped for this: check it without --threads first")
    return [*lines, f"finding {found.fingerprint}"]


def looked(report: Report) -> list[str]:
    """Return how much was looked at, in lines."""
    tally = report.tally
    tried = f"{_count(tally.programs, 'program')} of {report.options.threads} threads"
    played = f"{_count(len(tally.spaces), 'space')}, played {tally.executions:,} times"
    calls = f"{tally.calls:,} calls, {tally.overlapping:,} of them while another one was open"
    lines = [f"{tried} in {played}: {calls}"]
    if report.scheduled:
        lines.append(
            f"{tally.switches:,} switches between two instructions; "
            f"{tally.loose:,} plays with threads let loose"
        )
    if tally.unknown:
        lines.append(f"{tally.unknown:,} histories were too much for the search: unknown")
    return lines


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def scheduled_words(report: Report) -> str:
    """Return how to come to the same again."""
    options = report.options
    again = f"--threads {options.threads} --seed {options.seed}"
    at = "" if report.found is None else f", by program {report.number}"
    return f"{report.seconds:.1f} s{at}; {again}"


def as_json(report: Report) -> Json:
    """Return the report as plain data, in the shape of `check --json` as far as it goes.

    `threads`; `coverage` counts programs, executions, calls; `findings` has one at most, in the
    form that `--save` writes: `format`, `finding`, `property`, `sentence`, `operation`,
    `actual`, `words`, `space`, `program` (part 0 first, each call by name), `schedule` (null:
    threads let loose), `history`, `order` (which explains all but the illegal event), `stops`.
    """
    tally = report.tally
    return {
        "format": 1,
        "holds": report.holds,
        "target": msgspec.to_builtins(report.profile),
        "threads": report.options.threads,
        "seed": report.options.seed,
        "seconds": round(report.seconds, 3),
        "program": report.number,
        "coverage": {
            "programs": tally.programs,
            "executions": tally.executions,
            "let_loose": tally.loose,
            "calls": tally.calls,
            "overlapping": tally.overlapping,
            "switches": tally.switches,
            "spaces": len(tally.spaces),
            "unknown": tally.unknown,
        },
        "findings": [] if report.found is None else [finding_as_json(report.found)],
    }


def finding_as_json(found: Found) -> Json:
    """Return a finding as plain data: see `as_json`."""
    history, illegal = history_of(found), found.illegal
    schedule = found.played.schedule
    return {
        "format": FORMAT,
        "finding": found.fingerprint,
        "property": found.broken.value,
        "sentence": found.broken.sentence,
        "operation": found.operation,
        "actual": found.actual,
        "words": found.words,
        "space": [found.program.space.base, found.program.space.last],
        "program": [[_planned(one) for one in part] for part in found.program.parts],
        "schedule": None if schedule is None else msgspec.to_builtins(schedule),
        "history": None if history is None else _events(history),
        "live": None if history is None or history.live is None else [*map(list, history.live)],
        "illegal": None if illegal is None else illegal.event,
        "order": []
        if illegal is None
        else [{"event": one.event, "live": [*map(list, one.live)]} for one in illegal.order],
        "stops": stops_of(found),
    }


def _planned(planned: Planned) -> Json:
    of = {} if planned.of is None else {"of": planned.of}
    return {"name": planned.name, **of, "call": call_as_json(planned.call)}


def _events(history: History) -> list[Json]:
    return [
        {
            "thread": event.thread,
            "call": call_as_json(event.call),
            "text": asked(event.call),
            "began": event.began,
            "ended": event.ended,
            "answer": None if event.reply is None else answered(event.call, event.reply),
        }
        for event in history.events
    ]


def junit(report: Report) -> JUnitXml:
    """Return one case for each property: failed if it is broken, left out if it is not known."""
    suite = TestSuite("vm-allocator check --threads")
    name = cut_text(report.profile.name, _MOST_TEXT)
    found = report.found
    for one in Broken:
        case = TestCase(f"{one.value}: {one.sentence}", name)
        if found is not None and found.broken is one:
            problem = Failure(cut_text(f"{found.title} [{found.fingerprint}]", _MOST_TEXT))
            problem.text = "\n".join(story(found))
            case.result = [problem]
        elif not report.holds:
            continue  # the search ended before much could be said of it
        suite.add_testcase(case)
    if found is None and not report.holds:
        case = TestCase("nothing was checked", name)
        case.result = [Error("no calls overlapped")]
        suite.add_testcase(case)
    suite.time = round(report.seconds, 3)
    made = JUnitXml("vm-allocator check --threads")
    made.add_testsuite(suite)
    made.update_statistics()  # type: ignore[no-untyped-call]  # untyped in junitparser
    return made


def story(found: Found) -> list[str]:
    """Return a finding in lines of plain text."""
    history = history_of(found)
    guilty = None if found.illegal is None else found.illegal.event
    drawn = [] if history is None else draw_history(history, guilty, ascii_only=True)
    lines = [
        found.broken.sentence,
        f"on a fresh allocator of {shown_range(found.program.space.range)}:",
        *(f"  {line}" for line in drawn),
        *found.words.splitlines(),
        *stops_of(found),
        *facts(found),
    ]
    return [cut_text(line, _MOST_TEXT) for line in lines]
