"""The messages of docs/protocol.md: calls and replies as JSON lines, both ways."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from vm_allocator.modelling import Range

from .calls import (
    Allocate,
    Batch,
    Done,
    Failed,
    Failure,
    Free,
    Pick,
    Refused,
    Skipped,
    Space,
    Update,
)
from .device_calls import Kept, Need, Register, Unregister, UpdateDevice
from .target import Listed
from .wide import AbortMove, BeginMove, CommitMove, Reload, UpdateMany, Wide

if TYPE_CHECKING:
    from .calls import Call, Plain, Reply

Number: TypeAlias = int | str
Pair: TypeAlias = tuple[int, int]
_LONGEST_NAME: Final = 200
encode = msgspec.json.Encoder().encode


class WireError(ValueError):
    """A line that is not what the protocol wants."""


class NeedMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a device needs of a pool."""

    pool: str
    size: int
    align: int | None = None
    start: int | None = None


class KeptMessage(msgspec.Struct, frozen=True):
    """What a device keeps of a pool."""

    pool: str
    start: int
    size: int


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request, whatever its `op`."""

    id: int
    op: str
    base: int | None = None
    last: int | None = None
    start: int | None = None
    size: int | None = None
    old_start: int | None = None
    old_size: int | None = None
    policy: str | None = None
    align: int | None = None
    within: Pair | None = None
    changes: tuple[tuple[Pair | None, Pair | None], ...] | None = None
    calls: tuple[dict[str, Any], ...] | None = None
    device: str | None = None
    needs: tuple[NeedMessage, ...] = ()
    keep: tuple[KeptMessage, ...] = ()
    pools: dict[str, Pair] | None = None
    thread: int | None = None


class ReplyMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reply: exactly one of the fields besides `id` is there."""

    id: int
    ok: bool | None = None
    granted: Number | tuple[Number | None, ...] | None = None
    refused: str | None = None
    at: int | None = None
    crashed: str | None = None
    skipped: str | None = None
    live: list[tuple[Number, Number]] | None = None
    devices: dict[str, list[tuple[Number, Number]]] | None = None
    detail: str = ""


_requests = msgspec.json.Decoder(Request)
_replies = msgspec.json.Decoder(ReplyMessage)


def read_request(line: bytes) -> Request:
    """Return the request in a line. Raises `WireError`."""
    try:
        return _requests.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from None


def request_of(number: int, call: Call, thread: int | None = None) -> Request | dict[str, Any]:
    """Return a call as a request; with a thread, as one of several that are open at once."""
    of_thread = {} if thread is None else {"thread": thread}
    if isinstance(call, Wide):
        return {"id": number, **call.message(), **of_thread}
    if isinstance(call, Batch):
        calls = [_part(one) for one in call.calls]
        return {"id": number, "op": "batch", "calls": calls, **of_thread}
    if isinstance(call, Free):
        return Request(number, "free", start=call.start, size=call.size, thread=thread)
    within = None if call.within is None else (call.within.start, call.within.end)
    if isinstance(call, Update):
        return Request(
            number,
            "update",
            start=call.start,
            size=call.size,
            old_start=call.old_start,
            old_size=call.old_size,
            align=call.align,
            within=within,
            thread=thread,
        )
    return Request(
        number,
        "allocate",
        start=call.start,
        size=call.size,
        policy=None if call.start is not None else call.pick.value,
        align=call.align,
        within=within,
        thread=thread,
    )


def _part(call: Plain) -> dict[str, Any]:
    """Return a call of a batch: a request without a number."""
    found: dict[str, Any] = msgspec.to_builtins(request_of(0, call))
    del found["id"]
    return found


def call_of(request: Request) -> Call:
    """Return the call that a request asks for. Raises `WireError`."""
    if request.op == "batch" and request.calls is not None:
        return Batch(tuple(_part_of(one) for one in request.calls))
    return _wide_of(request) or _plain_of(request)


def _part_of(data: dict[str, Any]) -> Plain:
    try:
        return _plain_of(msgspec.convert({"id": 0, **data}, Request))
    except msgspec.ValidationError as error:
        raise WireError(f"a call of the batch: {error}") from None


def _wide_of(request: Request) -> Wide | None:
    within = None if request.within is None else Range(*request.within)
    match request:
        case Request(op="update_many", changes=tuple(pairs)):
            changes = tuple((_range(old), _range(new)) for old, new in pairs)
            return UpdateMany(changes, request.align, within)
        case Request(
            op="move_begin",
            old_start=int(old_start),
            old_size=int(old_size),
            start=int(start),
            size=int(size),
        ):
            old, new = _sized(old_start, old_size), _sized(start, size)
            return BeginMove(old, new, request.align, within)
        case Request(op="move_commit", old_start=int(old_start), old_size=int(old_size)):
            return CommitMove(_sized(old_start, old_size))
        case Request(op="move_abort", old_start=int(old_start), old_size=int(old_size)):
            return AbortMove(_sized(old_start, old_size))
        case Request(op="reload"):
            return Reload()
    return _about_device(request, request.device) if request.device is not None else None


def _about_device(request: Request, device: str) -> Wide | None:
    needs = tuple(Need(one.pool, one.size, one.align, one.start) for one in request.needs)
    if request.op == "register":
        return Register(device, needs)
    if request.op == "unregister":
        return Unregister(device)
    if request.op == "update_device":
        kept = tuple(Kept(one.pool, _sized(one.start, one.size)) for one in request.keep)
        return UpdateDevice(device, needs, kept)
    return None


