"""What all the machines share: a session, and which of its subjects acts next."""

from __future__ import annotations

from abc import abstractmethod
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from vm_allocator.lockstep import Lockstep

from .requests import Requests
from .session import Operation, Run, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Subject

# One draw of hypothesis per step, from which everything about the step follows. Draws of
# hypothesis cost more than the step itself, and its shrinking is not used (shrinking.py).
CHANCE = st.binary(min_size=8, max_size=8).map(Random)
_ENOUGH_COPIES: Final = 3

M = TypeVar("M", bound="Callable[..., None]")


def has_live(subject: Subject) -> bool:
    """Whether something is live."""
    return not subject.model.live.all(lambda _: False)


def has_gap(subject: Subject) -> bool:
    """Whether something is free."""
    return not subject.model.gaps().all(lambda _: False)


def has_pending(subject: Subject) -> bool:
    """Whether a move was begun and has not ended."""
    return isinstance(subject, Lockstep) and bool(subject.state.moves)


def has_holds(subject: Subject) -> bool:
    """Whether the platform holds something."""
    return isinstance(subject, Lockstep) and bool(subject.state.holds)


def always(_: Subject) -> bool:
    """Whether anything at all is there: it is."""
    return True


def step(needs: Callable[[Subject], bool] = always) -> Callable[[M], M]:
    """Mark a method as a rule, to be run only if some subject has what it needs."""

    def ready(machine: SessionMachine) -> bool:
        return any(map(needs, machine.session.subjects.values()))

    def mark(method: M) -> M:
        marked = precondition(ready)(rule(chance=CHANCE)(method))
        marked.__ready__ = ready  # type: ignore[attr-defined]  # functions take attributes
        return cast("M", marked)

    return mark


class SessionMachine(RuleBasedStateMachine):
    """Random operations on a subject and a copy of it, each beside its oracle.

    The numbers drawn are plain ints for addresses and ids alike, hence `Any` here and there.
    """

    run: ClassVar[Run]  # set by the runner, on a subclass of its own
    kinds: ClassVar[list[Callable[..., None]]]  # of steps

    def __init__(self) -> None:
        super().__init__()
        self.run.tally.examples += 1
        self.run.session = None
        self.copies = 0

    @abstractmethod
    def builder(self, first: int, last: int, align: Callable[[], int]) -> Callable[[], Subject]:
        """Return what builds a fresh subject for that space; `align` draws alignments."""

    @property
    def session(self) -> Session:
        """The session of this example, which `start` has begun."""
        if self.run.session is None:
            raise RuntimeError("hypothesis runs the initialize rule before all others")
        return self.run.session

    @initialize(chance=CHANCE)
    def start(self, chance: Random) -> None:
        """Choose a space, and set up the subject."""
        first, last = chance.choice(self.run.spaces)
        # Alignment 1 hides no other refusal, so it is the default one half of the time.
        ones = (1,) * len(self.run.alignments)
        alignments = (*ones, *self.run.alignments)
        build = self.builder(first, last, lambda: chance.choice(alignments))
        self.run.session = Session(build)

    def choose(
        self, chance: Random, suits: Callable[[Subject], bool] = always
    ) -> tuple[str, Requests]:
        """Draw which subject acts, and return its name and the draws for its state."""
        self.run.tally.steps += 1
        suitable = [subject for subject in self.session.subjects.values() if suits(subject)]
        subject = chance.choice(suitable)
        return subject.name, Requests(chance, subject.model, self.run.alignments)

    def do(self, on: str, method: str, *arguments: Any, **options: Any) -> Any:
        """Carry out an operation and return what came of it. Raises `DisagreementError`."""
        return self.session.do(Operation(on, method, arguments, options))

    @rule(chance=CHANCE)
    def a_dozen_of_everything(self, chance: Random) -> None:
        """Take twelve steps of any kind: several times as fast as twelve rules of hypothesis."""
        for _ in range(12):
            kinds = [kind for kind in self.kinds if kind.__ready__(self)]  # type: ignore[attr-defined]  # marked by `step`
            chance.choice(kinds)(self, chance=chance)

    def __init_subclass__(cls) -> None:
        members = (getattr(cls, name) for name in sorted(dir(cls)))
        cls.kinds = [member for member in members if hasattr(member, "__ready__")]

    @step()
    def copy_one(self, chance: Random) -> None:
        """Go on with a subject and a fresh copy of it; the two must not know of each other."""
        if self.copies < _ENOUGH_COPIES:
            on, _ = self.choose(chance)
            self.copies += 1
            self.do(on, "fork", f"copy_{self.copies}")
