"""A target that says what it was told to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm_allocator.checker.target import Answer, Played, play_one_by_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_allocator.checker.calls import Call, Reply, Space
    from vm_allocator.checker.profile import Profile


class Scripted:
    """Answers `begin` with the first reply, and each call with the next one."""

    def __init__(self, profile: Profile, begun: Reply, *replies: Reply) -> None:
        self.profile = profile
        self._begun = begun
        self._replies = iter(replies)

    def begin(self, space: Space) -> Reply:
        del space
        return self._begun

    def ask(self, call: Call) -> Answer:
        del call
        return Answer(next(self._replies))

    def play(self, space: Space, calls: Sequence[Call]) -> Played:
        return play_one_by_one(self, space, calls)

    def close(self) -> None:
        """Nothing was started."""
