"""A target: an implementation under check, wherever it runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from .calls import Done, Failed, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vm_allocator.modelling import Range

    from .calls import Call, Reply, Space
    from .profile import Profile, TargetError


_FACTORY: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def names_a_factory(words: Sequence[str]) -> bool:
    """Whether what names a target is package.module:factory, and not an adapter's command."""
    return len(words) == 1 and _FACTORY.fullmatch(words[0]) is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and after it the live ranges, and what devices hold, if the target lists them."""

    reply: Reply
    live: tuple[Range, ...] | None = None
    devices: Mapping[str, tuple[Range, ...]] | None = None


class Listed(NamedTuple):
    """What a target lists: the live ranges, and of a target with devices what each holds."""

    live: tuple[Range, ...]
    devices: Mapping[str, tuple[Range, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a sequence of calls on a fresh allocator.

    There may be fewer answers than calls: a target that failed is asked nothing more.
    """

    begun: Reply
    answers: tuple[Answer, ...] = field(default=())


class Target(Protocol):
    """One allocator at a time, made anew by `begin`. Failing is an answer and raises nothing."""

    @property
    def profile(self) -> Profile:
        """What the target said of itself."""
        ...

    def begin(self, space: Space) -> Reply:
        """Forget the allocator before, if any, and make one that manages this space."""
        ...

    def ask(self, call: Call) -> Answer:
        """Put one call to the allocator that was begun."""
        ...

    def play(self, space: Space, calls: Sequence[Call]) -> Played:
        """Begin, and put all these calls to it, up to the first failure."""
        ...

    def close(self) -> None:
        """Let go of whatever was started. The target can be used again: it starts anew."""
        ...


def play_one_by_one(target: Target, space: Space, calls: Sequence[Call]) -> Played:
    """Play the calls one after the other: what a target does that has no faster way."""
    begun = target.begin(space)
    answers: list[Answer] = []
    if isinstance(begun, Done):
        for call in calls:
            answers.append(target.ask(call))
            if isinstance(answers[-1].reply, Failed):
                break
    return Played(begun, tuple(answers))


def not_started(error: TargetError) -> Failed:
    """Return what it is if a target that has run before does not start again."""
    return Failed(Failure.CRASH, "it does not start again", str(error))
