"""The gallery as data."""

from __future__ import annotations

from typing import Final, TypeAlias

from vm_allocator.checker.judge import Property

from . import crate, devices, monitors, tools, wide
from .entry import Bug, NotShown, Twin
from .numbers import IdCounter, PortBus
from .ranges import AnyFitAllocator, ListAllocator

Entry: TypeAlias = Bug | Twin

_NO_OVERLAP: Final = Property.NO_OVERLAP
_COMPLETE: Final = Property.COMPLETENESS
_FREE: Final = Property.EXACT_FREE
_ATOMIC: Final = Property.ATOMICITY
_ALIGNED: Final = Property.ALIGNMENT
_CONSERVED: Final = Property.CONSERVATION
_BOUNDS: Final = Property.BOUNDS

_CRATE: Final = "crate vm-allocator"
_CLOUD_HYPERVISOR: Final = "Cloud Hypervisor"
_FIRECRACKER: Final = "Firecracker"
_AVOCADO: Final = "avocado-vt"

_FIRST: Final = "allocate first"
_LAST: Final = "allocate last"
_EXACT: Final = "allocate exact"
_ANY: Final = "allocate any"


def gallery() -> tuple[Bug, ...]:
    """Return the bugs that the checker must catch."""
    return _BUGS


def twins() -> tuple[Twin, ...]:
    """Return the correct allocators that it must pass."""
    return _TWINS


def not_shown() -> tuple[NotShown, ...]:
    """Return the known bugs that calls of one allocator cannot show."""
    return _NOT_SHOWN


def entry(name: str) -> Entry | None:
    """Return the bug or the twin of that name."""
    return next((one for one in (*_BUGS, *_TWINS) if one.name == name), None)