def _range(ends: Pair | None) -> Range | None:
    return None if ends is None else Range(*ends)


def _sized(start: int, size: int) -> Range:
    return Range(start, start + size - 1)


def _plain_of(request: Request) -> Plain:
    within = None if request.within is None else Range(*request.within)
    match request:
        case Request(op="allocate", size=int(size)):
            try:
                pick = Pick(request.policy or Pick.FIRST.value)
            except ValueError:
                raise WireError(f"no policy is called {request.policy!r}") from None
            return Allocate(size, request.start, pick, request.align, within)
        case Request(op="free", start=int(start), size=int(size)):
            return Free(start, size)
        case Request(
            op="update",
            old_start=int(old_start),
            old_size=int(old_size),
            start=int(start),
            size=int(size),
        ):
            return Update(old_start, old_size, start, size, request.align, within)
    raise WireError(f"{request.op!r} is no operation, or lacks a field")


def new(number: int, space: Space) -> Request:
    """Return the request for a fresh allocator."""
    if space.pools:
        return Request(
            number, "new", pools={name: (one.start, one.end) for name, one in space.pools}
        )
    return Request(number, "new", base=space.base, last=space.last)


def space_of(request: Request) -> Space:
    """Return the space that `new` asks for. Raises `WireError`."""
    if request.pools:
        return Space.of({name: Range(*ends) for name, ends in request.pools.items()})
    if request.base is None or request.last is None:
        raise WireError("new needs base and last, or pools")
    return Space(request.base, request.last)


def listing(number: int, listed: Listed) -> bytes:
    """Return what is live, as a reply."""
    found: dict[str, Any] = {"id": number, "live": listed.live}
    return encode(found if listed.devices is None else {**found, "devices": listed.devices})


def message_of(number: int, reply: Done | Refused | Skipped | Failed) -> ReplyMessage:
    """Return a reply as a message. A hang has none."""
    match reply:
        case Done(starts=tuple(starts)):
            return ReplyMessage(number, granted=starts)
        case Done(start=None):
            return ReplyMessage(number, ok=True)
        case Done(start=start):
            return ReplyMessage(number, granted=start)
        case Refused(reason=reason, at=at):
            return ReplyMessage(number, refused=reason, at=at)
        case Skipped(why=why):
            return ReplyMessage(number, skipped=why)
        case Failed(name=name, detail=detail):
            return ReplyMessage(number, crashed=name, detail=detail)


class Wants(enum.Enum):
    """What a reply has to hold when the operation was carried out."""

    OK = "ok"
    START = "granted"
    STARTS = "granted, as a list"
    RANGES = "live"


def wanted_by(call: Call) -> Wants:
    """Return what the reply to a call has to hold."""
    if isinstance(call, (Batch, Register, UpdateDevice)):
        return Wants.STARTS
    return Wants.START if isinstance(call, Allocate) else Wants.OK


def read_reply(  # noqa: PLR0911  # one way out for each thing that can be wrong
    line: bytes, number: int, wants: Wants
) -> Reply | Listed:
    """Return the reply in a line, or what is live if that is wanted.

    `number` is the request's. What is wrong with a line is a reply too: `Failed`, as garbage.
    """
    try:
        message = _replies.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _garbage("a line that is no reply", line)
    if message.id != number:
        return _garbage("a reply to another request", line)
    declined = _declined(message)
    if declined is not None:
        return declined
    try:
        if wants is Wants.RANGES and message.live is not None:
            return _listed(message.live, message.devices)
        granted = message.granted
        if wants is Wants.STARTS and isinstance(granted, tuple):
            return Done(starts=tuple(None if one is None else _number(one) for one in granted))
        if wants is Wants.START and isinstance(granted, (int, str)):
            return Done(_number(granted))
    except ValueError:
        return _garbage("a number that is none", line)
    if wants is Wants.OK and message.ok:
        return Done()
    return _garbage("a reply without what was asked for", line)


def _listed(
    live: list[tuple[Number, Number]], devices: dict[str, list[tuple[Number, Number]]] | None
) -> Listed:
    def ranges(pairs: list[tuple[Number, Number]]) -> tuple[Range, ...]:
        return tuple(Range(_number(start), _number(end)) for start, end in pairs)

    if devices is None:
        return Listed(ranges(live))
    return Listed(ranges(live), {name: ranges(held) for name, held in devices.items()})


def reply_number(line: bytes) -> int | None:
    """Return the number of the request that a line replies to; `None` for what is no reply."""
    try:
        return _replies.decode(line).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _declined(message: ReplyMessage) -> Reply | None:
    # Names go into keys and reports: a page of text is cut.
    if message.crashed is not None:
        return Failed(Failure.CRASH, message.crashed[:_LONGEST_NAME], message.detail[:2_000])
    if message.refused is not None:
        return Refused(message.refused[:_LONGEST_NAME], message.at)
    return None if message.skipped is None else Skipped(message.skipped[:_LONGEST_NAME])


def _number(value: Number) -> int:
    return value if isinstance(value, int) else int(value, 0)


def _garbage(what: str, line: bytes) -> Failed:
    shown = line[:200].decode(errors="replace")
    return Failed(Failure.GARBAGE, what, f"the line: {shown!r}")
