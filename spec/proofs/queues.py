"""How the walk along the claims that wait is read symbolically: any number, by induction.

The claims are visited in the order of their numbers. So how far a walk has come is a number:
all claims of lower numbers were visited, and no others. *Any* state of the walk, at any such
position, stands for all of them: it meets the invariants, and what was not visited waits as it
did when the walk began. That this is so, and still is after one claim more, is said by two
theorems of their own (`settling_leaves_alone_what_it_has_not_come_to` and
`settling_makes_no_claims`), which all others rely on.

A theorem adds what it is about: something that is true throughout (`keeps`), or, of a claim
that it watches, once that was visited (`then`). That it holds at the start, and after one claim
more if it held before, are claims of the theorem; that it holds at the end is what it gets. On
plain ints the walk itself runs, and the same claims are made at each step.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from spec.claims import Claims, in_order, number_of
from spec.model import U64_MAX, Request
from vm_allocator.modelling import FiniteRanges, Range, attempt
from vm_allocator.proving.theorem import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from vm_allocator.modelling import RangeSet

    Holds = Callable[[Claims, Claims], bool]
    Act = Callable[[Claims, Range], Claims]

ClaimsCase = Case[Claims]

THE_WATCHED: Final = "the watched claim"
AFTER_IT: Final = "one claim more, the watched one visited"
ANOTHER: Final = "one claim more"
THE_END: Final = "the end"
OWNERS: Final = (2, 3, 4, 5)


class Walks:
    """What stands in for `in_order` while a theorem is stated: one walk, along any claims."""

    def __init__(
        self,
        case: ClaimsCase,
        keeps: Holds | None = None,
        watched: Range | None = None,
        then: Holds | None = None,
    ) -> None:
        self.from_anywhere = True
        """Whether the walk begins in any state at all; otherwise it is one that was looked at."""
        self.structure = False
        """Whether what all walks have in common is what the theorem is about."""
        self.granting: Callable[[Claims, Range, Claims], None] = lambda *_: None
        """Called for each claim that is visited, with the states before it and after it."""
        self.starting: Callable[[Claims], None] = lambda _: None
        """Called with the state in which the walk begins."""
        self._case = case
        self._keeps = keeps
        self._watched = watched
        self._then = then

    def in_order(self, claims: RangeSet, before: Claims, act: Act) -> Claims:
        """Walk along the claims, which are those that wait in the state before."""
        case = self._case
        self.starting(before)
        if self._keeps is not None:
            case.claim(self._keeps(before, before))
        if isinstance(claims, FiniteRanges):
            return self._all(claims, before, act)
        middle, position = self.anywhere(before), case.number("position")
        if self._keeps is not None:
            case.assume(self._keeps(before, middle))
        case.assume(ahead_is_as_before(before, middle, position))
        way = case.one_of("walk", self._ways()) if self.from_anywhere else THE_END
        watched = self._watched
        if way == THE_END:
            case.assume(claims.all(lambda claim: number_of(claim) < position))
            if watched is not None and self._then is not None:
                known = self._then if watched in claims else is_no_part_of(watched)
                case.assume(known(before, middle))
            return middle
        claim = case.range("visited")
        if watched is not None and way == THE_WATCHED:
            case.assume(claim == watched)
        elif watched is not None and way == AFTER_IT:
            case.assume(watched in claims and number_of(watched) < position)
            case.assume(self._then is None or self._then(before, middle))
        case.assume(claim in claims and position <= number_of(claim))
        if self.structure:
            case.assume(claims.all(lambda one: number_of(one) < position or comes(claim, one)))
        self._visit(before, middle, claim, act, visited=way in (THE_WATCHED, AFTER_IT))
        case.assume(False)  # noqa: FBT003  # this claim has been looked at
        return middle

    def _ways(self) -> tuple[str, ...]:
        """Return the ways in which a walk may go on that this theorem has to look at."""
        watching = (THE_WATCHED, AFTER_IT) if self._then is not None else ()
        one_more = (ANOTHER,) if self.structure or self._keeps is not None else ()
        return (*watching, *one_more, THE_END)

    def _all(self, claims: FiniteRanges, before: Claims, act: Act) -> Claims:
        seen: set[Range] = set()

        def visit(state: Claims, claim: Range) -> Claims:
            seen.add(claim)
            return self._visit(before, state, claim, act, visited=self._watched in seen)

        return in_order(claims, before, visit)

    def _visit(
        self, before: Claims, state: Claims, claim: Range, act: Act, *, visited: bool
    ) -> Claims:
        case = self._case
        after = act(state, claim)
        self.granting(state, claim, after)
        if self._keeps is not None:
            case.claim(self._keeps(before, after))
        if self._then is not None and visited:
            case.claim(self._then(before, after))
        if self.structure:
            for predicate in case.model.invariants().values():
                case.claim(predicate(after))
            case.claim(ahead_is_as_before(before, after, number_of(claim) + 1))
        return after

    def anywhere(self, before: Claims) -> Claims:
        """Return any state that a walk may have led to: what claims ask for does not change."""
        return self._case.state(
            "middle",
            top=before.top,
            base=before.base,
            last=before.last,
            wants_first=before.wants_first,
            wants_last=before.wants_last,
            wants_align=before.wants_align,
            upcoming=before.upcoming,
        )


def comes(claim: Range, other: Range) -> bool:
    """Whether the claim comes before the other one, or is it."""
    return number_of(claim) <= number_of(other)


def ahead_is_as_before(before: Claims, state: Claims, position: int) -> bool:
    """Whether the claims that the walk has not come to wait as before, and none is granted."""

    def ahead(claims: RangeSet) -> RangeSet:
        return claims.where(lambda claim: position <= number_of(claim))

    return ahead(state.waiting).same_as(ahead(before.waiting)) and state.granted.all(
        lambda claim: number_of(claim) < position
    )


def is_no_part_of(claim: Range) -> Holds:
    """Return: if it did not wait before, it does not wait, and is not granted."""

    def holds(before: Claims, state: Claims) -> bool:
        return claim in before.waiting or not (claim in state.waiting or claim in state.granted)

    return holds


@contextmanager
def any_walks(
    case: ClaimsCase,
    keeps: Holds | None = None,
    watched: Range | None = None,
    then: Holds | None = None,
) -> Iterator[Walks]:
    """Watch the walk of the model along the claims that wait.

    `keeps` says what is true of the state before the walk and of the state that it has come to;
    `then` says it of these, once the `watched` claim was visited.
    """
    walks = Walks(case, keeps, watched, then)
    with walking(case, walks.in_order):
        yield walks


@contextmanager
def walking(
    case: ClaimsCase, in_order: Callable[[RangeSet, Claims, Act], Claims]
) -> Iterator[None]:
    """Let that stand for `in_order` in the model."""
    model: Any = case.model  # which may be a bent one, in a module of its own
    place = model.settle.__globals__
    saved = place["in_order"]
    place["in_order"] = in_order
    try:
        yield
    finally:
        place["in_order"] = saved


def small_claims(model: type[Claims], random: Random) -> Claims:
    """Return a reachable state: a small space in which a few owners have claimed a few ranges.

    Reachable in the model as it stands, also for a bent one: theorems are about all such states.
    """
    size = random.randint(1, 12)
    base = random.choice((0, 0, 1, 3, U64_MAX - size + 1, U64_MAX - size))
    state = Claims.initial(U64_MAX, base, base + size - 1)
    everything = Range(base, base + size - 1)
    for _ in range(random.randint(0, 8)):
        state = _random_step(state, everything, random)
    return model(**{part.name: getattr(state, part.name) for part in fields(state)})


def _random_step(state: Claims, everything: Range, random: Random) -> Claims:
    owner = random.choice(OWNERS)
    request = Request(random.randint(1, 5), random.choice((1, 1, 1, 2, 4)), everything)
    start = random.randint(everything.start, everything.end)
    acts = {
        "claim": lambda: state.claim(owner, request, start),
        "release": lambda: state.release(owner),
        "allocate": lambda: state.allocate_exact(request, start),
        # Also what an owner holds, which is a mistake: the model has to survive it.
        "free": lambda: state.free(start, request.size),
    }
    (kind,) = random.choices(tuple(acts), (14, 4, 2, 1))
    return attempt(state, acts[kind]).after
