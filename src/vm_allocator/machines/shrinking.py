"""Make a failing trace small: first fewer operations, then simpler ones.

hypothesis shrinks the random draws. Here a draw means something else as soon as an
earlier operation is gone, since draws depend on the state, so that its shrinking is
slow and stops early. The operations themselves are plain data and can be replayed
without their neighbours: that takes milliseconds and ends at a trace from which no
single operation can be dropped.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, TypeVar

from vm_allocator.lockstep import DisagreementError
from vm_allocator.modelling import Refused

from .session import Operation, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .session import Subject

T = TypeVar("T")

MOST_REPLAYS: Final = 5_000
"""Where shrinking stops at the latest; a count and no clock, so that it ends the same way."""

COUNTED: Final = ("allocate_many", "lowest_fits", "highest_fits")
"""What begins with a number of ranges."""

MOST_AT_ONCE: Final = 100


def shrunk(build: Callable[[], Subject], operations: Sequence[Operation]) -> DisagreementError:
    """Return the disagreement at the end of the smallest trace found.

    A wrong answer is never exchanged for a crash, which says less about the bug. Deterministic.
    Raises `ValueError` if the operations lead to no disagreement.
    """
    found = _replay(build, operations)
    if found is None:
        raise ValueError("these operations lead to no disagreement")
    done, error = found
    replays = 0
    progress = True
    while progress:
        progress = False
        for candidate in chain(_fewer(done), _without_a_copy(done), _simpler(done)):
            replays += 1
            if replays > MOST_REPLAYS:
                break
            better = _replay(build, candidate)
            if better is not None and (_crashed(error) or not _crashed(better[1])):
                (done, error), progress = better, True
                break
    return error


def _replay(
    build: Callable[[], Subject], operations: Sequence[Operation]
) -> tuple[list[Operation], DisagreementError] | None:
    """Return the operations up to the first disagreement, and that; `None` if all agree."""
    session = Session(build)
    try:
        for operation in operations:
            session.do(operation)
    except DisagreementError as error:
        return session.operations, error
    except Refused:
        return None  # a call that a gap index does not allow without those that were dropped
    return None


def _crashed(error: DisagreementError) -> bool:
    """Whether the last call raised what no allocator and no index raises on purpose."""
    return any(call.actual.startswith("crashed: ") for call in error.calls[-1:])


def _fewer(operations: list[Operation]) -> Iterator[list[Operation]]:
    """Drop half of the operations, a quarter, ..., one; the last one is the failing one."""
    size = len(operations) // 2
    while size > 0:
        for start in range(0, len(operations) - 1, size):
            yield operations[:start] + operations[start + size :]
        size //= 2


def _without_a_copy(operations: list[Operation]) -> Iterator[list[Operation]]:
    """Let the original do what its copy did."""
    for position, operation in enumerate(operations):
        if operation.method == "fork":
            (copy,) = operation.arguments
            yield operations[:position] + [
                later._replace(on=operation.on) if later.on == copy else later
                for later in operations[position + 1 :]
            ]


def _simpler(operations: list[Operation]) -> Iterator[list[Operation]]:
    """Have fewer ranges in it, drop an option, or make a number smaller."""
    for position, operation in enumerate(operations):
        simplified = chain(
            _of_fewer_ranges(operation),
            _of_fewer_parts(operation),
            _without_an_option(operation),
            _with_a_smaller_number(operation),
        )
        for simpler in simplified:
            yield [*operations[:position], simpler, *operations[position + 1 :]]


def _of_fewer_ranges(operation: Operation) -> Iterator[Operation]:
    """Say of one range what is said of a list of one; else leave out some of the list."""
    match operation.method, operation.arguments:
        case "allocate_many", (1, size):
            yield operation._replace(method="allocate", arguments=(None, size))
        case ("lowest_fits" | "highest_fits") as method, (1, *rest):
            yield operation._replace(method=method.removesuffix("s"), arguments=tuple(rest))
        case "add_all", ([start], span):
            yield operation._replace(method="add", arguments=(start, start + span))
        case "add_all", (starts, span):
            for fewer in _parts(starts):
                yield operation._replace(arguments=(fewer, span))
        case "update_many", (changes,):
            for fewer in _parts(changes):
                yield operation._replace(arguments=(fewer,))


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Leave out a half of a list, or one end of it."""
    half = len(items) // 2
    for fewer in (items[:half], items[half:], items[:-1], items[1:]):
        if len(fewer) < len(items):
            yield fewer


def _of_fewer_parts(operation: Operation) -> Iterator[Operation]:
    """Leave out one of the steps of a transaction, or one of the needs of a device."""
    for position, argument in enumerate(operation.arguments):
        if isinstance(argument, tuple):
            for left_out in reversed(range(len(argument))):
                if getattr(argument[left_out], "pool", None) == 0:
                    continue  # a device without an instance is none
                arguments = list(operation.arguments)
                arguments[position] = argument[:left_out] + argument[left_out + 1 :]
                yield operation._replace(arguments=tuple(arguments))


def _without_an_option(operation: Operation) -> Iterator[Operation]:
    for name, value in operation.options.items():
        if value is not None:
            yield operation._replace(options={**operation.options, name: None})


def _with_a_smaller_number(operation: Operation) -> Iterator[Operation]:
    for position, value in enumerate(operation.arguments):
        if isinstance(value, int) and value > 0:
            if position == 0 and operation.method in COUNTED and value > MOST_AT_ONCE:
                continue  # less may be granted, one after the other: the oracle would take ages
            # All of it less, half of it, a quarter, ...: the number at least comes half as
            # close to the least that fails each time, so that 2^64 takes 64 rounds.
            for smaller in (value - (value >> bits) for bits in range(value.bit_length())):
                arguments = list(operation.arguments)
                arguments[position] = smaller
                yield operation._replace(arguments=tuple(arguments))
