"""Every seeded bug is caught by a state machine; the real code passes the same machine."""

import pytest

from tests.source import needs_source
from vm_allocator.machines import MACHINES, run_machine

from .catalogue import BUGS, BUGS_SEEN_FROM_ABOVE, SeededBug
from .rewrites import REWRITES, Rewrite

# One budget for the seeded bugs and for the code without them.
EXAMPLES = 150
STEPS = 20
SEED = 0


def _short(trace: str) -> bool:
    """Whether a person reads it at a glance: the difference, the set-up and a few calls."""
    return len(trace.splitlines()) <= 3 + 12


@pytest.mark.parametrize("name", MACHINES)
def test_the_real_code_passes(name: str) -> None:
    # Fewer where no bug is looked for: `verify` runs these machines for longer.
    examples = EXAMPLES if any(name == bug.machine for bug in BUGS) else 15
    result = run_machine(name, max_examples=examples, steps=STEPS, seed=SEED)
    assert result.failure is None, result.failure
    assert result.examples >= examples


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught_with_a_readable_trace(bug: SeededBug) -> None:
    result = run_machine(
        bug.machine, max_examples=EXAMPLES, steps=STEPS, seed=SEED, factory=bug.buggy
    )
    assert result.failure is not None
    assert "Traceback" not in result.failure
    # The bugs give wrong answers: a crash would be another bug, or tell too little of this one.
    assert "crashed" not in result.failure
    for clue in bug.clues:
        assert clue in result.failure
    assert _short(result.failure), result.failure


@pytest.mark.parametrize("bug", BUGS_SEEN_FROM_ABOVE, ids=lambda bug: bug.name)
def test_a_bug_of_the_index_is_seen_through_the_allocator(bug: SeededBug) -> None:
    result = run_machine(
        bug.machine, max_examples=EXAMPLES, steps=STEPS, seed=SEED, factory=bug.buggy
    )
    assert result.failure is not None
    assert "allocator." in result.failure
    assert _short(result.failure), result.failure


@needs_source
@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.name)
def test_a_bug_in_the_text_of_the_source_is_caught(rewrite: Rewrite) -> None:
    result = run_machine(
        rewrite.machine, max_examples=EXAMPLES, steps=STEPS, seed=SEED, factory=rewrite.load()
    )
    assert result.failure is not None
    assert "Traceback" not in result.failure
    assert _short(result.failure), result.failure


@needs_source
def test_a_rewrite_that_no_longer_applies_says_so() -> None:
    stale = Rewrite("stale", "gaps", "no such line", "", "index-small")
    with pytest.raises(LookupError, match="write the seeded bug anew"):
        stale.load()
