"""What other operations than the seed's are held to: everything from the wire to the reports."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from contextlib import closing, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from vm_allocator import GuestUsize
from vm_allocator.checker import wire
from vm_allocator.checker.as_json import as_json
from vm_allocator.checker.baseline import Baseline
from vm_allocator.checker.calls import Allocate, Batch, Call, Free, Space, Update
from vm_allocator.checker.campaign import Options, Report, run
from vm_allocator.checker.device_calls import Kept, Need, Register, Unregister, UpdateDevice
from vm_allocator.checker.html import page_data
from vm_allocator.checker.itf import calls_of, itf
from vm_allocator.checker.judge import Property
from vm_allocator.checker.junit import junit
from vm_allocator.checker.local import LocalTarget
from vm_allocator.checker.ours import Devices, InTransactions, addresses
from vm_allocator.checker.profile import TargetError
from vm_allocator.checker.recorded import Recorded
from vm_allocator.checker.regression import regression_test
from vm_allocator.checker.remote import RemoteTarget
from vm_allocator.checker.replayed import read_calls, replay_finding
from vm_allocator.checker.report import played
from vm_allocator.checker.sarif import sarif
from vm_allocator.checker.wide import AbortMove, BeginMove, CommitMove, UpdateMany
from vm_allocator.checker.words import asked
from vm_allocator.gallery.devices import DeviceMap, EntryOfRemovedDevice, UnplugLeaksVectors
from vm_allocator.gallery.ranges import ListAllocator
from vm_allocator.gallery.wide import BatchAllocator, OldIsFreeAtOnce, SwapRefused
from vm_allocator.modelling import Range

from .targets import Right

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

A: Final = Range(0, 1)
B: Final = Range(4, 2**64 - 1)
POOLS: Final = Space.of({"mmio": Range(16, 31), "irqs": Range(0, 3)})
WIDE: Final[tuple[Call, ...]] = (
    UpdateMany(()),
    UpdateMany(((A, B), (B, None), (None, A)), 16, Range(0, 2**63)),
    BeginMove(A, B),
    BeginMove(A, A, 2, B),
    CommitMove(B),
    AbortMove(A),
    Batch(()),
    Batch((Allocate(1), Free(0, 1), Allocate(2, 0, align=4), Update(0, 1, 2, 3, within=A))),
)
DEVICE: Final[tuple[Call, ...]] = (
    Register("a", (Need("irqs", 1), Need("mmio", 4, 4, 16))),
    Register("", ()),
    UpdateDevice("a", (Need("irqs", 2),), (Kept("mmio", Range(16, 19)),)),
    Unregister("a"),
)

# ---- there and back


@pytest.mark.parametrize("call", [*WIDE, *DEVICE])
def test_a_call_goes_over_the_wire_and_comes_back(call: Call) -> None:
    line = wire.encode(wire.request_of(7, call))
    request = wire.read_request(line)
    assert request.id == 7
    assert wire.call_of(request) == call


@pytest.mark.parametrize("space", [Space(3, 9), POOLS])
def test_a_space_goes_over_the_wire_and_comes_back(space: Space) -> None:
    assert wire.space_of(wire.read_request(wire.encode(wire.new(1, space)))) == space


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "batch"},
        {"op": "batch", "calls": [{"op": "batch", "calls": []}]},
        {"op": "batch", "calls": [{"op": "free"}]},
        {"op": "batch", "calls": [{"op": 1}]},
        {"op": "update_many"},
        {"op": "move_begin", "old_start": 1, "old_size": 1},
        {"op": "move_commit"},
        {"op": "register"},
        {"op": "plug", "device": "a"},
    ],
)
def test_what_is_no_call_is_told(fields: dict[str, object]) -> None:
    with pytest.raises(wire.WireError):
        wire.call_of(wire.read_request(json.dumps({"id": 1} | fields).encode()))


# ---- ours, and a target of one mistake


@cache
def looked(factory: Callable[..., Any], max_calls: int = 6_000) -> Report:
    options = Options(max_time=600, max_calls=max_calls)
    return run(partial(LocalTarget, factory, factory.__name__), options)


@pytest.mark.parametrize(
    ("factory", "kinds"),
    [
        (addresses, ["update_many", "move_begin", "move_commit", "move_abort"]),
        (InTransactions, ["update_many", "move_begin", "move_commit", "move_abort", "batch"]),
        (Devices, ["register", "unregister", "update_device"]),
    ],
)
def test_ours_pass_and_each_operation_was_granted_and_refused(
    factory: Callable[..., Any], kinds: list[str]
) -> None:
    report = looked(factory, 20_000)
    assert [one.title for one in report.findings] == []
    assert report.holds
    assert report.coverage.tally.spaces_refused == 0
    outcomes = report.coverage.tally.outcomes
    for kind in kinds:
        assert outcomes[kind, "granted"] > 10
        assert any(name == kind and why != "granted" for name, why in outcomes)


def test_targets_of_version_1_are_asked_nothing_new() -> None:
    operations = {operation for operation, _ in looked(ListAllocator, 3000).coverage.tally.outcomes}
    plain = {"allocate exact", "allocate first", "allocate last", "free", "update"}
    assert operations == plain


class ForgetsTheWindow(Right):
    """Many ranges may be anywhere."""

    def update_many(self, changes: Any, *, align: Any = None, within: Any = None) -> None:
        del within
        super().update_many(changes, align=align)


class CommitsTwice(Right):
    """A move can be ended again."""

    def move(self, *ends: Any, **options: Any) -> Any:
        move = super().move(*ends, **options)

        class Again:
            def commit(self) -> None:
                if move.is_pending:
                    move.commit()

            def abort(self) -> None:
                move.abort()

        return Again()


class AbortKeepsTheNew(Right):
    """What was reserved of the new range stays so."""

    def move(self, *ends: Any, **options: Any) -> Any:
        move = super().move(*ends, **options)
        parts = [(one.start, one.size) for one, _ in self.reserved()][1:]

        class Keeping:
            def commit(self) -> None:
                move.commit()

            def abort(self) -> None:
                move.abort()
                for start, size in parts:
                    outer.allocate(start, GuestUsize(size))

        outer = self
        return Keeping()


class NeverRollsBack(ListAllocator):
    """A batch that is refused keeps what it had by then."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield


