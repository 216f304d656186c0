"""What must not be believed: theorems that are false, and true ones out of reach.

Whoever proves a false one has a defect, and so has whoever refutes a true one. Each false
one is a mistake that somebody might make; a fault in the proof engine that lets one through
shows here, and in several cases nowhere else. `verify` tries them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spec.model import INVALID_ALIGNMENT, INVALID_SIZE, NO_SPACE, Request, inside, overlaps
from spec.proofs.cases import (
    POLICIES,
    AllocatorCase,
    allocate,
    any_allocation,
    any_range,
    any_request,
    any_start,
    look_at,
)
from spec.proofs.gaps import apart
from spec.proofs.transactions import put_back
from spec.proofs.update import any_update, update
from vm_allocator.modelling import Range, align_up, attempt, is_aligned
from vm_allocator.proving.theorem import Theorem, theorem

if TYPE_CHECKING:
    from spec.model import Allocator


@theorem
def no_two_live_ranges_touch(case: AllocatorCase) -> None:
    """False: neighbours are not apart."""
    state = case.state()
    case.claim(state.live.all_pairs(lambda one, other: one == other or apart(one, other)))


@theorem
def every_space_begins_at_zero(case: AllocatorCase) -> None:
    """False, unless too much is assumed of a state."""
    case.claim(case.state().base == 0)


@theorem
def every_live_range_has_a_size_below_three(case: AllocatorCase) -> None:
    """False: nothing bounds a size but the space."""
    case.claim(case.state().live.all(lambda r: r.end - r.start < 2))  # noqa: PLR2004  # any small number


@theorem
def nothing_is_live(case: AllocatorCase) -> None:
    """False, unless too much is assumed of a state."""
    case.claim(case.state().live.lowest(lambda _: True) is None)


@theorem
def at_most_one_range_is_live(case: AllocatorCase) -> None:
    """False: there may be any number."""
    case.claim(case.state().live.all_pairs(lambda one, other: one == other))


@theorem
def there_is_always_a_gap(case: AllocatorCase) -> None:
    """False: a space may be full."""
    case.claim(case.state().gaps().lowest(lambda _: True) is not None)


@theorem
def there_is_at_most_one_gap(case: AllocatorCase) -> None:
    """False: a live range may stand between two."""
    case.claim(case.state().gaps().all_pairs(lambda one, other: one == other))


@theorem
def between_two_gaps_lie_two_addresses(case: AllocatorCase) -> None:
    """False: one live address keeps two gaps apart."""
    state = case.state()
    case.claim(
        state.gaps().all_pairs(
            lambda one, other: (
                one == other or one.end + 2 < other.start or other.end + 2 < one.start
            )
        )
    )


@theorem
def every_gap_has_two_addresses(case: AllocatorCase) -> None:
    """False: a gap may be a single address."""
    case.claim(case.state().gaps().all(lambda gap: gap.start < gap.end))


@theorem
def every_gap_ends_below_the_end_of_the_space(case: AllocatorCase) -> None:
    """False: the last gap may be the end of the space."""
    state = case.state()
    case.claim(state.gaps().all(lambda gap: gap.end < state.last))


@theorem
def the_space_lies_in_every_live_range(case: AllocatorCase) -> None:
    """False: the arguments of `inside` are swapped."""
    state = case.state()
    case.claim(state.live.all(lambda r: inside(Range(state.base, state.last), r)))


@theorem
def allocation_always_succeeds(case: AllocatorCase) -> None:
    """False: not even a sensible request fits always."""
    before = case.state()
    request = any_request(case, before)
    refusal = attempt(before, lambda: before.allocate_first(request)).refusal
    case.assume(refusal in (None, NO_SPACE))
    case.claim(refusal is None)


@theorem
def first_match_takes_the_highest_fit(case: AllocatorCase) -> None:
    """False: it takes the lowest."""
    before = case.state()
    request, other = any_request(case, before), any_start(case, before, "other")
    granted = before.allocate_first(request).granted
    case.assume(before.fits(request, other))
    look_at(case, before, other)
    case.claim(granted is not None and other <= granted.start)


@theorem
def every_policy_takes_the_lowest_fit(case: AllocatorCase) -> None:
    """False of the last policies, whatever is true of the first."""
    before = case.state()
    request, other = any_request(case, before), any_start(case, before, "other")
    start = any_start(case, before)
    policy = case.one_of("policy", POLICIES)
    granted = allocate(before, policy, request, start).granted
    case.assume(before.fits(request, other))
    look_at(case, before, other)
    case.claim(granted is not None and granted.start <= other)


@theorem
def a_granted_range_starts_at_the_base(case: AllocatorCase) -> None:
    """False: the base may be taken."""
    before = case.state()
    _, granted, _ = any_allocation(case, before)
    case.claim(granted.start == before.base)


@theorem
def a_granted_range_is_never_aligned_to_more_than_one(case: AllocatorCase) -> None:
    """False: alignment is what is asked for, and what is aligned already may be granted."""
    before = case.state()
    request = any_request(case, before)
    granted = before.allocate_first(request).granted
    case.claim(granted is not None and (request.align == 1 or granted.start == granted.end))


@theorem
def a_granted_start_is_above_the_start_of_its_window(case: AllocatorCase) -> None:
    """False: aligning up may leave a start where it is."""
    before = case.state()
    request = any_request(case, before)
    granted = before.allocate_first(request).granted
    case.claim(granted is not None and request.window.start != granted.start)


@theorem
def allocating_changes_nothing(case: AllocatorCase) -> None:
    """False: a range joins the live ones."""
    before = case.state()
    _, _, after = any_allocation(case, before)
    case.claim(after.live.same_as(before.live))


@theorem
def free_never_refuses(case: AllocatorCase) -> None:
    """False: not what is not live."""
    before = case.state()
    start, size = any_range(case, before)
    refusal = attempt(before, lambda: before.free(start, size)).refusal
    case.assume(refusal != INVALID_SIZE)
    case.claim(refusal is None)


@theorem
def free_always_refuses(case: AllocatorCase) -> None:
    """False: what is live can be freed."""
    before = case.state()
    start, size = any_range(case, before)
    case.claim(attempt(before, lambda: before.free(start, size)).refusal is not None)


@theorem
def freeing_changes_nothing(case: AllocatorCase) -> None:
    """False: a range leaves the live ones."""
    before = case.state()
    after = before.free(*any_range(case, before)).after
    case.claim(after.live.same_as(before.live))


@theorem
def an_update_never_overlaps_its_old_range(case: AllocatorCase) -> None:
    """False: a range may be moved by half its size."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    old = case.range("old", like=case.members(before.live))
    size = old.end - old.start + 1
    outcome = attempt(before, lambda: before.update(old.start, size, request, start))
    case.assume(outcome.refusal is None)
    case.claim(not overlaps(old, request.at(start)))


