"""The shipped claims do what the model does: any number of live ranges, owners and claims.

What the claims keep in their two dicts is said by a state of the model here: who holds what it
claimed last, and who waits, in order (`Book`). The loop of `settle` is cut by induction, after
the model's own walk (`spec.proofs.queues`): any claim that waits, in any state that those before
it may have led to. Both grant it, or both leave it, and have the same live ranges, the same
holders and the same queue again. What a call *returns*, and the dicts as they ship, are looked
at with up to `MOST_LISTED` claims that wait: of any ranges, but so many.

Ranges that owners hold are taken not to be freed past the claims and taken by others since.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import spec.proofs.claims
import vm_allocator.claims
from spec.claims import (
    HOLDS,
    NOBODY,
    NOTHING,
    WAITS,
    Claims,
    in_order,
    number_of,
    owner_of,
)
from spec.proofs.claims import CLAIM, RELEASE, SETTLE, any_owner
from spec.proofs.queues import THE_END, ClaimsCase, Walks, ahead_is_as_before, walking
from spec.proofs.subjects import (
    GIVEN,
    LEFT_OUT,
    Shipped,
    Subject,
    any_options,
    any_subject,
    outcome_of,
)
from spec.proofs.summaries import READING, standing_in
from vm_allocator.modelling import FiniteRanges, Outcome, Range, Step, attempt
from vm_allocator.proving.theorem import Theorem
from vm_allocator.resource import Unit
from vm_allocator.symbolic.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from spec.proofs.cases import AllocatorCase
    from vm_allocator.modelling import RangeSet

MOST_LISTED: Final = 2
"""Claims that wait where they are listed; a claim that is made then is one more."""

ONE_MORE: Final = "one claim more"


class OneMoreError(Exception):
    """The model has visited a claim: the shipped code has to come to the same place."""


class Book:
    """What the shipped claims know of owners, as a state of the model. Its live ranges lag."""

    def __init__(self, case: ClaimsCase, state: Claims) -> None:
        self.case = case
        self.state = state

    def ends(self, owner: int, has: int) -> tuple[int, int] | None:
        """Return what the owner holds, or waits for."""
        wanted = self.state.wanted(owner)
        return (wanted.start, wanted.end) if self.state.has.at(owner) == has else None

    def put(self, owner: int, has: int) -> None:
        """Note what the owner has from now on."""
        self.state = replace(self.state, has=self.state.has.put(owner, has))

    def leave_the_queue(self, owner: int) -> None:
        """Forget the claim that waits."""
        waiting = self.state.waiting.where(lambda claim: owner_of(claim) != owner)
        self.state = replace(self.state, waiting=waiting)


class Held:
    """The dict of what owners hold."""

    def __init__(self, book: Book, word: Callable[[int], Any]) -> None:
        self._book = book
        self._word = word

    def get(self, owner: int) -> tuple[int, int] | None:
        """Return what the owner holds."""
        ends = self._book.ends(owner, HOLDS)
        return None if ends is None else (self._word(ends[0]), self._word(ends[1]))

    def __delitem__(self, owner: int) -> None:
        self._book.case.claim(self._book.state.has.at(owner) == HOLDS)
        self._book.put(owner, NOTHING)

    def __setitem__(self, owner: int, ends: tuple[int, int]) -> None:
        self._book.case.claim(self._book.state.has.at(owner) == NOTHING)
        self._book.case.claim(self._book.state.wanted(owner) == Range(*map(plain, ends)))
        self._book.put(owner, HOLDS)


class Waiting:
    """The dict of what owners wait for: in the order in which they were put there."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def pop(self, owner: int, default: None) -> tuple[int, int] | None:
        """Return what the owner waits for, and forget it."""
        ends = self._book.ends(owner, WAITS)
        if ends is None:
            return default
        del self[owner]
        return ends

    def __delitem__(self, owner: int) -> None:
        self._book.case.claim(self._book.state.has.at(owner) == WAITS)
        self._book.put(owner, NOTHING)
        self._book.leave_the_queue(owner)

    def __setitem__(self, owner: int, ends: tuple[int, int]) -> None:
        # Who is in a dict already keeps its place there: it is not behind all others.
        book = self._book
        book.case.claim(book.state.has.at(owner) == NOTHING)
        start, end = map(plain, ends)
        state = book.state
        book.state = replace(
            state,
            has=state.has.put(owner, WAITS),
            wants_first=state.wants_first.put(owner, start),
            wants_last=state.wants_last.put(owner, end),
            waiting=state.waiting.with_range(Range(state.upcoming, owner)),
            upcoming=state.upcoming + 1,
        )


