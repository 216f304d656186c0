"""The README is true: its code runs, and its list of properties names what is proved, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spec.proofs
from spec.claim_mutations import all_claim_mutations
from spec.mutations import all_mutations
from spec.proofs import all_theorems, theorems_about_claims
from spec.proofs.arithmetic import all_lemmas
from spec.proofs.index import index_theorems
from spec.proofs.refinement import refinement_theorems
from spec.proofs.refinement_claims import claims_refinement
from spec.proofs.refinement_devices import devices_theorems
from spec.proofs.refinement_pools import pools_theorems
from spec.proofs.refinement_snapshots import snapshot_theorems
from spec.proofs.refinement_taken import taken_theorems
from spec.proofs.undo import undo_theorems

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", README, flags=re.MULTILINE)[1:]
LINKS = re.findall(r"\]\(([^)#]+)\)", README)

STATED = {
    **{stated.name: stated.module for stated in all_theorems()},
    **{stated.name: stated.module for stated in all_lemmas()},
    **{stated.name: stated.module for stated in refinement_theorems()},
    **{stated.name: stated.module for stated in index_theorems()},
    **{stated.name: stated.module for stated in pools_theorems()},
    **{stated.name: stated.module for stated in taken_theorems()},
    **{stated.name: stated.module for stated in devices_theorems()},
    **{stated.name: stated.module for stated in undo_theorems()},
    **{stated.name: stated.module for stated in snapshot_theorems()},
    **{stated.name: stated.module for stated in theorems_about_claims()},
    **{stated.name: stated.module for stated in claims_refinement()},
}

PROPERTIES = {
    "bounds": "keeps_every_live_range_in_the_space",
    "no overlap": "keeps_live_ranges_apart",
    "alignment": "keeps_every_live_range_aligned",
    "completeness": "allocation_refuses_only_if_nothing_fits",
    "optimality": "first_match_takes_the_lowest_fit",
    "exact free": "free_succeeds_exactly_when_that_range_is_live",
    "atomicity": "a_refused_action_changes_nothing",
    "truthful refusals": "an_exact_refusal_names_the_first_thing_that_is_wrong",
    "coalescing": "freeing_merges_the_gaps_beside",
    "determinism": "the_outcome_depends_on_the_live_ranges_alone",
    "no wrap": "a_granted_range_ends_within_64_bits",
    "many at once": "many_at_once_are_as_many_one_after_the_other",
    "simultaneous update": "what_an_update_of_many_leaves_live",
    "two-phase": "nothing_is_handed_out_of_a_pending_move",
    "inverse": "the_undo_of_an_update_is_granted_and_restores_the_state",
    "pools in order": "a_later_pool_is_used_only_if_nothing_fits_in_an_earlier_one",
    "conservation": "unregistering_keeps_live_ranges_the_sum_of_what_is_held",
    "preferences": "a_preferred_alignment_refuses_nothing",
    "reserved, owned": "reserves_as_an_allocation",
    "claims": "nothing_waits_that_could_be_granted",
    "round trip": "what_was_saved_is_restored",
    "refinement": "the_address_allocator_does_update_as_the_model",
    "the index keeps its contract": "the_index_finds_the_lowest_room",
}


def test_every_link_leads_to_a_file() -> None:
    missing = [link for link in LINKS if not (ROOT / link).exists()]
    assert missing == []


def test_every_proved_property_is_in_the_list_and_no_other() -> None:
    proved = [name for name, _, how_far, _ in ROWS if how_far.startswith("proved")]
    assert proved == list(PROPERTIES)


@pytest.mark.parametrize(("prop", "theorem"), PROPERTIES.items())
def test_a_file_that_the_row_links_states_the_theorem(prop: str, theorem: str) -> None:
    row = next(where for name, _, _, where in ROWS if name == prop)
    modules = {f"spec.proofs.{Path(link).stem}" for link in re.findall(r"\]\(([^)]+)\)", row)}
    assert any(name.endswith(theorem) and module in modules for name, module in STATED.items())


def test_every_file_of_theorems_is_linked_from_the_list() -> None:
    files = set(STATED.values())
    linked = {
        f"spec.proofs.{Path(link).stem}"
        for _, _, _, where in ROWS
        for link in re.findall(r"\]\((spec/proofs/[^)]+)\)", where)
    }
    assert files <= linked


def test_no_module_of_proofs_is_left_out_of_the_run() -> None:
    modules = {path.stem for path in Path(spec.proofs.__file__).parent.glob("*.py")}
    stated = {module.rpartition(".")[2] for module in STATED.values()}
    assert modules - stated == {
        "__init__",
        "any_pools",  # what stands in for pools below the theorems about what lies above them
        "bounded_indexes",  # lists what the two beside it state
        "bounded_many",  # held to its own word in tests/proofs/test_bounded.py
        "bounded_tree",  # held to its own word in tests/proofs/test_bounded_tree.py
        "bounded",  # held to its own word in tests/proofs/test_bounded.py
        "cases",
        "queues",  # the rule that the theorems about claims are shown by
        "reachable",
        "runs",  # the rule that the theorems about many are shown by
        "subjects",
        "summaries",
        "walks",  # the same, for lists
    }


def test_the_number_of_bent_specifications_is_the_one_that_is_told() -> None:
    bent = [*all_mutations(), *all_claim_mutations()]
    assert f"- {len(bent)} bent specifications" in README


def test_the_example_does_what_its_comments_say() -> None:
    code = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert code is not None
    names: dict[str, object] = {}
    exec(code.group(1), names)  # noqa: S102  # the README's own code is what is under test
    assert names["bar"] == 0xC000_0000
    assert names["irq"] == 5
    assert names["block"] == 32
    assert names["queues"] == [40, 41, 42, 43]