@theorem
def moving_back_with_sizes_swapped_is_never_refused(case: AllocatorCase) -> None:
    """False: the size of the old range is not that of the new one."""
    before = case.state()
    request, start = any_request(case, before), any_start(case, before)
    old_start, old_size = any_range(case, before)
    moved = attempt(before, lambda: before.update(old_start, old_size, request, start))
    case.assume(moved.refusal is None)
    after: Allocator = moved.after
    back = Request(request.size, 1, Range(before.base, before.last))
    again = attempt(after, lambda: after.update(start, old_size, back, old_start))
    case.claim(again.refusal is None)


@theorem
def every_start_is_a_multiple_of_three(case: AllocatorCase) -> None:
    """False, and 3 is no alignment."""
    case.claim(is_aligned(case.number("address"), 3))


@theorem
def two_multiples_of_an_alignment_are_equal(case: AllocatorCase) -> None:
    """False: there are many."""
    one, other = case.number("one"), case.number("other")
    case.assume(is_aligned(one, 4) and is_aligned(other, 4))
    case.claim(one == other)


@theorem
def aligning_up_never_goes_down_whatever_the_alignment(case: AllocatorCase) -> None:
    """False: of alignments that are none, such as 0, nothing is known."""
    address, align = case.number("address"), case.number("align", like=(0, 0, 3, 4))
    case.claim(address <= align_up(address, align))


