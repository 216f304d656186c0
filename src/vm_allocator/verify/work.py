"""One task, done: what a worker process runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import spec.claims
import spec.model
from spec.claim_mutations import all_claim_mutations
from spec.claims import Claims
from spec.model import Allocator
from spec.mutations import all_mutations
from spec.not_theorems import FALSE, OUT_OF_REACH
from spec.proofs import all_theorems, theorems_about_claims
from spec.proofs.arithmetic import all_lemmas
from spec.proofs.bounded_indexes import all_bounded
from spec.proofs.cases import small_state
from spec.proofs.index import index_theorems
from spec.proofs.queues import small_claims
from spec.proofs.reachable import ACTS, endings
from spec.proofs.refinement import refinement_theorems
from spec.proofs.refinement_claims import claims_refinement, is_about_claims
from spec.proofs.refinement_devices import devices_theorems
from spec.proofs.refinement_pools import pools_theorems
from spec.proofs.refinement_snapshots import snapshot_theorems
from spec.proofs.refinement_taken import taken_theorems
from spec.proofs.undo import undo_theorems
from spec.source_mutations import refute_source, source_mutants
from vm_allocator import __compiled__
from vm_allocator.machines import MACHINES, run_machine
from vm_allocator.proving.concrete_case import Sampling, sample
from vm_allocator.proving.lemma import prove_lemma
from vm_allocator.proving.mutation import MutantResult, mutated_model, refute
from vm_allocator.proving.prover import Effort, prove
from vm_allocator.proving.verdict import Opinion, Proof, Verdict
from vm_allocator.refutation import evidence, refutation_of, save

from .rows import Row, Section, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.proving.theorem import Theorem

ONE_MUTANT_IN: Final = 16
"""All of them take minutes: `make mutation` does."""

GAPS: Final = 3
"""Of the bounded check: with these, `verify` takes a dozen seconds more on one core."""

BOUNDED_PATHS: Final = 1_000_000
"""Who asks for more gaps waits for them: the number of paths is no reason to give up."""

MANY_PATHS: Final = 10_000
"""Of theorems about shipped source: a few thousand short ones are gone through in seconds."""

OF_IDS_ALONE: Final = ("a_block", "allocate_anywhere_as", "constructs", "free_as", "many_as")
"""What `IdAllocator` says itself; all else it inherits as it is."""

SAMPLES: Final = 2000
"""Cases on which each theorem is also run natively: a proof of what never happens is none."""


@dataclass(frozen=True)
class Settings:
    """What every task needs to know. Picklable."""

    seed: int = 0
    machine_seconds: float = 4.0
    """For each state machine."""
    smt_lib: str | None = None
    """A directory for the obligations as SMT-LIB 2."""
    save: str | None = None
    """A directory for refutations, as programs and as ITF traces."""
    gaps: int = GAPS
    """How many gaps the bounded check of an index goes to."""


def _is_repeated(task: Task) -> bool:
    """Whether it shows of ids what another row shows of the very same code, for addresses."""
    inherited = task.section is Section.REFINEMENT and task.name.startswith("the_id_allocator")
    return inherited and not any(own in task.name for own in OF_IDS_ALONE)


def brisk(every: list[Task]) -> list[Task]:
    """Return what is left if time is short: no row that repeats another, one bent model in four."""
    bent = [task for task in every if task.section is Section.MUTATION]
    source = [task for task in every if task.section is Section.SOURCE]
    left_out = {*bent} - {*bent[::4]} | {*source} - {*source[::2]}
    return [task for task in every if task not in left_out and not _is_repeated(task)]


def tasks(*, every_mutant: bool = False) -> list[Task]:
    """Return every task there is. What depends on shipped source comes first: it changes most.

    The long ones come before the short ones, so that no worker ends with one. Of the mutants
    of the shipped source, one in `ONE_MUTANT_IN`, unless every one is wanted.
    """
    source = source_mutants()[:: 1 if every_mutant else ONE_MUTANT_IN]
    return [
        *(Task(Section.REFINEMENT, stated.name) for stated in _about_source()),
        *(Task(Section.BOUNDED, stated.theorem.name) for stated in all_bounded(GAPS)),
        *(Task(Section.LEMMA, stated.name) for stated in all_lemmas()),
        *(Task(Section.MACHINE, name) for name in MACHINES),
        *(Task(Section.THEOREM, stated.name) for stated in _about_models()),
        *(Task(Section.FALSE, stated.name) for stated in FALSE),
        *(Task(Section.DOUBT, stated.name) for stated in OUT_OF_REACH),
        *(Task(Section.WITNESS, name) for name in ACTS),
        *(Task(Section.MUTATION, mutation.name) for mutation in all_mutations()),
        *(Task(Section.MUTATION, mutation.name) for mutation in all_claim_mutations()),
        *(Task(Section.SOURCE, mutant.name) for mutant in source),
    ]


def work(task: Task, settings: Settings) -> Row:
    """Do the task. Raises only for a defect of this program."""
    return _WORKERS[task.section](task.name, settings)


def _lemma(name: str, settings: Settings) -> Row:
    stated = next(stated for stated in all_lemmas() if stated.name == name)
    proof = prove_lemma(stated, _effort(settings))
    _save(proof, settings)
    return _proof_row(Section.LEMMA, proof, "72-bit, all values", settings)


def _theorem(name: str, settings: Settings) -> Row:
    return _stated(Section.THEOREM, _about_models(), name, settings)


def _refinement(name: str, settings: Settings) -> Row:
    stated = next(stated for stated in _about_source() if stated.name == name)
    # What runs over pools of any kind goes through every combination of their answers.
    effort = replace(_effort(settings), path_limit=MANY_PATHS)
    return _row_of(Section.REFINEMENT, stated, effort, settings)


def _about_models() -> list[Theorem]:
    return [*all_theorems(), *theorems_about_claims()]


def _about_source() -> list[Theorem]:
    return [
        *claims_refinement(),
        *refinement_theorems(),
        *taken_theorems(),
        *undo_theorems(),
        *index_theorems(),
        *pools_theorems(),
        *devices_theorems(),
        *snapshot_theorems(),
    ]


def _prove(stated: Theorem, effort: Effort) -> Proof:
    if is_about_claims(stated):
        return prove(stated, Claims, small_claims, effort)
    return prove(stated, Allocator, small_state, effort)


def _sample(stated: Theorem, seed: int) -> Sampling:
    if is_about_claims(stated):
        return sample(stated, Claims, small_claims, cases=SAMPLES, seed=seed)
    return sample(stated, Allocator, small_state, cases=SAMPLES, seed=seed)


def _bounded(name: str, settings: Settings) -> Row:
    bounded = next(each for each in all_bounded(settings.gaps) if each.theorem.name == name)
    effort = replace(_effort(settings), path_limit=BOUNDED_PATHS)
    row = _row_of(Section.BOUNDED, bounded.theorem, effort, settings)
    return replace(row, gaps=bounded.gaps)


def _stated(section: Section, stock: list[Theorem], name: str, settings: Settings) -> Row:
    stated = next(stated for stated in stock if stated.name == name)
    return _row_of(section, stated, _effort(settings), settings)


def _row_of(section: Section, stated: Theorem, effort: Effort, settings: Settings) -> Row:
    began = time.perf_counter()
    proof = _prove(stated, effort)
    _save(proof, settings)
    sampled = _sample(stated, settings.seed)
    row = _proof_row(
        section,
        proof,
        f"{proof.paths} paths, {proof.obligations} obligations, "
        f"{sampled.relevant} of {sampled.cases} samples",
        settings,
        time.perf_counter() - began,
    )
    if row.verdict is not Verdict.PROVED:
        return row
    if sampled.broken is not None:
        # Proved, and false on a case: the proof engine is wrong. Never hide that.
        return _failed(
            row, Verdict.REFUTED, "proved, yet broken by a sampled case", sampled.broken.lines()
        )
    if not sampled.relevant:
        return _failed(row, Verdict.UNKNOWN, "no sampled case reaches a claim: vacuous?", [])
    return row


def _false(name: str, settings: Settings) -> Row:
    stated = next(stated for stated in FALSE if stated.name == name)
    proof = prove(stated, Allocator, small_state, _effort(settings))
    shown = proof.counterexample
    return _battery_row(
        Section.FALSE,
        proof,
        proof.verdict,
        reason="" if proof.verdict is Verdict.REFUTED else f"false, and {proof.verdict.value}",
        evidence=tuple(shown.lines()) if shown else (),
    )


def _doubt(name: str, settings: Settings) -> Row:
    stated = next(stated for stated in OUT_OF_REACH if stated.name == name)
    proof = prove(stated, Allocator, small_state, _effort(settings))
    open_still = proof.verdict is Verdict.UNKNOWN
    return _battery_row(
        Section.DOUBT,
        proof,
        Verdict.PROVED if open_still else Verdict.REFUTED,
        reason="" if open_still else f"{proof.verdict.value}, by an engine that cannot know",
    )


def _battery_row(
    section: Section,
    proof: Proof,
    verdict: Verdict,
    reason: str,
    evidence: tuple[str, ...] = (),
) -> Row:
    return Row(
        section=section,
        name=proof.name,
        claim=proof.claim,
        verdict=verdict,
        opinion=Opinion.NOT_ASKED,
        second_solver="",
        seconds=proof.seconds,
        measure=f"{proof.paths} paths, {proof.obligations} obligations",
        evidence=evidence,
        reason=reason,
    )


def _witness(name: str, settings: Settings) -> Row:
    began = time.perf_counter()
    found = endings(name, settings.seed)
    missing = [ending for ending, values in found.witnesses.items() if values is None]
    return Row(
        section=Section.WITNESS,
        name=name,
        claim=f"{name} can be granted, and every refusal that it has can happen",
        verdict=Verdict.PROVED if found.all_reached else Verdict.UNKNOWN,
        opinion=Opinion.NOT_ASKED,
        second_solver="",
        seconds=time.perf_counter() - began,
        measure=f"{len(found.witnesses)} endings: {', '.join(found.witnesses)}",
        evidence=tuple(
            f"{ending}: {'; '.join(values.lines())}"
            for ending, values in found.witnesses.items()
            if values is not None
        ),
        reason=f"no witness for {', '.join(missing)}" if missing else "",
    )


def _mutation(name: str, settings: Settings) -> Row:
    result = _refuted(name, _effort(settings))
    mutation, refuted = result.mutation, result.refuted
    reason = "" if refuted else "no theorem notices: the proofs do not bite here"
    verdict = Verdict.REFUTED if refuted else Verdict.PROVED
    if refuted and refuted.name != mutation.refuted_by:
        # Another theorem noticed, by luck: the one that is about this rule should have.
        verdict, reason = Verdict.UNKNOWN, f"{mutation.refuted_by} does not notice"
    return Row(
        section=Section.MUTATION,
        name=name,
        claim=f"{mutation.old} -> {mutation.new}",
        verdict=verdict,
        opinion=Opinion.NOT_ASKED,
        second_solver="",
        seconds=result.seconds,
        measure=f"loses {refuted.name}" if refuted else f"survives {result.tried} theorems",
        evidence=tuple(refuted.counterexample.lines())
        if refuted and refuted.counterexample
        else (),
        reason=reason,
    )


def _refuted(name: str, effort: Effort) -> MutantResult:
    for mutation in all_mutations():
        if mutation.name == name:
            mutant = mutated_model(spec.model, Allocator, mutation)
            return refute(mutation, mutant, all_theorems(), small_state, effort)
    mutation = next(found for found in all_claim_mutations() if found.name == name)
    bent = mutated_model(spec.claims, Claims, mutation)
    return refute(mutation, bent, theorems_about_claims(), small_claims, effort)


def _source(name: str, settings: Settings) -> Row:
    mutant = next(found for found in source_mutants() if found.name == name)
    began = time.perf_counter()
    effort = replace(_effort(settings), second_opinion=False, path_limit=MANY_PATHS)
    proof, tried = refute_source(mutant, effort)
    return Row(
        section=Section.SOURCE,
        name=name,
        claim=f"{mutant.before} -> {mutant.after}",
        verdict=Verdict.REFUTED if proof else Verdict.PROVED,
        opinion=Opinion.NOT_ASKED,
        second_solver="",
        seconds=time.perf_counter() - began,
        measure=f"loses {proof.name}" if proof else f"survives {tried} theorems",
        evidence=tuple(proof.counterexample.lines()) if proof and proof.counterexample else (),
        reason="" if proof else "no theorem notices: the proofs do not bite here",
    )


def _machine(name: str, settings: Settings) -> Row:
    result = run_machine(name, seed=settings.seed, max_seconds=settings.machine_seconds)
    refused = sum(result.refused.values())
    return Row(
        section=Section.MACHINE,
        name=name,
        claim=MACHINES[name].about,
        verdict=Verdict.PROVED if result.holds else Verdict.REFUTED,
        opinion=Opinion.NOT_ASKED,
        second_solver="",
        seconds=result.seconds,
        measure=f"{result.steps} steps: {result.granted} granted, {refused} refused, "
        f"seeds {result.seeds.start} to {result.seeds.stop - 1}"
        + (", compiled" if __compiled__ else ""),
        evidence=tuple((result.failure or "").splitlines()),
        reason="" if result.holds else "the allocator and the model disagree",
    )


_WORKERS: Final[dict[Section, Callable[[str, Settings], Row]]] = {
    Section.LEMMA: _lemma,
    Section.THEOREM: _theorem,
    Section.REFINEMENT: _refinement,
    Section.BOUNDED: _bounded,
    Section.FALSE: _false,
    Section.DOUBT: _doubt,
    Section.WITNESS: _witness,
    Section.MUTATION: _mutation,
    Section.SOURCE: _source,
    Section.MACHINE: _machine,
}


def _evidence(proof: Proof, settings: Settings) -> tuple[str, ...]:
    """Return the lines that show a refutation; save it, if that is wanted."""
    if proof.counterexample is None:
        return ()
    about_claims = [*theorems_about_claims(), *claims_refinement()]
    if any(stated.name == proof.name for stated in about_claims):
        return tuple(proof.counterexample.lines())  # programs and traces are of allocators alone
    refutation = refutation_of(proof.name, proof.claim, proof.counterexample)
    saved = None
    if settings.save is not None:
        saved = save(Path(settings.save), refutation)[0]
    return (*proof.counterexample.lines(), "", *evidence(refutation, saved))


def _effort(settings: Settings) -> Effort:
    return Effort(keep_smt_lib=settings.smt_lib is not None, seed=settings.seed)


def _proof_row(
    section: Section,
    proof: Proof,
    measure: str,
    settings: Settings,
    seconds: float | None = None,
) -> Row:
    reason = proof.reason
    if proof.verdict is Verdict.PROVED and proof.opinion is not Opinion.CONFIRMED:
        reason = f"{proof.second_solver}: {proof.opinion.value}"
    return Row(
        section=section,
        name=proof.name,
        claim=proof.claim,
        verdict=proof.verdict,
        opinion=proof.opinion,
        second_solver=proof.second_solver,
        seconds=proof.seconds if seconds is None else seconds,
        measure=measure,
        evidence=_evidence(proof, settings),
        reason=reason,
    )


def _failed(row: Row, verdict: Verdict, reason: str, evidence: list[str]) -> Row:
    return replace(row, verdict=verdict, reason=reason, evidence=tuple(evidence))


def _save(proof: Proof, settings: Settings) -> None:
    """Write the obligations, one file each, for any other solver."""
    if settings.smt_lib is None:
        return
    directory = Path(settings.smt_lib)
    directory.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(proof.smt_lib, start=1):
        (directory / f"{proof.name}.{number:03d}.smt2").write_text(text, encoding="utf-8")