# fmt: off
_BUGS: Final = (
    Bug("exact-inside-live", crate.ExactInsideLive, _CRATE, "0.1.4", _NO_OVERLAP, _EXACT, 2),
    Bug("free-of-free", crate.FreeOfFree, _CRATE, "0.1.4", _FREE, "free", 1),
    Bug("lost-next-to-one", crate.LostNextToOne, _CRATE, "0.1.4", _FREE, "free", 2),
    Bug("lost-next-to-the-end", crate.LostNextToTheEnd, _CRATE, "0.1.4", _FREE, "free", 2),
    Bug("ones-stay-apart", crate.OnesStayApart, _CRATE, "0.1.4", _COMPLETE, _FIRST, 3),
    Bug("exact-last-unit", crate.ExactLastUnit, _CRATE, "0.1.4", _COMPLETE, _EXACT, 1),
    Bug("last-match-from-zero", crate.LastMatchFromZero, _CRATE, "0.1.4", _COMPLETE, _LAST, 1),
    Bug("free-of-the-next-id", crate.FreeOfTheNextId, _CRATE, "0.1.3, pull request 120",
        _FREE, "free", 1),
    Bug("no-range-of-one", crate.NoRangeOfOne, _CRATE, "0.1.0, issue 42", _COMPLETE, _FIRST, 1),
    Bug("end-off-by-one", crate.EndOffByOne, _CRATE, "pull request 21", _COMPLETE, _EXACT, 1),
    Bug("wrong-right-neighbour", crate.WrongRightNeighbour, _CRATE, "commit c5281cc",
        _COMPLETE, _FIRST, 3),
    Bug("alignment-after-exact", crate.AlignmentAfterExact, _CRATE, "pull request 29",
        _ALIGNED, _EXACT, 1),
    Bug("move-frees-first", monitors.MoveFreesFirst, _CLOUD_HYPERVISOR, "issue 8203",
        _ATOMIC, "free", 3),
    Bug("move-writes-first", monitors.MoveWritesFirst, _CLOUD_HYPERVISOR, "issue 7938",
        _ATOMIC, "free", 3),
    Bug("counter-only-up", monitors.CounterOnlyUp, _CLOUD_HYPERVISOR, "issue 8148",
        _COMPLETE, _ANY, 3),
    Bug("base-refused", monitors.BaseRefused, _CLOUD_HYPERVISOR, "commit a761b820c",
        _COMPLETE, _EXACT, 1),
    Bug("unplug-keeps", monitors.UnplugKeeps, _FIRECRACKER, "pull requests 5890, 6118",
        _COMPLETE, _FIRST, 3),
    Bug("preferred-not-taken", monitors.PreferredNotTaken, "crosvm", "commit d2fdbedf6",
        _NO_OVERLAP, _EXACT, 2),
    Bug("bar-not-aligned", monitors.BarNotAligned, "crosvm", "commit 4dd6ddbc3",
        _ALIGNED, _FIRST, 1),
    Bug("slot-stays", monitors.SlotStays, "crosvm", "commits 4fbc554e6, 2d45b91e0",
        _COMPLETE, _FIRST, 3),
    Bug("map-keeps-entry", monitors.MapKeepsEntry, "Kata Containers", "issue 10971",
        _COMPLETE, _FIRST, 3),
    Bug("overlaps-the-hole", monitors.OverlapsTheHole, "ACRN", "gpa.py, get_free_addr",
        _BOUNDS, _FIRST, 1),
    Bug("carry-to-zero", monitors.CarryToZero, _AVOCADO, "qdevices.py", _BOUNDS, _ANY, 3),
    Bug("reserve-erases", monitors.ReserveErases, _AVOCADO, "qdevices.py",
        _NO_OVERLAP, _EXACT, 2),
    Bug("next-before-commit", monitors.NextBeforeCommit, "Ganeti", "bus_manager.py",
        _NO_OVERLAP, _FIRST, 2),
    Bug("size-plus-alignment-wraps", tools.SizePlusAlignmentWraps, "SerenityOS", "issue 5162",
        _BOUNDS, _FIRST, 1),
    Bug("aligned-in-the-chunk", tools.AlignedInTheChunk, "Linux", "genalloc, commit 52fbf1134",
        _ALIGNED, _FIRST, 1),
    Bug("removes-the-wrong-region", tools.RemovesTheWrongRegion, "Linux",
        "memblock, commit 8f7a66051", _ATOMIC, "free", 3),
    Bug("clean-up-releases-others", tools.CleanUpReleasesOthers, "libvirt", "commit 968fd0111",
        _ATOMIC, "free", 3),
    Bug("roll-back-drops-all", tools.RollBackDropsAll, "libvirt", "commit 2f5fdc886",
        _ATOMIC, "free", 3),
    Bug("removes-while-iterating", tools.RemovesWhileIterating, "OpenStack Nova", "bug 2115729",
        _COMPLETE, _FIRST, 3),
    Bug("growing-frees-all", tools.GrowingFreesAll, "range-alloc (gfx-rs)", "issue 1",
        _NO_OVERLAP, _FIRST, 2),
    Bug("swap-refused", wide.SwapRefused, _CLOUD_HYPERVISOR, "issue 8202",
        _COMPLETE, "update_many", 2),
    Bug("old-free-at-once", wide.OldIsFreeAtOnce, _CLOUD_HYPERVISOR, "issue 8572",
        Property.TWO_PHASE, _FIRST, 3),
    Bug("some-are-not-replayed", wide.SomeAreNotReplayed, _FIRECRACKER, "issue 5170",
        Property.ROUND_TRIP, "reload", 2),
    Bug("stale-state-is-used", wide.StaleStateIsUsed, _CLOUD_HYPERVISOR, "issue 8251",
        Property.ROUND_TRIP, "reload", 3),
    Bug("roll-back-frees-the-refused", wide.RollBackReleasesTheRefused, "libvirt",
        "commit 968fd0111", _ATOMIC, "batch", 2),
    Bug("roll-back-frees-everything", wide.RollBackReleasesEverything, "libvirt",
        "commit 2f5fdc886", _ATOMIC, "batch", 2),
    Bug("unplug-leaks-vectors", devices.UnplugLeaksVectors, _FIRECRACKER, "pull request 5890",
        _CONSERVED, "unregister", 2),
    Bug("unplug-leaks-the-bar", devices.UnplugLeaksTheBar, _FIRECRACKER, "pull request 6118",
        _CONSERVED, "unregister", 2),
    Bug("slot-of-removed-device", devices.SlotOfRemovedDevice, "crosvm",
        "commits 4fbc554e6, 2d45b91e0", _CONSERVED, "unregister", 2),
    Bug("entry-of-removed-device", devices.EntryOfRemovedDevice, "Kata Containers",
        "issue 10971", _CONSERVED, "unregister", 2),
    Bug("gsi-counter", devices.GsiCounter, _CLOUD_HYPERVISOR, "issue 8148",
        _COMPLETE, "register", 3),
    Bug("half-of-what-is-held", devices.RemovesFromWhatItIteratesOver, "OpenStack Nova",
        "bug 2115729", _CONSERVED, "unregister", 2),
)

_TWINS: Final = (
    Twin("list", ListAllocator),
    Twin("any-fit", AnyFitAllocator),
    Twin("id-counter", IdCounter),
    Twin("port-bus", PortBus),
    Twin("many", wide.ManyAllocator),
    Twin("moving", wide.MovingAllocator),
    Twin("saving", wide.SavingAllocator),
    Twin("batch", wide.BatchAllocator),
    Twin("device-map", devices.DeviceMap),
)

_SNAPSHOTS: Final = "a snapshot that somebody has damaged"
_THREADS: Final = "two callers at once"

_NOT_SHOWN: Final = (
    NotShown(_FIRECRACKER, "pull requests 5952, 6002",
             "interrupt numbers of a hostile snapshot are believed", _SNAPSHOTS),
    NotShown("SerenityOS", "commit 0a83c0354", "unregistered before unmapped", _THREADS),
    NotShown("Linux", "request_free_mem_region", "checks, unlocks, then uses", _THREADS),
    NotShown("moby", "libnetwork issue 2106", "a used bit is handed out in a race", _THREADS),
    NotShown("NetBox", "issue 2519", "the next free one is looked up twice at once", _THREADS),
)
# fmt: on