@theorem
def aligning_up_always_moves(case: AllocatorCase) -> None:
    """False: what is aligned stays."""
    address = case.number("address")
    case.assume(0 <= address <= 4096)  # noqa: PLR2004  # any number
    case.claim(address < align_up(address, 4))


@theorem
def aligning_the_alignment_gives_a_multiple_of_the_address(case: AllocatorCase) -> None:
    """False: the arguments are swapped."""
    address, align = case.number("address"), case.number("align", like=(1, 2, 4))
    case.assume(is_aligned(address, align))
    case.claim(is_aligned(align, address))


@theorem
def a_roll_back_may_go_in_the_order_of_the_operations(case: AllocatorCase) -> None:
    """False: what was freed first may have been taken, and comes back only after that is freed."""
    before = case.state()
    start, size = any_range(case, before, "freed")
    freed = before.free(start, size).after
    request, to = any_request(case, freed), any_start(case, freed, "to")
    after = allocate(freed, case.one_of("policy", POLICIES), request, to).after
    case.claim(put_back(after, Range(start, start + size - 1)).refusal is None)


@theorem
def a_free_is_undone_with_any_alignment(case: AllocatorCase) -> None:
    """False: the allocator's default alignment may refuse what was allocated with another one."""
    before = case.state()
    start, size = any_range(case, before)
    after = before.free(start, size).after
    align = case.number("align", like=(1, 2, 4))
    again = Request(size, align, Range(after.base, after.last))
    refusal = attempt(after, lambda: after.allocate_exact(again, start)).refusal
    case.claim(refusal in (None, INVALID_ALIGNMENT))


@theorem
def an_update_is_undone_by_allocating_and_then_freeing(case: AllocatorCase) -> None:
    """False: where the new range overlaps the old one, the old one cannot be allocated first."""
    before, old, request, new = any_update(case)
    moved = update(before, old, request, new)
    case.assume(moved.refusal is None)
    case.claim(put_back(moved.after, old).refusal is None)


@theorem
def a_device_that_is_only_forgotten_leaks_nothing(case: AllocatorCase) -> None:
    """False: what no device holds any longer is live until it is freed."""
    pool = case.state()
    start, size = any_range(case, pool)
    given_up = Range(start, start + size - 1)
    case.assume(given_up in pool.live)
    case.claim(pool.live.same_as(pool.live.without(given_up)))


FALSE: Final[list[Theorem]] = [
    member for member in globals().values() if isinstance(member, Theorem)
]


@theorem
def a_multiple_of_four_is_a_multiple_of_two(case: AllocatorCase) -> None:
    """True, and no lemma speaks of two alignments at once."""
    address = case.number("address", like=(0, 4, 8))
    case.assume(0 <= address < 2**64 and is_aligned(address, 4))
    case.claim(is_aligned(address, 2))


@theorem
def aligning_to_sixty_four_adds_less_than_sixty_four_to_a_multiple(case: AllocatorCase) -> None:
    """True, and the lemmas do not add multiples."""
    address = case.number("address", like=(0, 64))
    case.assume(0 <= address < 2**64 and is_aligned(address, 64))
    case.claim(is_aligned(address + 64, 64))


OUT_OF_REACH: Final[list[Theorem]] = [
    a_multiple_of_four_is_a_multiple_of_two,
    aligning_to_sixty_four_adds_less_than_sixty_four_to_a_multiple,
]
"""The engine must neither prove nor refute these: it has to say that it does not know."""