class Swallows(BatchAllocator):
    """A batch that is refused counts as done."""

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        try:
            with super().transaction() as log:
                yield log
        except self.refusals:
            pass


class LeavesAPartBehind(DeviceMap):
    """A device that is refused keeps what it was granted before."""

    def allocate_all(self, needs: Any) -> Any:
        return [
            need for one in needs for need in super(LeavesAPartBehind, self).allocate_all([one])
        ]


class GivesItTwice(DeviceMap):
    """A device of the same name is plugged in over the first one."""

    def register(self, device: str, needs: Any) -> list[int]:
        held = self.allocate_all(needs)
        self.devices[device] = [*self.devices.get(device, []), *held]
        return [start for _, start, _ in held]


class FreesBeforeItKnows(DeviceMap):
    """An update of a device that is refused has freed what was not to be kept."""

    def update_device(self, device: str, keep: Any, needs: Any) -> list[int]:
        self.check_known(device)
        before = self.devices[device]
        try:
            return super().update_device(device, keep, needs)
        except self.refusals:
            if len(keep) == 0 and needs:
                self.free_all(before)
            raise


BROKEN: Final[list[tuple[Callable[..., Any], Property, str, int]]] = [
    (ForgetsTheWindow, Property.BOUNDS, "update_many", 1),
    (CommitsTwice, Property.TWO_PHASE, "move_commit", 4),
    (AbortKeepsTheNew, Property.CONSERVATION, "move_abort", 3),
    (NeverRollsBack, Property.ATOMICITY, "allocate exact", 2),
    (Swallows, Property.NO_CRASH, "batch", 1),
    (LeavesAPartBehind, Property.ATOMICITY, "register", 1),
    (GivesItTwice, Property.CONSERVATION, "register", 2),
    (FreesBeforeItKnows, Property.ATOMICITY, "update_device", 2),
]


@pytest.mark.parametrize(("factory", "broken", "operation", "calls"), BROKEN)
def test_a_mistake_is_found_with_its_smallest_trace(
    factory: Callable[..., Any], broken: Property, operation: str, calls: int
) -> None:
    report = looked(factory, 9_000)
    found = {(one.broken, one.violation.operation): one for one in reversed(report.findings)}
    assert (broken, operation) in found, [one.title for one in report.findings]
    one = found[broken, operation]
    assert one.shrunk
    assert len(one.steps) == calls, [step.call for step in one.steps]


# ---- the reports and the files

