"""What one path knows: its condition, its universals, and the ranges they are instantiated at.

"In play" are the ranges that the path has named, and, for each address that the theorem
considers, the live range or the gap that the address lies in. Too few instances can only
make a proof fail; they cannot make it wrong.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, TypeAlias

from vm_allocator.symbolic import Explorer, smt

if TYPE_CHECKING:
    from collections.abc import Callable

    from vm_allocator.symbolic.smt import BoolTerm, IntTerm, Term

Pair: TypeAlias = "tuple[IntTerm, IntTerm]"
Cover: TypeAlias = "Callable[[IntTerm], tuple[BoolTerm, Pair]]"

HOLES = tuple(smt.integer(f"hole!{position}") for position in range(4))


class Family(enum.Enum):
    """What a range in play may be a member of: it spares instances that say nothing."""

    MEMBER = "a set of a state"
    GAP = "a set of gaps"


@dataclass(frozen=True)
class Universal:
    """A formula with holes that holds of all ranges (one pair of holes) or of all two ranges."""

    families: tuple[Family, ...]
    body: BoolTerm
    mentions_alignment: bool

    def at(self, *pairs: Pair) -> BoolTerm:
        """Return the instance for these ranges."""
        terms = [term for pair in pairs for term in pair]
        return smt.substitute(self.body, *zip(HOLES, terms, strict=False))


class World:
    """What one path knows beyond its condition: universals, ranges in play, addresses."""

    def __init__(self) -> None:
        self.assuming = False
        """Whether quantifiers answer to a predicate that is only to be assumed."""
        self.universals: list[Universal] = []
        self._pairs: dict[Family, dict[tuple[int, int], Pair]] = {family: {} for family in Family}
        self._addresses: dict[int, tuple[IntTerm, bool]] = {}
        self._covers: list[Cover] = []

    @property
    def explorer(self) -> Explorer:
        """The innermost exploration; inside a quantifier's predicate, it refuses another."""
        return Explorer.active()

    def put_in_play(self, family: Family, start: IntTerm, end: IntTerm) -> None:
        """Instantiate universals at this range from now on."""
        self._pairs[family][start.get_id(), end.get_id()] = (start, end)

    def consider(self, address: IntTerm, *, beyond: bool = False) -> None:
        """Instantiate every cover (live range or gap) at this address from now on.

        With `beyond`, also at the addresses next to the gap that this address lies in.
        """
        self._addresses[address.get_id()] = (address, beyond)

    def cover(self, instance: Cover) -> None:
        """Remember "every address of the space lies in a live range or in a gap"."""
        self._covers.append(instance)

    def fresh_range(self, family: Family, name: str) -> Pair:
        """Return a new range in play."""
        pair = (self.explorer.fresh(f"{name}.start"), self.explorer.fresh(f"{name}.end"))
        self.put_in_play(family, *pair)
        return pair

    def in_play(self) -> list[Pair]:
        """Return the ranges in play."""
        return [pair for pairs in self._pairs.values() for pair in pairs.values()]

    def facts(self) -> tuple[list[BoolTerm], list[Term]]:
        """Return all that is known here, without quantifiers; and which terms mention alignment.

        An instance can mention alignment only if its universal does, or its ranges do.
        """
        covers = []
        for address, beyond in list(self._addresses.values()):
            for cover in self._covers:
                covered, gap = cover(address)
                covers.append(covered)
                if beyond:
                    covers += [
                        near(next_to)[0]
                        for next_to in (gap[0] - 1, gap[1] + 1)
                        for near in self._covers
                    ]
        instances: list[BoolTerm] = []
        mentions: list[Term] = [*self.explorer.condition]
        mentions += [end for pair in self.in_play() for end in pair]
        for universal in self.universals:
            pools = [self._pairs[family].values() for family in universal.families]
            same = len(set(universal.families)) == 1
            ways = combinations_with_replacement(pools[0], len(pools)) if same else product(*pools)
            found = [universal.at(*pairs) for pairs in ways]
            instances += found
            if universal.mentions_alignment:
                mentions += found
        return [*self.explorer.condition, *covers, *instances], mentions
