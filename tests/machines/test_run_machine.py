"""`run_machine`: the same seed tells the same story, and a bug comes back as data."""

import pytest

from spec import model, moves
from tests.seeded_bugs.allocator_bugs import ExactMatchDoesNotLookInside, FreeAcceptsAPart
from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
from vm_allocator.gaps import SortedGaps
from vm_allocator.lockstep import Lockstep
from vm_allocator.machines import MACHINES, MachineResult, run_machine
from vm_allocator.machines.session import Operation
from vm_allocator.machines.shrinking import shrunk


def _story(result: MachineResult) -> tuple[object, ...]:
    """All but the time."""
    return (
        result.seeds,
        result.examples,
        result.steps,
        result.granted,
        result.refused,
        result.failure,
    )


@pytest.mark.parametrize("name", MACHINES)
def test_the_same_seed_tells_the_same_story(name: str) -> None:
    run = [run_machine(name, max_examples=20, steps=10, seed=seed) for seed in (3, 3, 4)]
    assert _story(run[0]) == _story(run[1])
    assert _story(run[0]) != _story(run[2])
    assert run[0].name == name
    assert run[0].holds


def test_the_same_seed_finds_the_same_trace() -> None:
    found = [
        run_machine("address-small", max_examples=300, steps=20, factory=FreeAcceptsAPart)
        for _ in range(2)
    ]
    assert not found[0].holds
    assert found[0].failure == found[1].failure


@pytest.mark.parametrize("name", ["address-small", "id-small"])
def test_every_operation_and_every_refusal_is_tried(name: str) -> None:
    result = run_machine(name, max_examples=100, steps=20)
    reachable = {value for key, value in vars(model).items() if key.isupper()}
    reachable = {value for value in reachable if isinstance(value, str)}
    # No allocator is made of the one, and no `RangeInclusive` of the other.
    reachable -= {model.INVALID_SPACE, model.INVALID_RANGE}
    # Of what is reserved, that model knows that it is taken, and not by whom.
    assert set(result.refused) == reachable | {moves.MOVE_PENDING, moves.RESERVED}
    assert result.granted > 1000


def test_a_budget_is_spent_in_whole_batches() -> None:
    one = run_machine("id-small", max_examples=5, steps=5, seed=7, max_seconds=0.0)
    assert one.seeds == range(7, 8)
    more = run_machine("id-small", max_examples=5, steps=5, seed=7, max_seconds=0.5)
    assert len(more.seeds) >= 1
    assert more.examples >= one.examples


def test_a_budget_ends_with_the_first_failure() -> None:
    result = run_machine(
        "address-small", max_examples=5, steps=5, max_seconds=3600.0, factory=FreeAcceptsAPart
    )
    assert result.failure is not None
    # The seed of the failure finds it without the batches before it.
    last = result.seeds[-1]
    again = run_machine(
        "address-small", max_examples=5, steps=5, seed=last, factory=FreeAcceptsAPart
    )
    assert again.failure == result.failure


class _Crashes(AddressAllocator):
    def lookup(self, resource: GuestAddress) -> None:
        raise KeyError(resource)


def test_a_crash_is_a_finding_with_a_trace() -> None:
    result = run_machine("address-small", max_examples=100, factory=_Crashes)
    assert result.failure is not None
    assert "crashed: KeyError(" in result.failure
    assert "allocator.lookup(" in result.failure


def test_an_allocator_that_is_wrong_from_the_start_is_a_finding() -> None:
    def one_byte_less(base: int, size: int, alignment: int) -> AddressAllocator:
        made = AddressAllocator(GuestAddress(base), GuestUsize(size), alignment)
        made._index.add(base, base)
        return made

    result = run_machine("address-small", max_examples=5, factory=one_byte_less)
    assert result.failure is not None
    assert result.failure.startswith("expected the live ranges of allocator to be none")


def test_a_factory_that_cannot_be_called_is_shown_as_it_is() -> None:
    def broken(base: int, size: int, alignment: int) -> AddressAllocator:
        raise OSError(f"no allocator for {base}, {size}, {alignment}")

    result = run_machine("address-small", max_examples=5, factory=broken)
    assert result.failure is not None
    assert "OSError: no allocator for" in result.failure


def test_a_name_that_no_machine_has_is_an_error() -> None:
    with pytest.raises(KeyError, match="no-such-machine"):
        run_machine("no-such-machine")


def _build() -> Lockstep[GuestAddress, GuestUsize]:
    return Lockstep(FreeAcceptsAPart(GuestAddress(0), GuestUsize(64)))


def _call(
    method: str, *arguments: int | str | None, on: str = "allocator", **options: int
) -> Operation:
    return Operation(on, method, arguments, options)


def test_shrinking_leaves_what_is_needed_and_nothing_else() -> None:
    trace = shrunk(
        _build,
        [
            _call("allocate", None, 9),
            _call("fork", "copy_1"),
            _call("allocate", 32, 17, on="copy_1", align=16),
            _call("free", 1, 1),
            _call("free", 32, 5, on="copy_1"),
            _call("free", 40, 1),
        ],
    )
    assert str(trace).splitlines()[-2:] == [
        "allocator.allocate(0x20, 0x2)  # 0x20",
        "allocator.free(0x20, 0x1)  # done; the specification says: refused: not-allocated",
    ]


def test_shrinking_exchanges_no_wrong_answer_for_a_crash() -> None:
    trace = shrunk(
        lambda: Lockstep(
            ExactMatchDoesNotLookInside(GuestAddress(0), GuestUsize(64), index=SortedGaps)
        ),
        [_call("allocate", 32, 4), _call("allocate", 32, 2)],
    )
    # With both at 0x0 it is a crash: the index notices that there is no gap below.
    assert str(trace).splitlines()[-2:] == [
        "allocator.allocate(0x1, 0x1)  # 0x1",
        "allocator.allocate(0x0, 0x2)  # 0x0; the specification says: refused: overlap",
    ]


def test_there_is_nothing_to_shrink_where_all_agree() -> None:
    with pytest.raises(ValueError, match="no disagreement"):
        shrunk(_build, [_call("allocate", None, 9)])
