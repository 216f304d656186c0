"""A replay, drawn with rich for people. Decides nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich import box
from rich.columns import Columns
from rich.console import Group
from rich.table import Table
from rich.text import Text

from .outcome import BarReplay, Ending, WhenRefused
from .picture import ASCII, address_map, refused_move
from .played import Played, Verdict, verdict_of_all
from .vectors import FIRST_GSI, LAST_GSI, VectorReplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, RenderableType

    from .disagreement import Disagreement
    from .outcome import ClaimAccount

STYLES: Final = {
    Verdict.HOLDS: "bold green",
    Verdict.REFUTED: "bold red",
    Verdict.UNKNOWN: "yellow",
}
MOST_LISTED: Final = 8
"""Refusals and misplaced BARs listed one by one; the JSON output has more."""


def report(console: Console, played: Sequence[Played]) -> None:
    """Print every trace, and a summary if there are several."""
    for one in played:
        _print(console, _one(one))
    if len(played) > 1:
        _print(console, _summary(played))


def _print(console: Console, lines: Sequence[RenderableType]) -> None:
    for line in lines:
        if isinstance(line, Text):
            # A picture that wraps is none: a narrow terminal scrolls, or cuts, for itself.
            shown = line.copy()
            if not console.encoding.lower().startswith("utf"):
                shown.plain = shown.plain.translate(ASCII)
            console.print(shown, soft_wrap=True)
        else:
            console.print(line)
    console.print()


def _one(one: Played) -> list[RenderableType]:
    if one.trace is None or one.result is None:
        return [Text.assemble(("unknown", STYLES[Verdict.UNKNOWN]), f": {one.error}")]
    title = Text.assemble((str(one.file), "bold"), f"  ({one.trace.kind.value})")
    notes = [Text(f"note: {note}", "dim") for note in one.notes]
    if isinstance(one.result, BarReplay):
        body = [*_bars(one.result), *(_side_by_side(one.by_policy) if one.others else [])]
    else:
        body = _gsis(one.result)
    return [title, *notes, *body, *_outcome(one)]


def _outcome(one: Played) -> list[RenderableType]:
    found = one.disagreement
    if one.wrong and found is None:
        ended = f": {one.wrong} BARs end wrong" if one.wrong > 1 else ": a BAR ends wrong"
        return [Text.assemble(("refuted", STYLES[Verdict.REFUTED]), ended)]
    if one.result is None or found is None:
        results = one.by_policy or (one.result,)
        operations = sum(result.operations for result in results if result is not None)
        return [
            Text.assemble(
                ("holds", STYLES[Verdict.HOLDS]),
                f": allocators and oracle agreed on all {operations:,} operations",
            )
        ]
    refuted = Text.assemble(("refuted", STYLES[Verdict.REFUTED]), f": {found.difference}")
    return [refuted, *_finding(found)]


def _finding(found: Disagreement) -> list[RenderableType]:
    shown = found.lines[-MOST_LISTED:]
    fewest = ", ".join(map(str, shown))
    more = f" and {len(found.lines) - len(shown)} before" if len(shown) < len(found.lines) else ""
    lines = [
        f"first at line {found.line} of the trace; lines {fewest}{more} alone show this:",
        f"  {found.setup}",
    ]
    if found.calls_before:
        lines.append(f"  ... {found.calls_before} calls before")
    return [Text(line) for line in [*lines, *(f"  {call}" for call in found.calls)]]


def _table(title: str, rows: Sequence[tuple[int, str]]) -> Table:
    table = Table(title=title, box=None, show_header=False, title_justify="left")
    table.add_column(justify="right", style="bold")
    table.add_column()
    for count, words in rows:
        table.add_row(f"{count:,}", words)
    return table


def _bars(result: BarReplay) -> list[RenderableType]:
    guest = result.guest
    did = _table(
        "What the guest did",
        [
            (guest.first, "BARs placed for the first time"),
            (guest.moves, "moves to a new address"),
            (guest.remaps, "re-maps at the same address"),
            (guest.withdrawals, "BARs unmapped or given back"),
            (guest.swaps, "swaps of two BARs"),
            (guest.takeovers, "takeovers of a range another BAR had held"),
            (guest.onto_live, "placements on top of live BARs"),
            (guest.outside, f"placements outside every window, by {len(guest.outside_bars)} BARs"),
            (guest.peak, f"BARs live at most, of {guest.bars} on {guest.devices} devices"),
        ],
    )
    made = _table(
        "What the allocators made of it",
        [
            (result.allocated, "ranges allocated"),
            (result.updated, "updated in place, old freed and new live at once"),
            (result.crossed, "moved between windows: allocated there, then freed here"),
            (result.freed, "ranges freed"),
            (result.nothing_to_free, "had nothing to free"),
            *((count, f"refused: {reason}") for reason, count in sorted(result.reasons.items())),
            *_claims(result),
            (len(result.misplaced), "BARs end elsewhere than where the guest put them"),
            (len(result.wrong), "of them wrong"),
        ],
    )
    policy = f"policy {result.policy.value}: {result.policy.meaning}"
    return [
        Text(policy, "dim"),
        Columns([did, made], padding=(0, 2)),
        Text(),
        *_refusals(result),
        *_waits(result),
        *_misplaced(result),
        Text("Where the BARs are in the end, to scale", "italic"),
        *address_map(result),
        Text(),
    ]


def _claims(result: BarReplay) -> list[tuple[int, str]]:
    if result.policy is not WhenRefused.CLAIM:
        return []
    claims = result.claims
    return [
        (claims.claims, "claims made:"),
        (claims.at_once, "granted at once"),
        (claims.later, f"granted later, after {claims.longest * 1000:.0f} ms at most"),
        (claims.withdrawn, "withdrawn before they were granted"),
        (claims.still_waiting, "still waiting"),
    ]


def _waits(result: BarReplay) -> list[RenderableType]:
    waits = result.claims.waits
    if not waits:
        return []
    lines: list[RenderableType] = [Text("Waits", "italic")]
    for wait in waits[:MOST_LISTED]:
        text = f"  line {wait.line}: {wait.bar} claims {wait.asked}, waits"
        if wait.in_way:
            more = f" and {len(wait.in_way) - 1} more" if len(wait.in_way) > 1 else ""
            text += f" for {wait.in_way[0][0]}{more}"
        if wait.end is None:
            text += ", still"
        else:
            text += f": {wait.end.value} at line {wait.end_line}, "
            text += f"{(wait.end_t - wait.t) * 1000:.0f} ms later"
        lines.append(Text(text))
    if len(waits) > MOST_LISTED:
        lines.append(Text(f"  ... and {len(waits) - MOST_LISTED} more", "dim"))
    return [*lines, Text()]


def _side_by_side(results: Sequence[BarReplay]) -> list[RenderableType]:
    """Draw what came of the same trace by each policy: a column for each."""
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    table.add_column("The policies side by side", overflow="fold")
    for result in results:
        table.add_column(f"  {result.policy.value}", justify="right")
    endings = [Counter(result.ending_of(one) for one in result.misplaced) for result in results]

    def add(words: str, counts: Iterable[int | None]) -> None:
        table.add_row(words, *("" if count is None else f"{count:,}" for count in counts))

    def of_claims(count: Callable[[ClaimAccount], int]) -> list[int | None]:
        claiming = [result.policy is WhenRefused.CLAIM for result in results]
        return [
            count(result.claims) if claims else None
            for result, claims in zip(results, claiming, strict=True)
        ]

    add("placements refused", [len(result.refusals) for result in results])
    if any(result.policy is WhenRefused.CLAIM for result in results):
        add("claims made", of_claims(lambda claims: claims.claims))
        add("= granted at once", of_claims(lambda claims: claims.at_once))
        add("+ granted later", of_claims(lambda claims: claims.later))
        add("+ withdrawn", of_claims(lambda claims: claims.withdrawn))
        add("+ still waiting", of_claims(lambda claims: claims.still_waiting))
    for ending in Ending:
        add(f"a BAR {ending.value}", [counts[ending] for counts in endings])
    add("BARs that end wrong", [len(result.wrong) for result in results])
    return [table]


def _refusals(result: BarReplay) -> list[RenderableType]:
    if not result.refusals:
        return []
    lines: list[RenderableType] = [Text("Refusals", "italic")]
    for refusal in result.refusals[:MOST_LISTED]:
        text = f"  line {refusal.line}: {refusal.bar} asks for {refusal.asked}: {refusal.reason}"
        if refusal.in_way:
            more = f" and {len(refusal.in_way) - 1} more" if len(refusal.in_way) > 1 else ""
            text += f" with {refusal.in_way[0][0]}{more}"
        lines.append(Text(text))
    if len(result.refusals) > MOST_LISTED:
        lines.append(Text(f"  ... and {len(result.refusals) - MOST_LISTED} more", "dim"))
    # A move with others in its way tells most; any overlap is better than none.
    overlaps = [refusal for refusal in result.refusals if refusal.in_way]
    moves = [refusal for refusal in overlaps if refusal.held is not None]
    for drawn in (moves or overlaps)[:1]:
        lines += [Text(), Text("A refusal, to scale", "italic"), *refused_move(drawn)]
    return [*lines, Text()]


def _misplaced(result: BarReplay) -> list[RenderableType]:
    misplaced = result.misplaced
    if not misplaced:
        return []
    lines = [
        Text(
            f"  {one.bar}: the guest believes {one.wanted}, holds {one.held or 'nothing'}",
            "red" if result.ending_of(one).is_wrong else "yellow",
        )
        for one in misplaced[:MOST_LISTED]
    ]
    if len(misplaced) > MOST_LISTED:
        lines.append(Text(f"  ... and {len(misplaced) - MOST_LISTED} more", "dim"))
    return [Text("BARs that end in the wrong place", "italic"), *lines, Text()]


def _gsis(result: VectorReplay) -> list[RenderableType]:
    refused = sum(result.refusals.values())
    rows = [
        (result.allocated, f"vectors allocated, of GSI {FIRST_GSI} to {LAST_GSI}"),
        (result.as_recorded, "of them with the number that the recorder had chosen"),
        (result.freed, "vectors freed by the guest"),
        (result.freed_by_reset, f"vectors freed by {result.resets} resets"),
        (result.rewritten, "changes of address or data, which keep the GSI"),
        (refused, "refused"),
        (result.peak, f"vectors live at most, of {len(result.vectors)}"),
        (len(result.held), "vectors live in the end"),
    ]
    return [_table("What the guest did", rows)]


def _summary(played: Sequence[Played]) -> list[RenderableType]:
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    table.add_column("trace", overflow="fold")
    policies = list(dict.fromkeys(by.policy for one in played for by in one.by_policy))
    wrong = [f"wrong: {policy.value}" for policy in policies]
    for heading in ("calls", "moves", "swaps", "refused", *wrong):
        table.add_column(f"  {heading}", justify="right")
    table.add_column("  verdict")
    for one in played:
        cells = ["", "", "", "", *("" for _ in policies)]
        result = one.result
        if result is not None:
            cells[0] = f"{result.operations:,}"
        if isinstance(result, BarReplay):
            guest = result.guest
            ended = {by.policy: len(by.wrong) for by in one.by_policy}
            numbers = (guest.moves, guest.swaps, len(result.refusals))
            cells[1:] = [f"{number:,}" for number in (*numbers, *map(ended.__getitem__, policies))]
        elif isinstance(result, VectorReplay):
            cells[3] = f"{sum(result.refusals.values()):,}"
        verdict = Text(f"  {one.verdict.value}", STYLES[one.verdict])
        table.add_row(Text(one.file.name.removesuffix(".jsonl")), *cells, verdict)
    overall = verdict_of_all(played)
    traces = f"{len(played)} traces: "
    return [Group(table, Text.assemble(traces, (overall.value, STYLES[overall])))]
