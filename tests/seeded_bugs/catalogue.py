"""The table of seeded bugs: which machine must catch it, and what its trace must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import allocator_bugs as allocators
from . import claim_bugs as claims
from . import device_bugs as devices
from . import index_bugs as indexes
from . import pools_bugs as pools


@dataclass(frozen=True)
class SeededBug:
    """`clues` are texts that occur in the shrunk trace, whose wording may change beyond them."""

    buggy: type[Any]
    machine: str
    clues: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.buggy.__name__}-{self.machine}"


_INDEX_BUGS: Final = (
    (indexes.SplitLeavesOneTooMany, "index-small", ("gaps", "index.add(")),
    (indexes.SplitLosesOne, "index-small", ("gaps", "index.add(")),
    (indexes.NoCoalescingOnTheLeft, "index-small", ("gaps", "index.add(", "index.remove(")),
    (indexes.NoCoalescingOnTheRight, "index-small", ("gaps", "index.add(", "index.remove(")),
    (indexes.FirstMatchIgnoresAlignment, "index-small", ("lowest_fit(", "says: ")),
    (indexes.FirstMatchTriesOneGap, "index-small", ("lowest_fit(", "None; the spec", "says: 0x")),
    (indexes.FirstMatchWrapsAtTheEnd, "index-ends", ("lowest_fit(", "says: None")),
    (indexes.LastMatchIsLowerThanPossible, "index-small", ("highest_fit(", "says: 0x")),
    (indexes.LastMatchAlignsTheEnd, "index-small", ("highest_fit(", "says: ")),
    (indexes.WindowIgnored, "index-small", ("lowest_fit(", "says: ")),
    (indexes.RefusesAnExactFit, "index-small", ("lowest_fit(", "None; the spec", "says: 0x")),
    (indexes.ManySkipAFit, "index-small", ("lowest_fits(", "says: ")),
    (indexes.ManyOverlap, "index-small", ("lowest_fits(", "says: ")),
    (indexes.ManyWithoutTheLast, "index-small", ("live ranges", "add_all([")),
    (indexes.OverlapLooksAtOneNeighbour, "index-small", ("index.add(", "overlapping(", "says: 0x")),
    (indexes.CopySharesItsGaps, "index-small", ("gaps", ".copy()", "add(")),
)

_ALLOCATOR_BUGS: Final = (
    (
        allocators.UpdateFreesBeforeItChecks,
        "address-small",
        ("update(", "live ranges"),
    ),
    (
        allocators.UpdateForgetsThatOldAndNewMayOverlap,
        "address-small",
        ("got refused: overlap", "allocate", "update(", "says: "),
    ),
    (allocators.UpdateKeepsTheOldRange, "address-small", ("live ranges", "allocate", "update(")),
    (
        allocators.ExactMatchDoesNotLookInside,
        "address-small",
        ("allocate(", "expected refused: overlap, got ", "says: refused: overlap"),
    ),
    (
        allocators.FreeAcceptsAPart,
        "address-small",
        ("expected refused: not-allocated", "allocate(", "free("),
    ),
    (
        allocators.EndWrapsAt2To64,
        "address-ends",
        ("allocator = ", "0xfffffff", "says: "),
    ),
    (
        allocators.WindowOfTheStartAlone,
        "address-small",
        ("within=RangeInclusive(", "says: "),
    ),
    (
        allocators.RefusesForTheWrongReason,
        "address-small",
        ("expected refused: out-of-bounds, got refused: misaligned",),
    ),
    (allocators.AvailableForgetsTheAlignment, "address-small", ("available(", "says: ")),
    (
        allocators.ManyKeepsWhatFits,
        "address-small",
        ("live ranges", "allocate_many(", "refused: no-space"),
    ),
    (allocators.ManyAreTheOtherWayRound, "address-small", ("allocate_many(2, ", "says: 0x")),
    (
        allocators.ManyAreGrantedAsFarAsTheyFit,
        "address-small",
        ("allocate_many(", "says: refused: no-space"),
    ),
    (
        allocators.ManyMovesAreOneByOne,
        "address-small",
        ("update_many([(", "got refused: ", "says: "),
    ),
    (
        allocators.ManyMovesKeepWhatCameFirst,
        "address-small",
        ("live ranges", "update_many([(", "refused: overlap"),
    ),
    (allocators.ManyMovesForgetToFree, "address-small", ("live ranges", "update_many([(", "None)")),
    (allocators.AMoveFreesItsOldRangeAtOnce, "address-small", ("move(",)),
    (allocators.AMoveReservesNothing, "address-small", ("move(",)),
    (
        allocators.WhatAMoveHoldsMayBeFreed,
        "address-small",
        ("expected refused: move-pending", "move("),
    ),
    (
        allocators.AnIdIsHandedOutTwice,
        "id-small",
        ("allocate(", "free(", "says: "),
    ),
    (allocators.BlockIsNotAligned, "id-small", ("allocate_block(", "says: ")),
    (allocators.LastIdIsNeverGiven, "id-small", ("got refused: out-of-bounds", "says: ")),
)

_DEVICE_BUGS: Final = (
    (devices.UnregisterLeaksARange, "devices", ("live ranges of ", "unregister(")),
    (devices.UnregisterKeepsTheEntry, "devices", ("holdings of the devices", "unregister(")),
    (
        devices.RegisterLeavesAPartBehind,
        "devices",
        ("live ranges of ", "register(", "  # refused: "),
    ),
    (devices.RollBackGoesInOrder, "devices", ("not rolled back: ", "says: ")),
    (devices.RollBackSwallowsTheException, "devices", ("got done", "says: refused: ")),
    (devices.RollBackAsksForTheDefaultAlignment, "devices", ("not rolled back: ", "Misaligned")),
    (
        devices.NewRangesAreAllocatedBeforeOldOnesAreFreed,
        "devices",
        ("live ranges of ", "update_device("),
    ),
    (devices.RollBackForgetsAMove, "devices", ("live ranges of ", "update(", "refused: ")),
)

_POOLS_BUGS: Final = (
    (pools.LastPoolFirst, "pools", ("allocate(None, ", "says: 0x")),
    (pools.NoFallBack, "pools", ("got refused: no-space", "says: 0x")),
    (pools.MoveBetweenPoolsFreesFirst, "pools", ("to be live in", "update(", "refused: ")),
    (pools.MoveBetweenPoolsKeepsTheOldRange, "pools", ("to be live in", "update(")),
)

_CLAIM_BUGS: Final = (
    (claims.AWakeUpIsLost, "claims", ("got nothing granted", "release(")),
    (claims.AMoveWakesNobody, "claims", ("claim(", "says: ")),
    (claims.OnlyOneIsWoken, "claims", ("claim(", "says: ")),
    (claims.TheFirstInLineBlocksAllOthers, "claims", ("claim(", "says: ")),
    (claims.TheLastComesFirst, "claims", ("claim(", "says: ")),
    (claims.AGrantIsToldTwice, "claims", ("claim(", "says: ")),
    (claims.AGrantIsNotTold, "claims", ("got nothing granted", "release(")),
    (claims.TheOldRangeIsKept, "claims", ("live ranges of claims", "claim(")),
    (claims.AWithdrawnClaimIsGranted, "claims", ("claims that wait", "release(")),
    (claims.ANewClaimTakesTheOldPlaceInLine, "claims", ("claims that wait", "claim(")),
    (claims.AClaimIsRefusedWhereItShouldWait, "claims", ("got refused: overlap", "claim(")),
    (claims.ARefusedClaimGivesUpTheOldRange, "claims", ("live ranges of claims", "refused: ")),
    (claims.ACopySharesTheQueue, "claims", ("claims that wait", ".copy()")),
)

BUGS: Final = tuple(
    SeededBug(*row)
    for row in (*_INDEX_BUGS, *_ALLOCATOR_BUGS, *_CLAIM_BUGS, *_DEVICE_BUGS, *_POOLS_BUGS)
)

# A damaged index must be noticed through the allocator above it, too.
BUGS_SEEN_FROM_ABOVE: Final = tuple(
    SeededBug(indexes.allocator_on(index), f"address-{machine.removeprefix('index-')}", ())
    for index, machine, _ in _INDEX_BUGS
)