class Followed:
    """The walk of the model, and the shipped loop after it."""

    def __init__(self, case: ClaimsCase, subject: Subject, book: Book) -> None:
        self._case = case
        self._subject = subject
        self._book = book
        self._anybody = any_owner(case, "anybody")
        self._start: Claims | None = None
        self._middle: Claims | None = None
        self._visited: Range | None = None
        self._after: Claims | None = None

    def in_order(
        self, claims: RangeSet, before: Claims, act: Callable[[Claims, Range], Claims]
    ) -> Claims:
        """Walk as the model does; with a symbolic queue, to any one claim, or to the end."""
        case = self._case
        if isinstance(claims, FiniteRanges):
            return in_order(claims, before, act)
        self._start = before
        middle, position = Walks(case).anywhere(before), case.number("position")
        case.assume(ahead_is_as_before(before, middle, position))
        self._middle = middle
        if case.one_of("walk", (ONE_MORE, THE_END)) == THE_END:
            case.assume(claims.all(lambda claim: number_of(claim) < position))
            return middle
        self._visited = claim = case.range("visited")
        case.assume(claim in claims and position <= number_of(claim))
        self._after = act(middle, claim)
        raise OneMoreError

    def queue(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Stand in for the list of the claims that wait."""
        case, book = self._case, self._book
        if isinstance(book.state.waiting, FiniteRanges):
            for claim in book.state.waiting:
                wanted = book.state.wanted(owner_of(claim))
                yield owner_of(claim), (wanted.start, wanted.end)
            return
        if self._start is None or self._middle is None:
            case.claim(False)  # noqa: FBT003  # the model did not walk here
            return
        self.agrees(self._start)
        self._subject.index.state = book.state = self._middle
        if self._visited is None:
            return
        owner = owner_of(self._visited)
        wanted = self._middle.wanted(owner)
        yield owner, (self._subject.word(wanted.start), self._subject.word(wanted.end))
        if self._after is not None:
            self.agrees(self._after)
        case.assume(False)  # noqa: FBT003  # this claim has been looked at

    def agrees(self, expected: Claims) -> None:
        """Claim that the shipped claims are in this state of the model."""
        case, book, anybody = self._case, self._book.state, self._anybody
        case.claim(self._subject.index.state.live.same_as(expected.live))
        case.claim(book.waiting.same_as(expected.waiting))
        case.claim(book.has.at(anybody) == expected.has.at(anybody))
        case.claim(book.wanted(anybody) == expected.wanted(anybody))
        case.claim(book.upcoming == expected.upcoming)


Call = tuple["Callable[[], Step[Claims]]", "Callable[[], list[Any]]"]


def any_call(  # noqa: PLR0917  # what an operation is about
    case: ClaimsCase,
    subject: Subject,
    before: Claims,
    shipped: Any,
    kind: str,
    owner: int,
    way: str,
) -> Call:
    """Return an operation with any arguments, as the model does it and as the shipped code does.

    Options are all given, or all left out (`way`): the claims pass them on as they are.
    """
    if kind == RELEASE:
        return lambda: before.release(owner), lambda: shipped.release(owner)
    if kind == SETTLE:
        return before.settle, shipped.settle
    request, options = any_options(cast("AllocatorCase", case), subject, (way,))
    near = [r.start for r in (*case.members(before.live), *case.members(before.gaps()))]
    start = case.number("start", like=near)
    resource, size = subject.word(start), subject.size(request.size)
    somebody: int | None = owner
    if owner == NOBODY:
        somebody = None
    return (
        lambda: before.claim(owner, request, start),
        lambda: shipped.claim(somebody, resource, size, **options),
    )


def does_as_the_model(case: ClaimsCase, module: ModuleType, kind: str) -> None:
    """Claim that the shipped operation ends as the model's, in the same state."""
    subject, owner = _subject(case), any_owner(case)
    before = _claims(subject)
    book = Book(case, before)
    followed = Followed(case, subject, book)
    shipped = _shipped(module, subject, book)
    shipped._queue = followed.queue
    case.assume(kind != RELEASE or owner != NOBODY)
    case.assume(kind == SETTLE or owner == NOBODY or has_something_or_nothing(before, owner))
    act, call = any_call(case, subject, before, shipped, kind, owner, GIVEN)
    expected: Outcome[Claims] | None = None
    with walking(case, followed.in_order), suppress(OneMoreError):
        expected = attempt(before, act)
    with standing_in(READING if case.is_symbolic else {}, *_modules(module)):
        _, refusal = outcome_of(call)
    case.claim(expected is not None)
    if expected is not None:
        case.claim(refusal == expected.refusal)
        followed.agrees(expected.after)


def stays_within_64_bits(case: ClaimsCase, module: ModuleType, kind: str) -> None:
    """Claim that whatever is computed of 64-bit arguments on the way to settling fits 64 bits."""
    subject, owner = _subject(case, watched=True), any_owner(case)
    before = _claims(subject)
    book = Book(case, before)
    shipped = _shipped(module, subject, book)
    shipped._queue = lambda: ()  # settling computes nothing
    case.assume(owner != NOBODY and has_something_or_nothing(before, owner))
    _, call = any_call(case, subject, before, shipped, kind, owner, GIVEN)
    with standing_in(READING if case.is_symbolic else {}, *_modules(module)):
        _, refusal = outcome_of(call)
    case.claim(refusal is None or not refusal.startswith("crash"))


def _shipped(module: ModuleType, subject: Subject, book: Book) -> Any:
    shipped = module.Claims.__new__(module.Claims)
    shipped._allocator = subject.allocator
    shipped._held, shipped._waiting = Held(book, subject.word), Waiting(book)
    return shipped


def has_something_or_nothing(state: Claims, owner: int) -> bool:
    """Whether the owner has what an owner can have: what it holds is its own, above all.

    Or was freed past the claims, and nobody is there since.
    """
    if not state.has.at(owner) == HOLDS:  # noqa: SIM201  # symbolic: `!=` asks another formula
        return state.has.at(owner) == NOTHING or state.has.at(owner) == WAITS  # likewise
    r = state.wanted(owner)
    if not state.base <= r.start <= r.end <= state.last:
        return False
    return state.holds(owner) or not (r in state.live)  # noqa: E713  # likewise


def returns_what_it_grants(case: ClaimsCase, module: ModuleType, kind: str) -> None:
    """Claim the same with real dicts, of few claims that wait: what is returned, and in order."""
    subject = _subject(case)
    # A claim is one more that waits.
    most = MOST_LISTED - (kind == CLAIM)
    waiting = case.one_of("waiting", tuple(range(most + 1)))
    before, holds = _listed(case, _claims(subject), waiting)
    owner = case.one_of("owner", (WAITER, HOLDER)) if kind != SETTLE else HOLDER
    shipped = module.Claims(subject.allocator)
    queue = range(WAITER, WAITER + waiting)
    shipped._waiting = {each: tuple(before.wanted(each)) for each in queue}
    shipped._held = {HOLDER: tuple(before.wanted(HOLDER))} if holds else {}
    act, call = any_call(case, subject, before, shipped, kind, owner, LEFT_OUT)
    expected = attempt(before, act)
    with standing_in(READING if case.is_symbolic else {}, *_modules(module)):
        granted, refusal = outcome_of(call)
    case.claim(refusal == expected.refusal)
    case.claim(subject.index.state.live.same_as(expected.after.live))
    after = expected.after
    claims: Any = after.granted if refusal is None else ()
    told = [(owner_of(claim), *after.wanted(owner_of(claim))) for claim in claims]
    _same(case, [tuple(grant) for grant in granted or ()], told)
    still: Any = after.waiting
    queued = [(owner_of(claim), *after.wanted(owner_of(claim))) for claim in still]
    _same(case, [(who, *ends) for who, ends in shipped._waiting.items()], queued)
    for who in (*range(WAITER, WAITER + MOST_LISTED), HOLDER):
        case.claim((who in shipped._held) is bool(after.has.at(who) == HOLDS))


WAITER: Final = 2
HOLDER: Final = WAITER + MOST_LISTED


def _listed(case: ClaimsCase, state: Claims, waiting: int) -> tuple[Claims, bool]:
    """Return the state with so many claims that wait, and whether the holder holds a range."""
    has = state.has
    for at in range(MOST_LISTED):
        has = has.put(WAITER + at, WAITS if at < waiting else NOTHING)
    holds = case.one_of("holds", (True, False))
    queue = FiniteRanges(Range(at, WAITER + at) for at in range(waiting))
    listed = replace(
        state,
        has=has.put(HOLDER, HOLDS if holds else NOTHING),
        waiting=queue,
        granted=FiniteRanges(),
        upcoming=waiting,
    )
    for at in range(waiting):
        case.assume(listed.may_be_granted(WAITER + at))
    case.assume(not holds or listed.holds(HOLDER))
    return listed, holds


def _same(
    case: ClaimsCase, actual: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]]
) -> None:
    case.claim(len(actual) == len(wanted))
    for one, other in zip(actual, wanted, strict=True):
        case.claim(one[0] == other[0])
        case.claim(plain(one[1]) == other[1])
        case.claim(plain(one[2]) == other[2])


