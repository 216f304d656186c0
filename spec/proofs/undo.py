"""The undo log keeps its word: for logs of up to two frees and two additions, and all values.

Longer ones are tested. Each step is taken back as it stands, and the last one first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import vm_allocator.undo
from spec.contract import IndexContract
from vm_allocator.proving.theorem import Theorem

if TYPE_CHECKING:
    from types import ModuleType

    from spec.proofs.cases import AllocatorCase

COUNTS = (2, 1, 0)


def takes_back(case: AllocatorCase, module: ModuleType) -> None:
    """What was live when a log was made is live again, after it freed and added up to 2 ranges."""
    before = case.state()
    # What the steps need is assumed, and what their undoing needs is claimed.
    index = IndexContract(before, case.assume)
    log = module.UndoLog(index)
    for at in range(case.one_of("removed", COUNTS)):
        log.remove(*case.range(f"removed{at}", like=case.members(before.live)))
    for at in range(case.one_of("added", COUNTS)):
        log.add(*case.range(f"added{at}", like=case.members(before.gaps())))
    index._demand = case.claim
    log.undo()
    case.claim(index.state.live.same_as(before.live))


def undo_theorems(module: ModuleType = vm_allocator.undo) -> list[Theorem]:
    """Return what is shown of the shipped log, or of a mutated copy of it."""
    name = "the_undo_log_takes_up_to_two_steps_of_each_kind_back"
    claim = " ".join((takes_back.__doc__ or "").split())
    return [Theorem(name, claim, __name__, partial(takes_back, module=module))]
