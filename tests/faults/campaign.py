"""The state machines' own operations, on their own states, each interrupted at every instruction.

A machine draws an operation for the state that it is in. Before it carries it out, copies of
what it drives take it, one for each instruction, with an exception there. Then a copy has to be
in the state before the operation, or in the one after it, all invariants included; and it has to go
on in lockstep with the model from there. What the states are is said by the lockstep classes.
"""

from __future__ import annotations

from collections import Counter
from copy import copy, deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from vm_allocator.address import AddressAllocator
from vm_allocator.gap_tree import GapTree
from vm_allocator.gaps import SortedGaps
from vm_allocator.id_bitmap import IdBitmap
from vm_allocator.ids import IdAllocator
from vm_allocator.lockstep import DisagreementError
from vm_allocator.machines.catalogue import MACHINES, TINY_BITMAP, TINY_TREE, MachineEntry
from vm_allocator.machines.session import Run, Session
from vm_allocator.modelling import Refused

from .injecting import Injection, Place
from .scenes import UNPROTECTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vm_allocator.gaps import GapIndex
    from vm_allocator.machines.base import SessionMachine
    from vm_allocator.machines.session import Operation


class ShortLists(SortedGaps):
    """The reference index as it ships, with lists of 4 items below: so these split and join."""

    def __init__(self, base: int, last: int) -> None:
        super().__init__(base, last)
        self._shorten()

    def copy(self) -> ShortLists:
        twin = super().copy()
        assert isinstance(twin, ShortLists)
        twin._shorten()
        return twin

    def _mend(self) -> None:
        super()._mend()
        self._shorten()

    def _shorten(self) -> None:
        for held in (self._live, self._gaps):
            items: Any = held._items  # type: ignore[attr-defined]  # the real map, behind its protocol
            items._reset(4)


def _addresses(index: Callable[[int, int], GapIndex]) -> Callable[..., AddressAllocator]:
    return partial(AddressAllocator, index=index)


def _entry(name: str, like: str, factory: Callable[..., Any]) -> MachineEntry:
    return replace(MACHINES[like], name=name, factory=factory)


ENTRIES: Final[dict[str, MachineEntry]] = {
    entry.name: entry
    for entry in (
        _entry("GapTree, nodes of 4", "tree-small", TINY_TREE),
        _entry("GapTree, deep", "tree-deep", TINY_TREE),
        _entry("GapTree", "index-ends", GapTree),
        _entry("SortedGaps", "index-small", ShortLists),
        _entry("SortedGaps, many", "tree-deep", ShortLists),
        _entry("IdBitmap, chunks of 4", "bitmap-chunks", TINY_BITMAP),
        _entry("IdBitmap", "bitmap-ends", IdBitmap),
        _entry("addresses: GapTree", "address-small", partial(AddressAllocator, index=TINY_TREE)),
        _entry(
            "addresses: SortedGaps", "address-small", partial(AddressAllocator, index=ShortLists)
        ),
        _entry("ids: SortedGaps", "id-small", IdAllocator),
        _entry("ids: IdBitmap", "id-small", partial(IdAllocator, index=TINY_BITMAP)),
        MACHINES["devices"],
    )
}
"""What is interrupted, and which machine draws the operations for it."""

ORACLES: Final = ("state", "model", "books")
"""The attributes of a subject that say in which state it has to be."""


@dataclass(frozen=True)
class Lost:
    """An interrupt after which the state was neither the old nor the new one, or went wrong."""

    entry: str
    seed: int
    operation: str
    at: int
    place: str
    why: str

    def __str__(self) -> str:
        return (
            f"LOST: {self.entry}, seed {self.seed}: {self.operation}\n"
            f"  interrupted at instruction {self.at}, {self.place}\n  {self.why}"
        )


@dataclass
class Count:
    """What came of the interrupts of one operation."""

    operations: int = 0
    old: int = 0
    new: int = 0
    lost: int = 0

    @property
    def injected(self) -> int:
        """All of them."""
        return self.old + self.new + self.lost


@dataclass
class Report:
    """What a campaign has done so far."""

    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    places: set[Place] = field(default_factory=set)
    left_out: int = 0
    lost: list[Lost] = field(default_factory=list)

    @property
    def injected(self) -> int:
        """How many exceptions were raised in all."""
        return sum(count.injected for count in self.counts.values())


class Interrupted(Session):
    """A session that tries each operation on copies, interrupted, before it carries it out."""

    def __init__(
        self, build: Callable[[], Any], machine: SessionMachine, campaign: Campaign, seed: int
    ) -> None:
        super().__init__(build)
        self._machine = machine
        self._campaign = campaign
        self._seed = seed

    def do(self, operation: Operation) -> Any:
        subject = self.subjects.get(operation.on)
        if subject is not None:
            self._campaign.interrupt(self._machine, subject, operation, self._seed)
        return super().do(operation)


