"""How calls are put to an object in Python: by the methods that docs/checking.md names."""

from __future__ import annotations

import json
from operator import index
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.modelling import Range
from vm_allocator.policy import FirstMatch, LastMatch
from vm_allocator.ranges import RangeInclusive

from .calls import Allocate, Batch, Done, Failed, Failure, Free, Pick, Refused, Skipped
from .device_calls import DeviceCall, Unregister, UpdateDevice
from .wide import AbortMove, BeginMove, CommitMove, Reload, UpdateMany, Wide

if TYPE_CHECKING:
    from .calls import Call, Plain, Reply

_ORDERS: Final = {Pick.FIRST: FirstMatch, Pick.LAST: LastMatch}


class _NotDoneError(Exception):
    """Leaves the block of a transaction when a call could not be put to the target."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


class Caller:
    """Puts calls to one allocator. What its methods raise is raised on."""

    def __init__(
        self, made: Any, *, takes_policy: bool, refusals: tuple[type[BaseException], ...]
    ) -> None:
        self.made = made
        self._takes_policy = takes_policy
        self._refusals = refusals
        self._moves: dict[Range, Any] = {}
        """The last move of each range, by what it was begun with, whether it has ended or not."""

    def do(self, call: Call) -> Reply:
        """Put one call to the allocator."""
        if isinstance(call, Batch):
            return self._batch(call)
        if isinstance(call, Wide):
            return self._wide(call)
        return self._plain(self.made, call)

    def _wide(self, call: Wide) -> Reply:
        made = self.made
        if isinstance(call, DeviceCall):
            return self._device(call)
        ranges = [one for _, one in call.places()]
        if any(one.end < one.start for one in ranges):
            return Skipped("an empty range")
        match call:
            case UpdateMany():
                changes = [(_inclusive(old), _inclusive(new)) for old, new in call.changes]
                made.update_many(changes, **_options(call))
            case BeginMove(old_range=old, new_range=new):
                sizes = old.end - old.start + 1, new.end - new.start + 1
                move = made.move(old.start, sizes[0], new.start, sizes[1], **_options(call))
                self._moves[old] = move
            case CommitMove() | AbortMove():
                if call.old_range not in self._moves:
                    return Skipped("no such move was ever begun")
                move = self._moves[call.old_range]
                if isinstance(call, CommitMove):
                    move.commit()
                else:
                    move.abort()
            case Reload():
                self._reload()
        return Done()

    def _reload(self) -> None:
        """Go on with what is restored, by way of JSON; moves are ended where they are now."""
        saved = json.loads(json.dumps(self.made.save()))
        self.made = type(self.made).restore(saved)
        pending = self.made.moves() if callable(getattr(self.made, "moves", None)) else ()
        self._moves |= {Range(index(one.old.start), index(one.old.end)): one for one in pending}

    def _device(self, call: DeviceCall) -> Reply:
        made, needs = self.made, list(call.needs)
        if isinstance(call, Unregister):
            made.unregister(call.device)
            return Done()
        if isinstance(call, UpdateDevice):
            granted = made.update_device(call.device, list(call.keep), needs)
        else:
            granted = made.register(call.device, needs)
        try:
            return Done(starts=tuple(index(start) for start in granted))
        except TypeError:
            text = repr(granted)[:200]
            return Failed(Failure.GARBAGE, f"{call.kind} returned no list of numbers", text)

    def _batch(self, batch: Batch) -> Reply:
        """Do the calls in a transaction, which the refusal of one of them leaves."""
        starts: list[int | None] = []
        try:
            with self.made.transaction() as tx:
                on = self.made if tx is None else tx
                for call in batch.calls:
                    reply = self._plain(on, call)
                    if not isinstance(reply, Done):
                        raise _NotDoneError(reply)  # noqa: TRY301  # the transaction is to see it
                    starts.append(reply.start)
        except _NotDoneError as error:
            return error.reply
        except self._refusals as refusal:
            return refused(refusal, len(starts) if len(starts) < len(batch.calls) else None)
        if len(starts) < len(batch.calls):
            return Failed(Failure.CRASH, "the transaction swallowed a refusal")
        return Done(starts=tuple(starts))

    def _plain(self, on: Any, call: Plain) -> Reply:
        if isinstance(call, Free):
            on.free(call.start, call.size)
            return Done()
        if call.within is not None and not 0 <= call.within.start <= call.within.end:
            return Skipped("an empty window")
        options = _options(call)
        if not isinstance(call, Allocate):
            on.update(call.old_start, call.old_size, call.start, call.size, **options)
            return Done()
        if call.start is None and self._takes_policy and call.pick in _ORDERS:
            options["policy"] = _ORDERS[call.pick]
        granted = on.allocate(call.start, call.size, **options)
        start = getattr(granted, "start", granted)  # a range will do as well
        try:
            return Done(index(start))
        except TypeError:
            return Failed(Failure.GARBAGE, "allocate returned no number", repr(granted)[:200])


def _options(call: Any) -> dict[str, Any]:
    found: dict[str, Any] = {} if call.align is None else {"align": call.align}
    return found if call.within is None else {**found, "within": RangeInclusive(*call.within)}


def _inclusive(one: Range | None) -> RangeInclusive[Any] | None:
    return None if one is None else RangeInclusive(one.start, one.end)


def refused(refusal: BaseException, at: int | None = None) -> Refused:
    """Return an exception as a refusal, by the name that it gives itself, or by its type."""
    return Refused((getattr(refusal, "refusal", "") or type(refusal).__name__)[:200], at)
