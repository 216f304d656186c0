"""The shipped source allocates many as the model does: for all integers, and any number at once.

The method has no loop: it asks the index for the starts, and adds them. What the contract of
the index says of these is a run, and so is the model's action. `spec.proofs.runs` shows that
the two are the same run, by induction over its length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spec.proofs.cases import AllocatorCase, any_start
from spec.proofs.many import any_count
from spec.proofs.runs import any_runs
from spec.proofs.subjects import (
    GIVEN,
    LEFT_OUT,
    Shipped,
    Subject,
    any_options,
    any_subject,
    outcome_of,
    reading,
)
from vm_allocator.modelling import attempt, larger, smaller
from vm_allocator.policy import ExactMatch, LastMatch
from vm_allocator.resource import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from spec.model import Request


def does_allocate_many_as_the_model(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`allocate_many`: the same starts, or the same refusal, and the same live ranges."""
    subject = any_subject(case, shipped, unit, watched=False)
    before, count = subject.before, any_count(case)
    request, call, policy = _any_call(case, subject, count)
    action = before.allocate_many_last if policy is LastMatch else before.allocate_many_first
    first = larger(request.window.start, before.base)
    last = smaller(request.window.end, before.last)
    with any_runs(case, lambda _, done: done == 0 or first <= last), reading(case, shipped):
        expected = attempt(before, lambda: action(count, request))
        granted, refusal = outcome_of(call)
    case.claim(refusal == expected.refusal)
    case.claim(granted is None or granted == expected.starts)
    case.claim(subject.index.state.live.same_as(expected.after.live))


def does_allocate_many_within_64_bits(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`allocate_many`: no sum or difference of its own leaves [0, 2^64-1]."""
    subject = any_subject(case, shipped, unit, watched=True)
    _, call, _ = _any_call(case, subject, any_count(case))
    with any_runs(case), reading(case, shipped):
        _, refusal = outcome_of(call)
    case.claim(refusal is None or not refusal.startswith("crash"))


def refuses_many_at_one_start(case: AllocatorCase, shipped: Shipped, unit: Unit) -> None:
    """`allocate_many` by ExactMatch, which has room for one, is refused, and nothing changes."""
    subject = any_subject(case, shipped, unit, watched=False)
    policy: Any = ExactMatch(any_start(case, subject.before))
    count = any_count(case)
    request, options = any_options(case, subject)
    expected = attempt(subject.before, lambda: subject.before.allocate_first(request))
    with any_runs(case), reading(case, shipped):
        _, refusal = outcome_of(
            lambda: subject.allocator.allocate_many(count, request.size, policy=policy, **options)
        )
    senseless = refusal in ("invalid-count", expected.refusal)
    case.claim(refusal is not None)
    case.claim(senseless or refusal == "conflicting-request")
    case.claim(subject.unchanged())


ABOUT_MANY: Final[tuple[Callable[[AllocatorCase, Shipped, Unit], None], ...]] = (
    does_allocate_many_as_the_model,
    does_allocate_many_within_64_bits,
    refuses_many_at_one_start,
)


def _any_call(
    case: AllocatorCase, subject: Subject, count: int
) -> tuple[Request, Callable[[], list[Any]], Any]:
    """Return any request, the call that makes it so many times at once, and its policy."""
    # What is left out is read by the code that both allocators share: once is enough.
    ids = subject.allocator._unit is Unit.ID
    request, options = any_options(case, subject, (GIVEN,) if ids else (GIVEN, LEFT_OUT))
    policy = case.one_of("policy", (None, LastMatch))
    ranges, size = subject.word(count), subject.size(request.size)
    call = subject.allocator.allocate_many
    return request, lambda: call(ranges, size, policy=policy, **options), policy