def _subject(case: ClaimsCase, *, watched: bool = False) -> Subject:
    """Return an allocator of addresses in any state, the claims to it apart."""
    # A state of claims is one of an allocator; only the type of a case says otherwise.
    return any_subject(cast("AllocatorCase", case), Shipped(), Unit.ADDRESS, watched=watched)


def _claims(subject: Subject) -> Claims:
    state = subject.before
    if not isinstance(state, Claims):
        raise TypeError("these theorems are about the model of claims")
    return state


def _modules(module: ModuleType) -> tuple[ModuleType, ...]:
    shipped = Shipped()
    return (shipped.address, shipped.requests, shipped.placement, module)


def is_about_claims(theorem: Theorem) -> bool:
    """Whether a theorem speaks of the model of claims, and not of that of an allocator alone."""
    return theorem.module in (__name__, spec.proofs.claims.__name__)


def claims_refinement(module: ModuleType = vm_allocator.claims) -> list[Theorem]:
    """Return the theorems about the shipped module, or about a mutated copy of it."""
    kinds = (CLAIM, RELEASE, SETTLE)
    return [
        *(
            Theorem(
                f"the_shipped_claims_{kind}_as_the_model",
                f"`{kind}`: the same refusal, or the same live ranges, holders and queue.",
                __name__,
                partial(does_as_the_model, module=module, kind=kind),
            )
            for kind in kinds
        ),
        *(
            Theorem(
                f"the_shipped_claims_{kind}_within_64_bits",
                f"`{kind}`: no sum or difference leaves [0, 2^64-1].",
                __name__,
                partial(stays_within_64_bits, module=module, kind=kind),
            )
            for kind in (CLAIM, RELEASE)
        ),
        *(
            Theorem(
                f"the_shipped_claims_return_what_they_grant_when_they_{kind}",
                f"`{kind}`, {MOST_LISTED} claims at most: what is returned, and in which order.",
                __name__,
                partial(returns_what_it_grants, module=module, kind=kind),
            )
            for kind in kinds
        ),
    ]
