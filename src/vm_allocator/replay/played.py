"""One trace, from its file to its verdict: what the command line and its reports are about."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from vm_allocator.address import AddressAllocator
from vm_allocator.ids import IdAllocator

from .disagreement import Disagreement, shorten
from .formats import Kind, Trace, TraceError, read_trace, read_windows
from .outcome import BarReplay, WhenRefused
from .player import play_bars
from .vectors import VectorReplay, play_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from vm_allocator.resource import GuestAddress, GuestUsize, Id

    from .formats import Line

    Watch: TypeAlias = Callable[[Sequence[Line]], Iterable[Line]]


class Verdict(enum.Enum):
    """What is known of a trace."""

    HOLDS = "holds"
    """Allocator and oracle agreed on every operation."""
    REFUTED = "refuted"
    """They differed; or a BAR ended wrong, by a policy that was asked for by name."""
    UNKNOWN = "unknown"
    """The trace could not be played."""


EXIT_CODES: Final = {Verdict.HOLDS: 0, Verdict.REFUTED: 1, Verdict.UNKNOWN: 2}


@dataclass(frozen=True)
class Makers:
    """The allocators to play against: `addresses(base, size)`, `ids(first, last)`."""

    addresses: Callable[[GuestAddress, GuestUsize], AddressAllocator] = AddressAllocator
    ids: Callable[[Id, Id], IdAllocator] = IdAllocator


OURS: Final = Makers()


@dataclass(frozen=True)
class Played:
    """A trace and what came of it; or why it could not be played."""

    file: Path
    trace: Trace | None = None
    result: BarReplay | VectorReplay | None = None
    notes: tuple[str, ...] = ()
    """What had to be assumed, for people."""
    disagreement: Disagreement | None = None
    error: TraceError | None = None
    others: tuple[BarReplay, ...] = ()
    """The same trace of BARs by the other policies, for comparison."""
    must_end_right: bool = False
    """Whether a BAR that ends wrong refutes it: so if the policies were asked for by name."""

    @property
    def by_policy(self) -> tuple[BarReplay, ...]:
        """What came of the BARs, by each policy that was played."""
        return (self.result, *self.others) if isinstance(self.result, BarReplay) else ()

    @property
    def wrong(self) -> int:
        """How many BARs end wrong, over all policies, where none may."""
        return sum(len(one.wrong) for one in self.by_policy) if self.must_end_right else 0

    @property
    def verdict(self) -> Verdict:
        """Whether the allocators did as the specification says, and BARs ended as they must."""
        if self.result is None:
            return Verdict.UNKNOWN
        right = self.disagreement is None and not self.wrong
        return Verdict.HOLDS if right else Verdict.REFUTED


def verdict_of_all(played: Iterable[Played]) -> Verdict:
    """Return `REFUTED` if any is, else `UNKNOWN` if any is."""
    verdicts = {one.verdict for one in played}
    for verdict in (Verdict.REFUTED, Verdict.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Verdict.HOLDS


def play_file(
    file: Path,
    windows: Path | None = None,
    *,
    policies: Sequence[WhenRefused] = (WhenRefused.KEEP,),
    must_end_right: bool = False,
    makers: Makers = OURS,
    watch: Watch = iter,
) -> Played:
    """Play a recorded trace. `watch` wraps the records as they are played, to show progress.

    BARs are played by each of the policies, one at least; the result is that of the first one,
    and `others` those of the others. Interrupts know no policy.

    Raises nothing for a bad file, or for what an allocator does: both are in the result. A
    disagreement is shortened to the fewest records that show it.
    """
    try:
        trace = read_trace(file)
        if trace.kind is Kind.INTERRUPTS:
            return _play_vectors(trace, makers, watch)
        known = read_windows(trace, windows)
    except TraceError as error:
        return Played(file, error=error)
    result, *others = (
        play_bars(watch(trace.lines), known, policy, makers.addresses) for policy in policies
    )
    notes = list(known.notes)
    if trace.kind is Kind.MAPPED:
        notes.append("in this kind of trace a BAR is unmapped first, so one refused holds nothing")
    if result.guest.irregular:
        notes.append(f"{result.guest.irregular} records contradict the ones before them")
    found = next((one for one in (result, *others) if one.disagreement), result)
    shortened = found.disagreement and shorten(
        trace.lines,
        lambda part: play_bars(part, known, found.policy, makers.addresses).disagreement,
    )
    return Played(
        file,
        trace,
        result,
        tuple(notes),
        shortened or found.disagreement,
        others=tuple(others),
        must_end_right=must_end_right,
    )


def _play_vectors(trace: Trace, makers: Makers, watch: Watch) -> Played:
    result = play_vectors(watch(trace.lines), makers.ids)
    notes: tuple[str, ...] = ()
    if result.irregular:
        notes = (f"{result.irregular} records contradict the ones before them and were not played",)
    shortened = result.disagreement and shorten(
        trace.lines, lambda part: play_vectors(part, makers.ids).disagreement
    )
    return Played(trace.file, trace, result, notes, shortened or result.disagreement)
