"""A check of concurrent calls as one page of HTML that needs nothing besides itself.

What the page shows is computed here as plain data; `page.html` draws it.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.checker.html import filled
from vm_allocator.checker.text import cut_text
from vm_allocator.checker.words import answered, asked, shown_range, shown_ranges

from .drawing import who
from .told import facts, history_of, looked, scheduled_words, stops_of

if TYPE_CHECKING:
    from .campaign import Report
    from .history import Event, History
    from .linearizability import Placed
    from .search import Found

_MOST_TEXT: Final = 400
_MOST_EVENTS: Final = 400
"""Calls on one page: the last ones."""


def html_page(report: Report) -> str:
    """Return the page. Text of the target is data in it, and never markup or a program."""
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return filled(template, page_data(report))


def page_data(report: Report) -> dict[str, Any]:
    """Return what the page shows.

    `target`, `verdict`, `summary` (lines), and `finding` or null: `title`, `broken`,
    `sentence`, `words` (lines), `facts`, `stops`, `space`, `end` (moments in all), `rows` (a name,
    and the events of a thread), `order` (steps that explain the other answers: `event`, `at`
    which moment, what is `live` then, as text and as shares of the space), `live` in the end.
    An event has `call`, `answer`, `began`, `ended` (null: not over) and `illegal`.
    """
    found = report.found
    verdict = "no counterexample was found" if report.holds else "no calls overlapped: unknown"
    return {
        "target": _cut(report.profile.name),
        "verdict": verdict if found is None else f"{found.broken.value} is broken",
        "summary": [_cut(line) for line in [*looked(report), scheduled_words(report)]],
        "finding": None if found is None else _finding(found),
    }


def _finding(found: Found) -> dict[str, Any]:
    history = history_of(found)
    drawn: dict[str, Any] = {"end": 0, "rows": [], "order": [], "live": None, "left_out": 0}
    if history is not None:
        drawn = _drawn(found, history)
    return {
        "title": _cut(found.title),
        "broken": found.broken.value,
        "sentence": found.broken.sentence,
        "words": [_cut(line) for line in found.words.splitlines()[:40]],
        "facts": [_cut(line) for line in facts(found)],
        "stops": [_cut(line) for line in stops_of(found)[:40]],
        "space": shown_range(found.program.space.range),
        **drawn,
    }


def _drawn(found: Found, history: History) -> dict[str, Any]:
    events = history.events
    first = max(0, len(events) - _MOST_EVENTS)
    moments = sorted(
        {event.began for event in events[first:]}
        | {event.ended for event in events[first:] if event.ended is not None}
    )
    rank = {moment: number for number, moment in enumerate(moments)}
    illegal = None if found.illegal is None else found.illegal.event
    order = () if found.illegal is None else found.illegal.order
    rows = [
        {
            "name": who(thread),
            "events": [
                _event(event, position, rank, illegal=position == illegal)
                for position, event in enumerate(events[first:], start=first)
                if event.thread == thread
            ],
        }
        for thread in sorted({event.thread for event in events[first:]})
    ]
    space = found.program.space
    points = order_points(history, order)
    return {
        "end": len(moments),
        "left_out": first,
        "rows": rows,
        "live": None if history.live is None else shown_ranges(history.live),
        "order": [
            {
                "event": placed.event,
                "at": _between(point, moments, rank),
                "live": shown_ranges(placed.live),
                "shares": [
                    [
                        (live.start - space.base) / space.size,
                        (live.end + 1 - live.start) / space.size,
                    ]
                    for live in placed.live[:200]
                ],
            }
            for placed, point in zip(order, points, strict=True)
            if placed.event >= first
        ],
    }


def _event(event: Event, position: int, rank: dict[int, int], *, illegal: bool) -> dict[str, Any]:
    answer = "not over" if event.reply is None else answered(event.call, event.reply)
    return {
        "position": position,
        "call": _cut(asked(event.call)),
        "answer": _cut(answer),
        "began": rank[event.began],
        "ended": None if event.ended is None else rank[event.ended],
        "illegal": illegal,
    }


def order_points(history: History, order: tuple[Placed, ...]) -> list[float]:
    """Return a moment for each call of an order: within the call, and after the one before it."""
    points: list[float] = []
    step = 1 / (len(order) + 1)
    last = -1.0
    for placed in order:
        last = max(last, float(history.events[placed.event].began)) + step
        points.append(last)
    return points


def _between(point: float, moments: list[int], rank: dict[int, int]) -> float:
    """Return where a moment is among those that are drawn."""
    before = max((moment for moment in moments if moment <= point), default=None)
    if before is None:
        return 0.0
    return rank[before] + min(point - before, 1 - 1e-6)


def _cut(text: str) -> str:
    return cut_text(text, _MOST_TEXT)
