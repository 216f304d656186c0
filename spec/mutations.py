"""Bent specifications: each drops or bends one rule, and must lose a theorem by it.

A proof that still held of these would be a proof about nothing.
"""

from __future__ import annotations

from typing import Final

from spec import model
from vm_allocator.proving.mutation import Mutation, dropped_guards

GUARDS: Final = {
    "initial: require(0 <= base <= last <= top, INVALID_SPACE)": (
        "a_new_space_meets_every_invariant"
    ),
    "allocate_exact: require(self.is_free(request.at(start)), OVERLAP)": (
        "allocating_keeps_live_ranges_apart"
    ),
    "update: require(moving.is_free(request.at(start)), OVERLAP)": (
        "updating_keeps_live_ranges_apart"
    ),
    "commit_move: require(new.start <= new.end, INVALID_RANGE)": "a_move_keeps_every_invariant",
    "commit_move: require(is_aligned(new.start, align), MISALIGNED)": (
        "a_move_keeps_every_invariant"
    ),
    "_all_or_none: require(1 <= count <= MAX_COUNT, INVALID_COUNT)": (
        "a_count_that_makes_no_sense_is_refused_as_such"
    ),
    "_all_or_none: require(run.times == count, NO_SPACE)": "many_are_granted_all_or_none",
    "_check: require(1 <= request.size <= self.top + 1, INVALID_SIZE)": (
        "a_size_that_makes_no_sense_is_refused_as_such"
    ),
    "_check_alignment: require(1 <= align <= MAX_ALIGNMENT, INVALID_ALIGNMENT)": (
        "an_alignment_that_is_no_power_of_two_is_refused_as_such"
    ),
    "_check_alignment: require(is_power_of_two(align), INVALID_ALIGNMENT)": (
        "an_alignment_that_is_no_power_of_two_is_refused_as_such"
    ),
    "_without: require(1 <= size <= self.top + 1, INVALID_SIZE)": (
        "freeing_a_size_that_makes_no_sense_is_refused_as_such"
    ),
    "_remove: require(r in self.live, NOT_ALLOCATED)": (
        "free_succeeds_exactly_when_that_range_is_live"
    ),
    "_put: require(r.start <= r.end, INVALID_RANGE)": "updating_many_keeps_every_invariant",
    "_put: require(self.is_free(r), OVERLAP)": "updating_many_keeps_every_invariant",
    "_require_place: require(inside(r, Range(self.base, self.last)), OUT_OF_BOUNDS)": (
        "allocating_keeps_every_live_range_in_the_space"
    ),
    "_require_place: require(inside(r, request.window), OUTSIDE_WINDOW)": (
        "a_granted_range_is_what_was_asked_for"
    ),
    "_require_place: require(is_aligned(start, request.align), MISALIGNED)": (
        "a_granted_range_is_what_was_asked_for"
    ),
}
"""Every guard of the model, and the theorem that is lost without it."""

