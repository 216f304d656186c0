"""Single calls made smaller: what shrinking tries in place of a call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from vm_allocator.modelling import Range

from .calls import Allocate, Batch, Done, Free, Pick, Update
from .wide import Wide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .calls import Call, Plain, Reply

    Place: TypeAlias = tuple[int, int]


def options_of(call: Call) -> int:
    """Return how many parts a call has that it could do without, or that make no sense."""
    if isinstance(call, Wide):
        return call.options()
    if isinstance(call, Batch):
        return len(call.calls) + sum(map(options_of, call.calls))
    # A size of 0 makes no sense, and is no simpler than one that does.
    options = int(call.size < 1) + (isinstance(call, Update) and call.old_size < 1)
    if isinstance(call, Free):
        return options
    options += (call.align is not None) + (call.within is not None)
    return options + (
        isinstance(call, Allocate) and call.start is None and call.pick is not Pick.FIRST
    )


def mapped(call: Call, f: Callable[[int], int]) -> Call:
    """Move what a call is about; a range keeps at least one address."""
    if isinstance(call, Wide):
        return call.ranges(lambda one: Range(f(one.start), max(f(one.start), f(one.end + 1) - 1)))
    if isinstance(call, Batch):
        return Batch(tuple(_mapped(one, f) for one in call.calls))
    return _mapped(call, f)


def _mapped(call: Plain, f: Callable[[int], int]) -> Plain:
    def sized(start: int, size: int) -> int:
        return max(1, f(start + size) - f(start)) if size > 0 else size

    if isinstance(call, Free):
        return Free(f(call.start), sized(call.start, call.size))
    within = call.within
    if within is not None:
        low = f(within.start)
        within = Range(low, max(low, f(within.end + 1) - 1))
    if isinstance(call, Update):
        return replace(
            call,
            old_start=f(call.old_start),
            old_size=sized(call.old_start, call.old_size),
            start=f(call.start),
            size=sized(call.start, call.size),
            within=within,
        )
    if call.start is None:
        return replace(call, within=within)
    return replace(call, start=f(call.start), size=sized(call.start, call.size), within=within)


def ranges_of(call: Call, reply: object) -> list[Range]:
    """Return what a call is about, and what was granted."""
    if isinstance(call, Wide):
        return [one for _, one in call.places()]
    if isinstance(call, Batch):
        return [one for part, start in parts(call, reply) for one in ranges_of(part, start)]
    if isinstance(call, Free):
        return [Range(call.start, call.start + call.size - 1)]
    found = [] if call.within is None else [call.within]
    start = call.start if call.start is not None else getattr(reply, "start", None)
    if isinstance(start, int):
        found.append(Range(start, start + call.size - 1))
    if isinstance(call, Update):
        found.append(Range(call.old_start, call.old_start + call.old_size - 1))
    return found


def parts(batch: Batch, reply: object) -> list[tuple[Plain, Done]]:
    """Return the calls of a batch, each with what the reply to the whole says of it."""
    starts = reply.starts if isinstance(reply, Done) and reply.starts is not None else ()
    starts += (None,) * (len(batch.calls) - len(starts))
    return [(call, Done(start)) for call, start in zip(batch.calls, starts, strict=False)]


def plainer(call: Call, reply: Reply) -> Iterator[Call]:
    """Yield the call without an option or a part, or for the very place that was granted."""
    if isinstance(call, Wide):
        yield from call.simpler()
    elif isinstance(call, Batch):
        for at in range(len(call.calls)):
            yield Batch(call.calls[:at] + call.calls[at + 1 :])
        for at, (one, start) in enumerate(parts(call, reply)):
            for other in _plainer(one, start):
                yield _in_batch(call, at, other)
    else:
        yield from _plainer(call, reply)


def _plainer(call: Plain, reply: object) -> Iterator[Plain]:
    if isinstance(call, Free):
        return
    if call.align is not None:
        yield replace(call, align=None)
    if call.within is not None:
        yield replace(call, within=None)
    if isinstance(call, Allocate) and call.start is None:
        if call.pick is Pick.LAST:
            yield replace(call, pick=Pick.FIRST)
        granted = getattr(reply, "start", None)
        if isinstance(granted, int):
            yield Allocate(call.size, granted)


def lower(call: Call) -> Iterator[Call]:
    """Yield the call with one of its numbers, or ranges, smaller."""
    if isinstance(call, Wide):
        yield from call.smaller()
        for one in dict.fromkeys(place for _, place in call.places()):
            for other in _lower_ranges(one):
                yield call.ranges(_changing(one, other))
    elif isinstance(call, Batch):
        for at, one_call in enumerate(call.calls):
            for other_call in _lower(one_call):
                yield _in_batch(call, at, other_call)
    else:
        yield from _lower(call)


def _lower(call: Plain) -> Iterator[Plain]:
    for name in ("size", "start", "old_size", "old_start", "align"):
        value = getattr(call, name, None)
        if isinstance(value, int) and value > 0:
            for smaller in smaller_numbers(value):
                yield replace(call, **{name: smaller})  # type: ignore[arg-type]  # a field of this call


def _lower_ranges(one: Range) -> Iterator[Range]:
    size = one.end - one.start + 1
    for smaller in smaller_numbers(size) if size > 1 else ():
        yield Range(one.start, one.start + max(smaller, 1) - 1)
    for start in smaller_numbers(one.start) if one.start > 0 else ():
        yield Range(start, start + size - 1)


def placed(call: Call, reply: Reply, old: Place, new: Place) -> Call:
    """Return the call, about the new start and size where it was about the old."""
    if isinstance(call, Wide):
        was, will = (Range(start, start + size - 1) for start, size in (old, new))
        return call.ranges(_changing(was, will))
    if isinstance(call, Batch):
        return Batch(tuple(_placed(one, start, old, new) for one, start in parts(call, reply)))
    return _placed(call, reply, old, new)


def _placed(call: Plain, reply: Reply, old: Place, new: Place) -> Plain:
    if isinstance(call, Update) and (call.old_start, call.old_size) == old:
        call = replace(call, old_start=new[0], old_size=new[1])
    if (call.start, call.size) == old:
        return replace(call, start=new[0], size=new[1])
    granted = call.start is None and isinstance(reply, Done) and (reply.start, call.size) == old
    return replace(call, size=new[1]) if granted else call


def smaller_numbers(value: int) -> Iterator[int]:
    """Yield smaller numbers, so that the least that does is reached in logarithmic time."""
    yield 0
    yield 1
    shift = value.bit_length() - 1
    while shift >= 0:
        yield value - (1 << shift)
        shift -= 1


def _changing(old: Range, new: Range) -> Callable[[Range], Range]:
    return lambda one: new if one == old else one


def _in_batch(batch: Batch, at: int, call: Plain) -> Batch:
    """Return the batch with another call at that position."""
    return Batch((*batch.calls[:at], call, *batch.calls[at + 1 :]))
