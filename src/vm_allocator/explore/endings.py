"""Which actions happen, and at which guards they are refused: a proof about nothing is none.

An ending is a grant of an action, or its refusal at one guard. What is seen is executed. What
is not seen may still be proved to be impossible: from any state in which the invariants hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .steps import Site

if TYPE_CHECKING:
    from .search import Unrolling
    from .subject import Subject
    from .trace import Trace

Ending: TypeAlias = "str | Site"
"""The name of an action that is granted, or a guard that refuses."""


class Endings:
    """What was seen to happen, each with a shortest run to it: `look` at every depth."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.seen: dict[Ending, Trace] = {}
        self.depth = 0
        """Up to so many actions it was looked for."""
        self.unsure: set[Ending] = set()
        """What the solver once gave up on."""
        self.known: dict[Ending, None] = dict.fromkeys(a.name for a in subject.actions)
        """Of the guards of an action, the one that is met last comes first."""

    @property
    def unseen(self) -> list[Ending]:
        """Return what was not seen to happen."""
        return [ending for ending in self.known if ending not in self.seen]

    @property
    def idle_actions(self) -> list[str]:
        """Return the actions that were not seen to be granted."""
        return [ending for ending in self.unseen if isinstance(ending, str)]

    def blocking(self, action: str) -> Site | None:
        """Return the guard that an action was not seen to get beyond; `None` if it has none."""
        return next(
            (
                ending
                for ending in self.known
                if isinstance(ending, Site) and ending.operation == action and ending in self.seen
            ),
            None,
        )

    def look(self, runs: Unrolling) -> None:
        """Look at the runs of their present length, the last action of which may be anything."""
        self.depth = runs.depth
        if not runs.depth:
            return
        for action in self.idle_actions:
            self._note(action, runs.granted(action))
        for site, ways in runs.refusals().items():
            self.known.setdefault(site)
            for way in ways:
                if site not in self.seen:
                    self._note(site, runs.refused(way))

    def _note(self, ending: Ending, found: Trace | str) -> None:
        if isinstance(found, str):
            if found == "unknown":
                self.unsure.add(ending)
        else:
            self.seen[ending] = found
