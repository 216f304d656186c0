"""A program that shows the misbehaviour to whoever runs it by hand.

It needs `vm_allocator` and nothing else: what it expects was computed from the
specification when it was written.
"""

from __future__ import annotations

import re
from string import Template
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import vm_allocator
from vm_allocator.errors import AllocatorError
from vm_allocator.modelling import Range
from vm_allocator.resource import Unit

from .expectation import FITS, expected_of, members, show_ranges
from .recording import CONSTRUCTOR

if TYPE_CHECKING:
    from .recording import Call

WIDTH: Final = 72

_OUTCOME: Final = """\
def outcome(act):
    try:
        result = act()
    except AllocatorError as error:
        return f"refuses: {error.refusal}"
    except Exception as error:
        return f"raises {error!r}"
    return f"returns {hex(result) if isinstance(result, int) else result}"
"""

_GUARD: Final = """\
class Guard:  # lets the gap index be asked what its contract allows, and nothing else
    def __init__(self, index):
        self.index = index

    def __getattr__(self, name):
        def ask(*args):
            if name == "add_all":  # one after the other
                return [self.add(start, start + args[1]) for start in args[0]]
            args = [int(arg) for arg in args]  # what the index does is no matter here
            allowed = not args or $base <= args[-2] <= args[-1] <= $last
            if "_fit" in name:  # a span, and an alignment that is a power of two
                allowed &= args[-4] >= 0 and args[-3] > 0 == args[-3] & (args[-3] - 1)
            if name == "add":  # all of it is free
                allowed = allowed and self.index.overlapping(*args) is None
            if name == "remove":  # exactly that is live
                allowed = allowed and self.index.is_live(*args)
            if not allowed:
                raise LookupError(f"asks the index for {name}({', '.join(map(hex, args))})")
            return getattr(self.index, name)(*args)

        return ask


"""

_OPERATION: Final = Template(
    """\
$header
import sys

from vm_allocator import $names


"""
    + _OUTCOME
    + """

def live():
    return ", ".join(f"{r.start:#x}-{r.end:#x}" for r in allocator) or "nothing"


${guard}try:
    $build
    assert live() == "$before", f"live: {live()}"
except Exception as error:
    sys.exit(f"differs: the state before cannot be built: {error!r}")
expected = "$outcome; live: $after"
actual = outcome(lambda: $call)
actual += "; live: " + outcome(live).removeprefix("returns ")
print(f"live before: $before\\nexpected:    {expected}\\nactual:      {actual}")
print("agrees" if actual == expected else "differs")
sys.exit(actual != expected)
"""
)

_CONSTRUCTION: Final = Template(
    """\
$header
import sys

from vm_allocator import $names


"""
    + _OUTCOME
    + """

def made():
    new = $call
    pieces = [", ".join(f"{r.start:#x}-{r.end:#x}" for r in part) for part in (new, new.gaps())]
    return f"{new.base:#x}-{new.last:#x}, alignment {new.alignment:#x}, live/free {pieces}"


expected = "$outcome"
actual = outcome(made)
print(f"expected: {expected}\\nactual:   {actual}")
print("agrees" if actual == expected else "differs")
sys.exit(actual != expected)
"""
)

_WATCHED: Final = Template(
    """\
$header
import sys

import vm_allocator
from vm_allocator import $names


def fits(value):
    if not 0 <= value < 2**64:
        raise OverflowError(f"{value:#x} does not fit 64 bits")
    return Word(value)


class Word(int):  # a number whose sums and differences are watched
    __add__ = __radd__ = lambda self, other: fits(int(self) + int(other))
    __sub__ = lambda self, other: fits(int(self) - int(other))
    __rsub__ = lambda self, other: fits(int(other) - int(self))


${guard}vm_allocator.address.plain_int = vm_allocator.requests.plain_int = lambda *word: word[-1]
try:
    $build
except Exception as error:
    sys.exit(f"differs: the state before cannot be built: {error!r}")
expected = actual = "$fits"
try:
    results = $call
    for result in results if isinstance(results, list) else [results]:
        fits(result) if isinstance(result, int) else None
except AllocatorError:
    pass  # a refusal is as good
except Exception as error:
    actual = repr(error)
print(f"expected: {expected}\\nactual:   {actual}")
print("agrees" if actual == expected else "differs")
sys.exit(actual != expected)
"""
)


def program(theorem_name: str, claim: str, call: Call, *, guarded: bool = True) -> str:
    """Return the source of a program that makes the call, as the specification has it and as is.

    Run by hand it prints what is expected next to what happens, and exits with 0 if they
    agree, with 1 if they differ or if the state before cannot be built. A `guarded` one also
    watches what the allocator asks of its gap index: a question that breaks the contract is
    a crash there, even if the index at hand has a harmless answer to it.
    """
    expected = expected_of(call)
    number = _word if call.watched else hex
    called = call.text(number)
    told = {"header": _header(theorem_name, claim), "call": called}
    if call.before is None or call.method == CONSTRUCTOR:
        told["outcome"] = expected.outcome
        if expected.after is not None:
            space = show_ranges([Range(expected.after.base, expected.after.last)])
            align = call.arguments[2] if call.unit is Unit.ADDRESS else 1
            told["outcome"] = f"returns {space}, alignment {align:#x}, live/free ['', '{space}']"
        return _CONSTRUCTION.substitute(told, names=_names(called))
    build = _build(call)
    told |= {"names": _names(*build, called), "guard": ""}
    if guarded:
        build.append("allocator._index = Guard(allocator._index)")
        bounds = {"base": hex(call.before.base), "last": hex(call.before.last)}
        told["guard"] = Template(_GUARD).substitute(bounds)
    told["build"] = "\n    ".join(build)
    if call.watched:
        return _WATCHED.substitute(told, fits=FITS)
    return _OPERATION.substitute(
        told,
        before=show_ranges(members(call.before)),
        outcome=expected.outcome,
        after=expected.live,
    )


def _header(theorem_name: str, claim: str) -> str:
    """Return what the program is about, as comments, in which no quotes need care."""
    sentence = theorem_name.replace("_", " ")
    lines = [f"{sentence[:1].upper()}{sentence[1:]}: refuted.", *wrap(f"Claim: {claim}", WIDTH)]
    return "\n".join(f"# {line}" for line in lines)


def _build(call: Call) -> list[str]:
    """Return the statements that lead to the state before, by the public interface."""
    assert call.before is not None  # noqa: S101  # for the type checker
    base, last = call.before.base, call.before.last
    lines = []
    if call.unit is Unit.ADDRESS:
        size = last - base + 1
        lines.append(f"allocator = AddressAllocator({base:#x}, {size:#x}, {call.alignment:#x})")
    else:
        lines.append(f"allocator = IdAllocator({base:#x}, {last:#x})")
        if call.alignment != 1:
            lines.append(f"allocator._align = {call.alignment:#x}  # ids have no public way to it")
    for start, end in members(call.before):
        lines.append(f"allocator.allocate({start:#x}, {end - start + 1:#x}, align=1)")
    if call.watched:
        lines.append(f"allocator._base, allocator._last = {_word(base)}, {_word(last)}")
    return lines


def _names(*statements: str) -> str:
    """Return the names to import, sorted as a formatter would."""
    used = set(re.findall(r"\b[A-Z]\w+", " ".join(statements))) & set(vm_allocator.__all__)
    return ", ".join(sorted(used | {AllocatorError.__name__}))


def _word(value: int) -> str:
    return f"Word({value:#x})"
