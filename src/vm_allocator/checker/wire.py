"""The messages of docs/protocol.md: calls and replies as JSON lines, both ways."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from vm_allocator.modelling import Range

from .calls import Allocate, Done, Failed, Failure, Free, Pick, Refused, Skipped, Space, Update

if TYPE_CHECKING:
    from .calls import Reply

Number: TypeAlias = int | str
_LONGEST_NAME: Final = 200
encode = msgspec.json.Encoder().encode


class WireError(ValueError):
    """A line that is not what the protocol wants."""


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
    within: tuple[int, int] | None = None
    thread: int | None = None


class ReplyMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reply: exactly one of the fields besides `id` is there."""

    id: int
    ok: bool | None = None
    granted: Number | None = None
    refused: str | None = None
    crashed: str | None = None
    skipped: str | None = None
    live: list[tuple[Number, Number]] | None = None
    detail: str = ""


_requests = msgspec.json.Decoder(Request)
_replies = msgspec.json.Decoder(ReplyMessage)


def read_request(line: bytes) -> Request:
    """Return the request in a line. Raises `WireError`."""
    try:
        return _requests.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from None


def request_of(number: int, call: Allocate | Free | Update, thread: int | None = None) -> Request:
    """Return a call as a request; with a thread, as one of several that are open at once."""
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


def call_of(request: Request) -> Allocate | Free | Update:
    """Return the call that a request asks for. Raises `WireError`."""
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
    return Request(number, "new", base=space.base, last=space.last)


def message_of(number: int, reply: Done | Refused | Skipped | Failed) -> ReplyMessage:
    """Return a reply as a message. A hang has none."""
    match reply:
        case Done(start=None):
            return ReplyMessage(number, ok=True)
        case Done(start=start):
            return ReplyMessage(number, granted=start)
        case Refused(reason=reason):
            return ReplyMessage(number, refused=reason)
        case Skipped(why=why):
            return ReplyMessage(number, skipped=why)
        case Failed(name=name, detail=detail):
            return ReplyMessage(number, crashed=name, detail=detail)


class Wants(enum.Enum):
    """What a reply has to hold when the operation was carried out."""

    OK = "ok"
    START = "granted"
    RANGES = "live"


def read_reply(  # noqa: PLR0911  # one way out for each thing that can be wrong
    line: bytes, number: int, wants: Wants
) -> Reply | tuple[Range, ...]:
    """Return the reply in a line, or live ranges if they are wanted.

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
            return tuple(Range(_number(start), _number(end)) for start, end in message.live)
        if wants is Wants.START and message.granted is not None:
            return Done(_number(message.granted))
    except ValueError:
        return _garbage("a number that is none", line)
    if wants is Wants.OK and message.ok:
        return Done()
    return _garbage("a reply without what was asked for", line)


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
        return Refused(message.refused[:_LONGEST_NAME])
    return None if message.skipped is None else Skipped(message.skipped[:_LONGEST_NAME])


def _number(value: Number) -> int:
    return value if isinstance(value, int) else int(value, 0)


def _garbage(what: str, line: bytes) -> Failed:
    shown = line[:200].decode(errors="replace")
    return Failed(Failure.GARBAGE, what, f"the line: {shown!r}")
