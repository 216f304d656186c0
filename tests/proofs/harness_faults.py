"""Faults in the proof engine itself, each one patch; the gates that must catch them.

The engine is trusted code. What keeps it honest is not the engine: theorems that have to be
proved, bent models that have to be refuted, endings that have to be reached, samples, and
theorems that are false or out of reach (`spec.not_theorems`): all of them rows of `verify`.
Each fault names the row that notices it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import engine_patches as patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest import MonkeyPatch  # noqa: PT013  # for a signature


class Gate(enum.Enum):
    """What notices a fault."""

    THEOREM = "this theorem is no longer proved"
    MUTATION = "this bent model survives"
    WITNESS = "this action loses an ending"
    FALSE = "this false theorem is proved"
    OUT_OF_REACH = "this theorem, true and out of reach, is not left open"


@dataclass(frozen=True)
class Fault:
    """One fault, how it is made, and where it shows."""

    name: str
    make: Callable[[MonkeyPatch], None]
    gate: Gate
    row: str


APART: Final = "allocating_keeps_live_ranges_apart"
WAS_FREE: Final = "a_granted_range_was_free"
START_ALONE: Final = "overlap is tested at the start alone"
STAYS_LIVE: Final = "free leaves the range live"

FAULTS: Final = (
    Fault(
        "the explorer forgets every second branch",
        patches.forget_false_branches,
        Gate.THEOREM,
        APART,
    ),
    Fault("the explorer believes every truth", patches.forget_false_truths, Gate.THEOREM, APART),
    Fault("the explorer notes no decision", patches.decide_without_noting, Gate.THEOREM, APART),
    Fault("a choice is always yes", patches.choose_true_only, Gate.THEOREM, APART),
    Fault(
        "only the first option is taken",
        patches.first_option_only,
        Gate.FALSE,
        "every_policy_takes_the_lowest_fit",
    ),
    Fault(
        "truths compare by identity",
        patches.truths_compare_by_identity,
        Gate.THEOREM,
        "a_space_beyond_what_exists_is_refused",
    ),
    Fault("every path is called impossible", patches.prune_everything, Gate.THEOREM, APART),
    Fault("a claim is not looked at", patches.claim_nothing, Gate.THEOREM, APART),
    Fault(
        "a claim that fails is not put to the solver",
        patches.claim_without_discharging,
        Gate.MUTATION,
        STAYS_LIVE,
    ),
    Fault(
        "an assumption is not looked at",
        patches.assume_nothing,
        Gate.THEOREM,
        "an_update_is_not_refused_for_overlapping_its_old_range",
    ),
    Fault("no invariant is assumed", patches.assume_no_invariant, Gate.THEOREM, APART),
    Fault(
        "a contradiction is among the facts",
        patches.know_a_contradiction,
        Gate.MUTATION,
        STAYS_LIVE,
    ),
    Fault(
        "a state is assumed to be empty",
        patches.assume_that_nothing_is_live,
        Gate.MUTATION,
        START_ALONE,
    ),
    Fault(
        "a space is assumed to begin at 0",
        patches.assume_a_space_from_zero,
        Gate.FALSE,
        "every_space_begins_at_zero",
    ),
    Fault(
        "taking a range away leaves it",
        patches.take_nothing_away,
        Gate.THEOREM,
        "freeing_removes_exactly_that_range",
    ),
    Fault(
        "adding a range does not",
        patches.add_nothing,
        Gate.THEOREM,
        "allocating_makes_exactly_the_granted_range_live",
    ),
    Fault(
        "everything is a member",
        patches.everything_is_a_member,
        Gate.THEOREM,
        "free_succeeds_exactly_when_that_range_is_live",
    ),
    Fault(
        "whatever is said of all members is true",
        patches.all_is_always_true,
        Gate.THEOREM,
        WAS_FREE,
    ),
    Fault(
        "whatever is said of two members is true",
        patches.pairs_are_always_apart,
        Gate.THEOREM,
        APART,
    ),
    Fault(
        "any two sets are the same",
        patches.sets_are_always_the_same,
        Gate.FALSE,
        "freeing_changes_nothing",
    ),
    Fault(
        "the lowest member is any member",
        patches.lowest_is_any,
        Gate.THEOREM,
        "first_match_takes_the_lowest_fit",
    ),
    Fault(
        "there is always a lowest member",
        patches.lowest_is_always_there,
        Gate.THEOREM,
        "every_address_is_live_or_in_a_gap_and_never_both",
    ),
    Fault("a witness need not be a member", patches.witness_of_nothing, Gate.THEOREM, WAS_FREE),
    Fault("gaps may touch", patches.gaps_may_touch, Gate.THEOREM, "no_two_gaps_touch"),
    Fault(
        "gaps are further apart than they are",
        patches.gaps_are_two_apart,
        Gate.FALSE,
        "between_two_gaps_lie_two_addresses",
    ),
    Fault(
        "the last address of a gap or a range is not in it",
        patches.cover_stops_one_short,
        Gate.FALSE,
        "there_is_at_most_one_gap",
    ),
    Fault(
        "an address may be neither live nor free",
        patches.cover_nothing,
        Gate.THEOREM,
        "every_address_is_live_or_in_a_gap_and_never_both",
    ),
    Fault(
        "a map changes everywhere",
        patches.maps_change_everywhere,
        Gate.THEOREM,
        "allocating_keeps_every_live_range_aligned",
    ),
    Fault(
        "a refusal cuts the path",
        patches.refusals_cut_the_path,
        Gate.THEOREM,
        "a_size_that_makes_no_sense_is_refused_as_such",
    ),
    Fault(
        "lemmas are used beyond their domain",
        patches.lemmas_without_a_domain,
        Gate.FALSE,
        "aligning_up_never_goes_down_whatever_the_alignment",
    ),
    Fault(
        "a lemma has < for <=",
        patches.aligning_up_always_moves,
        Gate.FALSE,
        "a_granted_start_is_above_the_start_of_its_window",
    ),
    Fault(
        "no lemma is used", patches.no_lemmas, Gate.THEOREM, "a_granted_range_is_what_was_asked_for"
    ),
    Fault("z3 agrees to everything", patches.z3_always_agrees, Gate.MUTATION, STAYS_LIVE),
    Fault("cvc5 contradicts", patches.cvc5_always_disagrees, Gate.THEOREM, APART),
    Fault(
        "a counterexample is not executed",
        patches.show_what_was_not_executed,
        Gate.OUT_OF_REACH,
        "a_multiple_of_four_is_a_multiple_of_two",
    ),
    Fault("a mutation changes nothing", patches.mutate_nothing, Gate.MUTATION, STAYS_LIVE),
    Fault("no witness is looked for", patches.find_no_witness, Gate.WITNESS, "allocate_first"),
    Fault(
        "samples never meet the assumptions",
        patches.sample_nothing_relevant,
        Gate.THEOREM,
        "first_match_takes_the_lowest_fit",
    ),
)
