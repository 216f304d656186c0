"""A program played on an adapter that answers concurrent calls: see docs/protocol.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vm_allocator.checker import wire
from vm_allocator.checker.calls import Done, Failed, Skipped
from vm_allocator.checker.process import ChildFailure
from vm_allocator.checker.remote import RemoteTarget

from .history import ALONE, Event, History
from .plays import Played
from .programs import left_by

if TYPE_CHECKING:
    from vm_allocator.checker.calls import Call, Reply
    from vm_allocator.checker.target import Listed
    from vm_allocator.modelling import Range
    from vm_allocator.threads import Schedule

    from .programs import Planned, Program


class RemotePlayer(RemoteTarget):
    """Plays programs behind an adapter command. A schedule is nothing that an adapter can follow.

    A call begins before its request is written, and ends after its reply was read: whatever the
    adapter does, it does in between.
    """

    scheduled = False

    def perform(self, program: Program, schedule: Schedule | None) -> Played:
        """See `Player`."""
        del schedule
        begun = self.begin(program.space)
        if not isinstance(begun, Done):
            return Played(failed=begun if isinstance(begun, Failed) else None)
        play = _Play(self)
        failed = play.run(program)
        live = None
        if failed is None and self.profile.lists:
            found = self.list_live()
            if isinstance(found, Failed):
                failed = found
            else:
                live = found.live
        events = tuple(sorted(play.events.values(), key=lambda event: event.began))
        return Played(History(program.space, events, live), failed)

    def list_live(self) -> Listed | Failed:
        """Return what is live, as the adapter lists it; nothing else is going on."""
        number = self._next()
        try:
            self._send(wire.encode(wire.Request(number, "live")) + b"\n")
            found: Listed | Failed = self._receive(number, wire.Wants.RANGES)
        except ChildFailure as failure:
            return self._give_up(failure.failed)
        return found

    def ask_for(self, thread: int, call: Call) -> tuple[int, bytes]:
        """Return the number and the line of a request of a thread."""
        number = self._next()
        request = wire.request_of(number, call, thread)
        return number, wire.encode(request) + b"\n"

    def send_lines(self, lines: list[bytes]) -> None:
        """Send requests. Raises `ChildFailure`."""
        self._send(b"".join(lines))

    def next_line(self) -> bytes:
        """Return the next reply. Raises `ChildFailure`."""
        if self._child is None:
            raise RuntimeError("an adapter that is asked for replies is running")
        return self._child.read_line()

    def give_up(self, failed: Failed) -> Failed:
        """End the adapter after a failure, which is returned."""
        return self._give_up(failed)


class _Play:
    """One program on its way: each thread has one call open at most."""

    def __init__(self, player: RemotePlayer) -> None:
        self._player = player
        self.events: dict[int, Event] = {}
        self._moments = 0
        self._granted: dict[int, Range] = {}
        self._open: dict[int, tuple[int, Planned]] = {}
        """By request number: the thread, and the call."""

    def run(self, program: Program) -> Failed | None:
        """Make all calls; return how the adapter failed, if it did."""
        try:
            failed = self._together([program.parts[0]], ALONE)
            return failed or self._together(program.parts[1:], ALONE + 1)
        except ChildFailure as failure:
            return self._player.give_up(failure.failed)

    def _together(
        self, parts: tuple[tuple[Planned, ...], ...] | list[tuple[Planned, ...]], first: int
    ) -> Failed | None:
        waiting = {number: list(part) for number, part in enumerate(parts, start=first)}
        self._send([line for number in waiting for line in self._next(number, waiting[number])])
        while self._open:
            line = self._player.next_line()
            number = wire.reply_number(line)
            if number not in self._open:
                failed = wire.read_reply(line, -1, wire.Wants.OK)
                return self._player.give_up(failed) if isinstance(failed, Failed) else None
            thread, planned = self._open.pop(number)
            call = self.events[number].call
            reply = wire.read_reply(line, number, wire.wanted_by(call))
            if isinstance(reply, Failed):
                return self._player.give_up(reply)
            if not isinstance(reply, tuple):
                self._note(number, planned, reply)
            self._send(self._next(thread, waiting[thread]))
        return None

    def _note(self, number: int, planned: Planned, reply: Reply) -> None:
        event = self.events[number]
        if isinstance(reply, Skipped):
            del self.events[number]
            return
        self.events[number] = replace(event, ended=self._moment(), reply=reply)
        left = left_by(planned.call, reply)
        if left is not None:
            self._granted[planned.name] = left

    def _next(self, thread: int, waiting: list[Planned]) -> list[bytes]:
        """Return the next request of a thread, if there is one, and take note of it."""
        while waiting:
            planned = waiting.pop(0)
            call = planned.resolved(self._granted)
            if call is not None:
                number, line = self._player.ask_for(thread, call)
                self._open[number] = thread, planned
                self.events[number] = Event(thread, call, self._moment(), name=planned.name)
                return [line]
        return []

    def _send(self, lines: list[bytes]) -> None:
        if lines:
            self._player.send_lines(lines)

    def _moment(self) -> int:
        self._moments += 1
        return self._moments - 1