SHOWN: Final = [SwapRefused, OldIsFreeAtOnce, NeverRollsBack, UnplugLeaksVectors]
SHOWN_TOO: Final = [*SHOWN, EntryOfRemovedDevice]


@pytest.mark.parametrize("factory", SHOWN_TOO)
def test_findings_are_reported_and_played_again_from_each_of_their_files(
    factory: Callable[..., Any], tmp_path: Path
) -> None:
    report = looked(factory)
    assert report.findings
    told = [json.dumps(as_json(report, Baseline())), json.dumps(sarif(report))]
    told += [json.dumps(page_data(report)), str(junit(report).tostring())]  # type: ignore[no-untyped-call]  # untyped in junitparser
    for finding in report.findings:
        last = asked(finding.steps[-1].call).partition("(")[0]
        assert all(last in said for said in told)
        assert played(finding.trial, "it") is not None
    _play_again(factory, report, tmp_path)
    _check_style(tmp_path)


def _play_again(factory: Callable[..., Any], report: Report, folder: Path) -> None:
    name = f"{factory.__module__}:{factory.__name__}"
    finding = report.findings[0]
    wanted = Recorded(finding.space, tuple(step.call for step in finding.steps))
    assert calls_of(json.loads(json.dumps(itf(finding)))) == wanted
    files = {
        "trace.itf.json": json.dumps(itf(finding)),
        "report.json": json.dumps(as_json(report, Baseline())),
        "test_it.py": regression_test(finding, name, report.profile),
        "test_adapter.py": regression_test(finding, _served(name), report.profile),
    }
    for file, content in files.items():
        (folder / file).write_text(content)
        assert read_calls(folder / file, finding.fingerprint) == wanted
    trial = replay_finding(folder / "test_it.py", partial(LocalTarget, factory))
    assert [violation.key for _, violation in trial.violations][-1:] == [finding.violation.key]
    for file in ("test_it.py", "test_adapter.py"):
        namespace = runpy.run_path(str(folder / file))
        test = next(value for key, value in namespace.items() if key.startswith("test_"))
        with pytest.raises(AssertionError):
            test()


def _check_style(folder: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--check", "--isolated"], ["check", "--isolated", "--select=F"]):
        done = subprocess.run(  # noqa: S603  # our own command
            [*ruff, *command, str(folder)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def _served(name: str) -> list[str]:
    return [sys.executable, "-m", "vm_allocator.checker.serve", name]


# ---- in a process of its own


@pytest.mark.parametrize("name", ["InTransactions", "Devices"])
def test_the_reference_adapter_knows_every_operation(name: str) -> None:
    factory = {"InTransactions": InTransactions, "Devices": Devices}[name]
    near = LocalTarget(factory, f"vm_allocator.checker.ours:{name}")
    target = RemoteTarget(_served(f"vm_allocator.checker.ours:{name}"), 20.0)
    calls = DEVICE if name == "Devices" else (*WIDE[:-1], Batch((Allocate(1), Allocate(0))))
    space = Space(0, 31)
    if name == "Devices":
        space = Space.of({"irqs": Range(0, 3), "pio": Range(8, 9), "mmio": Range(16, 31)})
    with closing(target):
        assert target.profile == near.profile
        far = target.play(space, calls)
    assert far == near.play(space, calls)
    assert len(far.answers) == len(calls)


# ---- what cannot be checked


@pytest.mark.parametrize(
    "profile",
    [
        {"pools": ["irqs", "irqs"]},
        {"pools": "irqs"},
        {"pools": ["irqs"], "operations": ["register", "unregister", "allocate"]},
        {"pools": ["irqs"], "operations": ["register"]},
        {"operations": ["allocate", "free", "register"]},
    ],
)
def test_a_profile_that_cannot_be_is_told(profile: dict[str, object]) -> None:
    class Odd(DeviceMap):
        allocate = free = DeviceMap.register

    Odd.profile = profile
    with pytest.raises(TargetError):
        LocalTarget(Odd if "pools" in profile else _with(profile))


def _with(profile: dict[str, object]) -> Callable[[int, int], Any]:
    class Odd(Right):
        pass

    Odd.profile = profile  # type: ignore[attr-defined]  # what a user declares
    return Odd


def test_the_ends_of_a_move_that_was_never_begun_are_skipped() -> None:
    target = LocalTarget(Right)
    played_ = target.play(Space(0, 7), [CommitMove(Range(0, 0))])
    assert [type(answer.reply).__name__ for answer in played_.answers] == ["Skipped"]
