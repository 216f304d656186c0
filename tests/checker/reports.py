"""Small allocators that are wrong, and reports on them: what the tests of the reports share."""

from dataclasses import replace

from vm_allocator import AddressAllocator, GuestAddress, GuestUsize
from vm_allocator.checker.calls import Allocate, Call, Free, Space
from vm_allocator.checker.campaign import Coverage, OpenTarget, Options, Report, run
from vm_allocator.checker.findings import Finding
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.trial import Bench, Trial

HOSTILE = "</script><script>alert(1)</script>\"'&<!--\u2028\u202e\x00\ud800"


class Plain:
    """First fit; frees whatever starts there; hands an exact range out a second time."""

    def __init__(self, base: int, size: int) -> None:
        self._inner = AddressAllocator(GuestAddress(base), GuestUsize(size), 1)
        self._sizes: dict[int, int] = {}

    def allocate(self, resource: int | None, size: int) -> int:
        if resource is not None and resource in self._sizes:
            return resource
        start = None if resource is None else GuestAddress(resource)
        granted = self._inner.allocate(start, GuestUsize(size))
        self._sizes[granted] = size
        return granted

    def free(self, resource: int, size: int) -> None:
        if resource in self._sizes:
            self._inner.free(GuestAddress(resource), GuestUsize(self._sizes.pop(resource)))
        else:
            self._inner.free(GuestAddress(resource), GuestUsize(size))


class HostileError(Exception):
    """An error whose text wants to be more than text."""


class Hostile(AddressAllocator):
    """Crashes on every third allocation with a name that wants to be markup."""

    def free(self, resource: GuestAddress, size: GuestUsize) -> None:
        del resource, size
        raise type(HOSTILE[:-2], (HostileError,), {})(HOSTILE)


def plain(base: int, size: int) -> Plain:
    return Plain(base, size)


def hostile(base: int, size: int) -> Hostile:
    return Hostile(GuestAddress(base), GuestUsize(size), 1)


def right(base: int, size: int) -> AddressAllocator:
    return AddressAllocator(GuestAddress(base), GuestUsize(size), 1)


def open_plain() -> LocalTarget:
    return LocalTarget(plain, "plain")


def open_hostile() -> LocalTarget:
    return LocalTarget(hostile, HOSTILE)


def open_right() -> LocalTarget:
    return LocalTarget(right, "right")


PLAIN_FINDINGS = (
    ("bounds", "allocate exact", "refused: out-of-bounds", "granted"),
    ("exact free", "free", "refused: not-allocated", "granted"),
    ("no overlap", "allocate exact", "refused: overlap", "granted"),
)


def plain_report() -> Report:
    """The three findings that the tests are about, whatever else the search comes upon."""
    report = run(open_plain, Options(max_calls=600))
    by_key = {finding.key: finding for finding in report.findings}
    return replace(report, findings=tuple(by_key[key] for key in PLAIN_FINDINGS), more_groups=0)


def hostile_report() -> Report:
    return run(open_hostile, Options(max_calls=100))


def right_report() -> Report:
    return run(open_right, Options(max_calls=100))


def trial_of(space: Space, *calls: Call, target: OpenTarget = open_plain) -> Trial:
    return Bench(target()).try_calls(space, calls)


def long_finding(finding: Finding, calls: int) -> Finding:
    """The same finding at the end of a long trace in a large space."""
    space = Space(0x1000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF)
    before = [Allocate(0x123_4567_89AB)] * (calls - 1)
    start = space.base
    trial = trial_of(space, *before, Free(start, 1))
    return replace(finding, trial=trial)


def large_report(findings: int, calls: int) -> Report:
    """A report with many long traces."""
    report = plain_report()
    one = long_finding(report.findings[0], calls)
    many = tuple(replace(one, key=(*one.key[:3], str(n))) for n in range(findings))
    return Report(report.profile, report.options, many, Coverage(), 1.0, "calls", 12)
