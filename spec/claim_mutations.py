"""Bent specifications of claims: each drops or bends one rule, and must lose a theorem by it."""

from __future__ import annotations

from typing import Final

from spec import claims
from vm_allocator.proving.mutation import Mutation, dropped_guards

GUARDS: Final = {
    "claim: require(owner != NOBODY, INVALID_OWNER)": (
        "a_claim_is_refused_exactly_if_it_can_never_be_granted"
    ),
    "release: require(self.has.at(owner) != NOTHING, NOT_CLAIMED)": (
        "a_release_is_refused_exactly_if_the_owner_has_nothing"
    ),
}
"""Every guard at the top of an action, and the theorem that is lost without it."""

BENT: Final = (
    Mutation(
        "a claim is not checked for its size and its alignment",
        "        self._check(request)\n",
        "",
        "a_claim_is_refused_exactly_if_it_can_never_be_granted",
    ),
    Mutation(
        "a claim may be for what lies outside of the space",
        "        self._require_place(request, start)\n",
        "",
        "a_claim_is_refused_exactly_if_it_can_never_be_granted",
    ),
    Mutation(
        "nobody looks at who waits",
        "Step(in_order(self.waiting, nothing, lambda state, claim: state._visit(claim)))",
        "Step(nothing)",
        "nothing_waits_that_could_be_granted",
    ),
    Mutation(
        "a release wakes nobody",
        "return self._without_owner(owner).settle()",
        "return Step(self._without_owner(owner))",
        "nothing_waits_that_could_be_granted",
    ),
    Mutation(
        "a claim is granted on top of another",
        "if not self.is_free(r):",
        "if False:",
        "settling_leaves_alone_what_it_has_not_come_to",
    ),
    Mutation(
        "a claim that could be granted is passed over",
        "if not self.is_free(r):",
        "if not self.is_free(Range(r.start - 1, r.end)):",
        "nothing_waits_that_could_be_granted",
    ),
    Mutation(
        "the newest claim comes before all others",
        "Range(self.upcoming, owner)",
        "Range(0 - self.upcoming, owner)",
        "claims_keep_every_invariant",
    ),
    Mutation(
        "two claims have one number",
        "upcoming=self.upcoming + 1,",
        "upcoming=self.upcoming,",
        "a_new_claim_has_a_number_of_its_own",
    ),
    Mutation(
        "an owner keeps the range that it has left",
        "live=self.live.without(self.wanted(owner))",
        "live=self.live",
        "what_an_owner_leaves_is_free",
    ),
    Mutation(
        "an owner gives up what is no longer its own",
        "            require(self.holds(owner), NOT_ALLOCATED)\n",
        "",
        "nobody_else_loses_a_range",
    ),
    Mutation(
        "an earlier claim of the owner is not withdrawn",
        "waiting=self.waiting.where(lambda claim: owner_of(claim) != owner),",
        "waiting=self.waiting,",
        "claims_keep_every_invariant",
    ),
    Mutation(
        "the claims of all others are withdrawn",
        "lambda claim: owner_of(claim) != owner",
        "lambda claim: owner_of(claim) == owner",
        "a_claim_is_granted_or_withdrawn_once",
    ),
    Mutation(
        "who is granted waits still",
        "waiting=self.waiting.without(claim),",
        "waiting=self.waiting,",
        "a_claim_is_granted_or_withdrawn_once",
    ),
    Mutation(
        "the VMM is not told of a grant",
        "granted=self.granted.with_range(claim),",
        "granted=self.granted,",
        "a_claim_is_granted_or_withdrawn_once",
    ),
    Mutation(
        "the VMM is told again of older grants",
        "nothing = replace(self, granted=FiniteRanges())",
        "nothing = self",
        "settling_makes_no_claims",
    ),
    Mutation(
        "what is granted is nobody's",
        "holder=live.holder.put(r.start, owner),",
        "holder=live.holder,",
        "what_is_granted_is_held_by_its_owner",
    ),
    Mutation(
        "who is granted is said to wait",
        "has=self.has.put(owner, HOLDS),",
        "has=self.has,",
        "settling_leaves_alone_what_it_has_not_come_to",
    ),
    Mutation(
        "what others allocate is whose it was before",
        "replace(step.after, holder=self.holder.put(start, NOBODY))",
        "step.after",
        "what_others_do_keeps_every_invariant",
    ),
    Mutation(
        "a claim is for one unit less",
        "self.wants_last.put(owner, r.end)",
        "self.wants_last.put(owner, r.end - 1)",
        "a_claim_asks_for_what_was_asked",
    ),
    Mutation(
        "a claim forgets the alignment that was asked for",
        "self.wants_align.put(owner, request.align)",
        "self.wants_align.put(owner, 1)",
        "a_claim_asks_for_what_was_asked",
    ),
)


def all_claim_mutations() -> list[Mutation]:
    """Return every mutation of the model of claims: each guard dropped, then each bent rule."""
    return [*dropped_guards(claims, claims.Claims, GUARDS), *BENT]
