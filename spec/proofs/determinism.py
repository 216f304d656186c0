"""Determinism: history does not matter."""

from __future__ import annotations

from dataclasses import replace

from spec.proofs.cases import POLICIES, AllocatorCase, allocate, any_request, any_start
from vm_allocator.modelling import attempt
from vm_allocator.proving.theorem import theorem


@theorem
def the_outcome_depends_on_the_live_ranges_alone(case: AllocatorCase) -> None:
    """Two allocators of one space with the same live ranges answer every request alike.

    How they came by these ranges, and with which alignments, makes no difference.
    """
    one = case.state("one")
    other = replace(case.state("other"), top=one.top, base=one.base, last=one.last, live=one.live)
    request, start = any_request(case, one), any_start(case, one)
    policy = case.one_of("policy", POLICIES)
    here = attempt(one, lambda: allocate(one, policy, request, start))
    there = attempt(other, lambda: allocate(other, policy, request, start))
    case.claim(here.refusal == there.refusal)
    case.claim(here.granted == there.granted)
