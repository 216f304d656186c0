"""A target in a process of its own, behind the adapter protocol of docs/protocol.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import wire
from .calls import Call, Done, Failed, Failure
from .process import Child, ChildFailure
from .profile import Profile, TargetError, profile_of
from .target import Answer, Played, not_started, play_one_by_one
from .wire import Wants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .calls import Reply, Space

_AT_ONCE: Final = 100
"""Calls that are sent before replies are read: far less than a pipe holds."""

_START: Final = 30.0
"""Seconds for an adapter to start and to say what it is."""


class RemoteTarget:
    """The allocator behind an adapter command, which errors call by `name`.

    `seconds` is the time limit of one operation.

    The process is started when it is needed, and again after each failure. Raises
    `TargetError` if it cannot be started or says nothing that is a handshake.
    """

    def __init__(self, command: Sequence[str], seconds: float, name: str = "") -> None:
        self._command = tuple(command)
        self._name = name or " ".join(command)
        self._seconds = seconds
        self._child: Child | None = None
        self._number = 0
        self.profile: Profile = self._start()

    def begin(self, space: Space) -> Reply:
        """Make an allocator of this space, in a fresh process if there is none."""
        try:
            if self._child is None:
                self._start()
            number = self._next()
            self._send(wire.encode(wire.new(number, space)) + b"\n")
            reply: Reply = self._receive(number, Wants.OK)
        except ChildFailure as failure:
            return self._give_up(failure.failed)
        except TargetError as error:
            return not_started(error)
        return reply

    def ask(self, call: Call) -> Answer:
        """Put one call to the allocator."""
        return self._ask_all([call])[0]

    def play(self, space: Space, calls: Sequence[Call]) -> Played:
        """Begin, and put all these calls to it: many at once, since a pipe is slow to turn."""
        begun = self.begin(space)
        answers: list[Answer] = []
        if isinstance(begun, Done):
            for first in range(0, len(calls), _AT_ONCE):
                answers += self._ask_all(calls[first : first + _AT_ONCE])
                reply = answers[-1].reply
                if isinstance(reply, Failed):
                    if reply.how is Failure.GARBAGE or len(calls) == 1:
                        break  # it is sure which call this is about
                    return self._play_slowly(space, calls, Played(begun, tuple(answers)))
        return Played(begun, tuple(answers))

    def _play_slowly(self, space: Space, calls: Sequence[Call], before: Played) -> Played:
        """Play calls again that ended in a failure, each after the answer to the one before.

        An adapter may hold replies back while it has more to read, and takes them with it: only
        this way it is sure which call the failure is about.
        """
        again = play_one_by_one(self, space, calls)
        failed = any(isinstance(answer.reply, Failed) for answer in again.answers[-1:])
        return again if failed else before

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.end()
            self._child = None

    # ---- one exchange

    def _ask_all(self, calls: Sequence[Call]) -> list[Answer]:
        lists = self.profile.lists
        first = self._number
        data = []
        for call in calls:
            data.append(wire.encode(wire.request_of(self._next(), call)))
            if lists:
                data.append(wire.encode(wire.Request(self._next(), "live")))
        answers: list[Answer] = []
        try:
            self._send(b"\n".join([*data, b""]))
            for call in calls:
                first += 1
                reply = self._receive(first, wire.wanted_by(call))
                listed: Any = None
                if lists and not isinstance(reply, Failed):
                    first += 1
                    listed = self._receive(first, Wants.RANGES)
                    if isinstance(listed, Failed):
                        reply, listed = listed, None
                answers.append(Answer(reply, *(listed or ())))
                if isinstance(reply, Failed):
                    break
        except ChildFailure as failure:
            answers.append(Answer(self._give_up(failure.failed)))
        return answers

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, data: bytes) -> None:
        if self._child is None:
            raise ChildFailure(Failed(Failure.CRASH, "not running"))
        self._child.write(data)

    def _receive(self, number: int, wants: Wants) -> Any:
        if self._child is None:
            raise ChildFailure(Failed(Failure.CRASH, "not running"))
        reply = wire.read_reply(self._child.read_line(), number, wants)
        if isinstance(reply, Failed):
            # What was sent after this is unanswered: only a fresh process is in a known state.
            self._give_up(reply)
        return reply

    def _give_up(self, failed: Failed) -> Failed:
        if self._child is not None:
            self._child.kill()
            self._child = None
        return failed

    def _start(self) -> Profile:
        name = self._name
        try:
            self._child = Child(self._command, _START)
        except OSError as error:
            problem = f"it cannot be started ({error.strerror})"
            raise TargetError(name, problem, "name a program that can be run") from None
        try:
            line = self._child.read_line()
        except ChildFailure as failure:
            self._give_up(failure.failed)
            said = f": {failure.failed.detail}" if failure.failed.detail else ""
            problem = f"no handshake came ({failure.failed.name}{said})"
            raise TargetError(name, problem, "see docs/protocol.md, 'Rules'") from None
        try:
            profile = _handshake(name, line)
        except TargetError:
            self.close()
            raise
        self._child.seconds = self._seconds
        return profile


def _handshake(name: str, line: bytes) -> Profile:
    """Return what a first line says. Raises `TargetError`."""
    try:
        data = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        problem = f"its first line is no handshake: {line[:100]!r}"
        raise TargetError(name, problem, "see docs/protocol.md, 'The handshake'") from None
    if isinstance(data, dict) and "problem" in data:  # our own adapter explains itself
        raise TargetError(name, str(data["problem"]), str(data.get("remedy", "")))
    return profile_of(name, data)