@dataclass
class Campaign:
    """Interrupts each instruction of each operation of each entry `visits` times.

    `focus` names a function outside of which nothing is interrupted. With `by_entry`, operations
    are not told apart: an instruction that several of them share has its visits from any.
    """

    visits: int
    focus: str = ""
    by_entry: bool = False
    stop_at_the_first: bool = False
    one_in: int = 1
    """Leave out all but one instruction in so many."""
    report: Report = field(default_factory=Report)
    _seen: Counter[tuple[str, str, Place]] = field(default_factory=Counter)

    def run(self, entry: MachineEntry, seed: int, steps: int) -> None:
        """Let the machine of the entry take that many steps from a seed on."""
        run = Run(entry.factory, entry.spaces, entry.alignments)
        machine = type(entry.name, (entry.machine,), {"run": run})()
        chance = Random(seed)
        machine.start(chance=chance)
        assert run.session is not None
        self._name = entry.name
        run.session = Interrupted(run.session.build, machine, self, seed)
        for _ in range(steps):
            if self.is_over:
                return
            _any_step(machine, chance)

    @property
    def is_over(self) -> bool:
        """Whether it has found what it was to find."""
        return self.stop_at_the_first and bool(self.report.lost)

    def interrupt(
        self, machine: SessionMachine, subject: Any, operation: Operation, seed: int
    ) -> None:
        """Try the operation on copies of the subject."""
        before = _oracle(subject)
        undisturbed = _twin(subject)
        whole = Injection(focus=self.focus)
        whole.run(lambda: _carry_out(undisturbed, operation))
        if isinstance(whole.raised, Refused):
            return  # outside the contract of an index, as the model has said
        if whole.raised is not None:
            raise whole.raised
        after = _oracle(undisturbed)
        name, method = self._name, operation.method
        count = self.report.counts.setdefault((name, method), Count())
        count.operations += 1
        for at, place in list(enumerate(whole.places, start=1))[:: self.one_in]:
            key = (name, "" if self.by_entry else method, place)
            if self.is_over or self._seen[key] == self.visits:
                continue
            self._seen[key] += 1
            if place in UNPROTECTED and method == "transact":
                self.report.left_out += 1
                continue
            self.report.places.add(place)
            injection, twin = Injection(at, self.focus), _twin(subject)
            injection.run(partial(_carry_out, twin, operation))
            why = self._state(twin, injection, before, after, count)
            if why is None:
                why = _goes_on(machine, twin, Random(at))
            if why is not None:
                count.lost += 1
                code, offset = place
                where = f"{code.co_qualname} + {offset} (line {_line(code, offset)})"
                calls = [str(call) for call in subject.calls[-8:]]
                shown = f"{method}{operation.arguments} {dict(operation.options)} after {calls}"
                self.report.lost.append(Lost(name, seed, shown, at, where, why))

    @staticmethod
    def _state(
        twin: Any, injection: Injection, before: Any, after: Any, count: Count
    ) -> str | None:
        if injection.injected is None:
            return "the code did not run as it did undisturbed"
        if injection.raised is None:
            return "the exception was swallowed"
        vars(twin).update(before)
        try:
            twin.compare()
        except DisagreementError as error:
            from_old = error.difference
        else:
            count.old += 1
            return None
        vars(twin).update(after)
        try:
            twin.compare()
        except DisagreementError as error:
            return f"not the old state: {from_old}; nor the new one: {error.difference}"
        count.new += 1
        return None


def _carry_out(subject: Any, operation: Operation) -> None:
    # Carried out beside the model, and compared by the campaign alone.
    subject.compare = lambda: None
    try:
        getattr(subject, operation.method)(*operation.arguments, **operation.options)
    finally:
        del subject.compare


def _goes_on(machine: SessionMachine, twin: Any, chance: Random) -> str | None:
    """Take a few more steps with the copy; return what goes wrong."""
    session = machine.run.session
    copies = machine.copies
    machine.run.session = Session(lambda: twin)
    try:
        for _ in range(2):
            _any_step(machine, chance)
    except DisagreementError as error:
        return f"later on: {error}"
    finally:
        machine.run.session, machine.copies = session, copies
    return None


def _any_step(machine: SessionMachine, chance: Random) -> None:
    ready = [kind for kind in machine.kinds if kind.__ready__(machine)]  # type: ignore[attr-defined]  # marked by `step`
    chance.choice(ready)(machine, chance=chance)


def _oracle(subject: Any) -> dict[str, Any]:
    of_its_kind = type(subject)
    return {
        name: getattr(subject, name)
        for name in ORACLES
        if hasattr(subject, name) and not isinstance(getattr(of_its_kind, name, None), property)
    }


def _twin(subject: Any) -> Any:
    """Return a copy that shares nothing, and has not been compared."""
    twin = copy(subject)
    for name in ("allocator", "index", "plant"):
        if name in vars(subject):
            setattr(twin, name, deepcopy(getattr(subject, name)))
    twin.calls = list(subject.calls)
    return twin


def _line(code: Any, offset: int) -> int:
    lines: Iterator[tuple[int, int, int | None]] = code.co_lines()
    return next((line for low, high, line in lines if line and low <= offset < high), 0)