BENT: Final = (
    Mutation(
        "a granted range is one address longer than asked for",
        "granted = request.at(start)",
        "granted = Range(start, start + request.size)",
        "a_granted_range_is_what_was_asked_for",
    ),
    Mutation(
        "overlap is tested at the start alone",
        "return one.start <= other.end and other.start <= one.end",
        "return one.start <= other.start and other.start <= one.end",
        "a_granted_range_was_free",
    ),
    Mutation(
        "overlap misses a shared last address",
        "return one.start <= other.end and other.start <= one.end",
        "return one.start < other.end and other.start < one.end",
        "a_granted_range_was_free",
    ),
    Mutation(
        "inside tests for overlap, where containment is needed",
        "return outer.start <= inner.start and inner.end <= outer.end",
        "return outer.start <= inner.end and inner.start <= outer.end",
        "allocating_keeps_every_live_range_in_the_space",
    ),
    Mutation(
        "inside excludes the base of the space",
        "return outer.start <= inner.start and",
        "return outer.start < inner.start and",
        "an_exact_refusal_names_the_first_thing_that_is_wrong",
    ),
    Mutation(
        "the window does not clip the start of a gap",
        "Range(larger(gap.start, window.start), smaller(gap.end, window.end))",
        "Range(gap.start, smaller(gap.end, window.end))",
        "a_granted_range_is_what_was_asked_for",
    ),
    Mutation(
        "the window does not clip the end of a gap",
        "Range(larger(gap.start, window.start), smaller(gap.end, window.end))",
        "Range(larger(gap.start, window.start), gap.end)",
        "a_granted_range_is_what_was_asked_for",
    ),
    Mutation(
        "FirstMatch ignores the alignment",
        "return align_up(usable(gap, request.window).start, request.align)",
        "return usable(gap, request.window).start",
        "a_granted_range_is_what_was_asked_for",
    ),
    Mutation(
        "FirstMatch aligns downwards, out of the gap",
        "return align_up(usable(gap, request.window).start, request.align)",
        "return align_down(usable(gap, request.window).start, request.align)",
        "a_granted_range_was_free",
    ),
    Mutation(
        "LastMatch leaves one address unused at the end of a gap",
        "usable(gap, request.window).end - request.size + 1",
        "usable(gap, request.window).end - request.size",
        "last_match_takes_the_highest_fit",
    ),
    Mutation(
        "LastMatch aligns upwards, out of the gap",
        "return align_down(usable(gap, request.window).end",
        "return align_up(usable(gap, request.window).end",
        "a_granted_range_was_free",
    ),
    Mutation(
        "room is refused to a perfect fit",
        "request.at(lowest_start(gap, request)).end <= part.end",
        "request.at(lowest_start(gap, request)).end < part.end",
        "allocation_refuses_only_if_nothing_fits",
    ),
    Mutation(
        "room is granted one address beyond the gap",
        "request.at(lowest_start(gap, request)).end <= part.end",
        "request.at(lowest_start(gap, request)).end <= part.end + 1",
        "a_granted_range_was_free",
    ),
    Mutation(
        "a gap of one usable address is overlooked",
        "return part.start <= part.end and",
        "return part.start < part.end and",
        "allocation_refuses_only_if_nothing_fits",
    ),
    Mutation(
        "FirstMatch takes the highest gap",
        "self.gaps().lowest(",
        "self.gaps().highest(",
        "first_match_takes_the_lowest_fit",
    ),
    Mutation(
        "LastMatch takes the lowest gap",
        "self.gaps().highest(",
        "self.gaps().lowest(",
        "last_match_takes_the_highest_fit",
    ),
    Mutation(
        "LastMatch places at the start of the gap",
        "highest_start(gap, request))",
        "lowest_start(gap, request))",
        "last_match_takes_the_highest_fit",
        "Allocator.allocate_last",
    ),
    Mutation(
        "a preferred alignment below the minimum is taken, and one above it is not",
        "if request.align < prefer:",
        "if request.align > prefer:",
        "a_preferred_place_is_taken_if_there_is_one",
    ),
    Mutation(
        "a preferred alignment is insisted on",
        "preferred = attempt(self, lambda: act(self, replace(request, align=prefer)))",
        "preferred = act(self, replace(request, align=prefer))",
        "a_preferred_alignment_refuses_nothing",
    ),
    Mutation(
        "update checks the new range before the old one has gone",
        "require(moving.is_free(",
        "require(self.is_free(",
        "an_update_is_not_refused_for_overlapping_its_old_range",
    ),
    Mutation(
        "update leaves the old range live",
        "return moving._grant(",
        "return self._grant(",
        "an_update_ends_with_the_old_range_freed_and_the_new_one_live",
    ),
    Mutation(
        "update frees and does not allocate",
        "return moving._grant(request, start)",
        "return Step(moving, request.at(start))",
        "an_update_ends_with_the_old_range_freed_and_the_new_one_live",
    ),
    Mutation(
        "an update of many checks the old ranges, and leaves them live",
        "freed = for_each(old, self, lambda state, r: state._remove(r))",
        "for_each(old, self, lambda state, r: state._remove(r)); freed = self",
        "what_an_update_of_many_leaves_live",
    ),
    Mutation(
        "an update of many forgets the new ranges",
        "return Step(for_each(new, freed, lambda state, r: state._put(r, align, window)))",
        "for_each(new, freed, lambda state, r: state._put(r, align, window)); return Step(freed)",
        "what_an_update_of_many_leaves_live",
    ),
    Mutation(
        "an update of many puts the new ranges beside the old ones",
        "return Step(for_each(new, freed,",
        "return Step(for_each(new, self,",
        "two_live_ranges_can_always_be_swapped",
    ),
    Mutation(
        "an update of many looks for each new range in the state before",
        "freed, lambda state, r: state._put(r, align, window)",
        "freed, lambda _state, r: freed._put(r, align, window)",
        "what_an_update_of_many_leaves_live",
    ),
    Mutation(
        "a move reserves its new range only above the old one",
        "parts = [below] if new.start < old.start else []",
        "parts: list[Range] = []",
        "nothing_is_handed_out_of_a_pending_move",
    ),
    Mutation(
        "a move frees its old range when it begins",
        "return Step(for_each(outside(old, new), self, lambda state, r: state._reserve(r, 1)))",
        "return Step(for_each(outside(old, new), self._remove(old), "
        "lambda state, r: state._reserve(r, 1)))",
        "nothing_is_handed_out_of_a_pending_move",
    ),
    Mutation(
        "a move that ends keeps what it reserved",
        "reserved = (old, *outside(old, new))",
        "reserved = (old,)",
        "a_committed_move_is_an_update",
    ),
    Mutation(
        "an aborted move gives its old range up",
        "return Step(for_each(outside(old, new), self, lambda state, r: state._remove(r)))",
        "return Step(for_each((old, *outside(old, new)), self, lambda state, r: state._remove(r)))",
        "an_aborted_move_never_was",
    ),
    Mutation(
        "a move may begin where an update is refused",
        "self._remove(old)._put(new, align, window)",
        "self._remove(old)",
        "a_move_may_begin_exactly_when_an_update_is_granted",
    ),
    Mutation(
        "free leaves the range live",
        "return Step(self._without(start, size))",
        "self._without(start, size); return Step(self)",
        "freeing_removes_exactly_that_range",
    ),
    Mutation(
        "free accepts any live range with that start",
        "require(r in self.live, NOT_ALLOCATED)",
        "require(not self.live.all(lambda q: q.start != r.start), NOT_ALLOCATED)",
        "free_succeeds_exactly_when_that_range_is_live",
    ),
    Mutation(
        "an allocation is not remembered",
        "live=self.live.with_range(granted),",
        "live=self.live,",
        "allocating_makes_exactly_the_granted_range_live",
    ),
    Mutation(
        "an allocation forgets the alignment that it was asked for",
        "asked=self.asked.put(start, request.align),",
        "asked=self.asked.put(start + 1, request.align),",
        "allocating_keeps_every_live_range_aligned",
    ),
    Mutation(
        "of many, one too few is granted",
        "run = repeat(count, self, act)",
        "count -= 1; run = repeat(count, self, act)",
        "many_are_granted_all_or_none",
    ),
    Mutation(
        "each of many is looked for as if it were the first",
        "lambda state: state.allocate_first(request)",
        "lambda _state: self.allocate_first(request)",
        "many_at_once_are_as_many_one_after_the_other",
    ),
    Mutation(
        "many by LastMatch are granted from below",
        "lambda state: state.allocate_last(request)",
        "lambda state: state.allocate_first(request)",
        "one_of_many_is_a_single_allocation",
    ),
    Mutation(
        "it is not told where many were granted",
        "return Step(run.after, starts=run.starts)",
        "return Step(run.after)",
        "many_at_once_are_as_many_one_after_the_other",
    ),
    Mutation(
        "of many, all but the first are forgotten",
        "return Step(run.after, starts=run.starts)",
        "return Step(act(self).after, starts=run.starts)",
        "many_at_once_are_as_many_one_after_the_other",
    ),
    Mutation(
        "gaps stop one short of the end of the space",
        "return self.live.gaps(Range(self.base, self.last))",
        "return self.live.gaps(Range(self.base, self.last - 1))",
        "every_address_is_live_or_in_a_gap_and_never_both",
    ),
    Mutation(
        "a size of everything is refused",
        "require(1 <= request.size <= self.top + 1, INVALID_SIZE)",
        "require(1 <= request.size <= self.top, INVALID_SIZE)",
        "an_exact_request_for_the_whole_space_is_granted",
    ),
    Mutation(
        "a space that ends at 2^64-1 is refused",
        "require(0 <= base <= last <= top, INVALID_SPACE)",
        "require(0 <= base <= last < top, INVALID_SPACE)",
        "a_space_beyond_what_exists_is_refused",
    ),
)


def all_mutations() -> list[Mutation]:
    """Return every mutation of the model: each guard dropped, then each bent rule."""
    return [*dropped_guards(model, model.Allocator, GUARDS), *BENT]
