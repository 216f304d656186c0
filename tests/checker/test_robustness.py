"""Whatever an adapter does, it is one finding with a trace, and nothing is left behind."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from vm_allocator.checker import remote
from vm_allocator.checker.campaign import Options, Report, run
from vm_allocator.checker.judge import Property
from vm_allocator.checker.profile import TargetError
from vm_allocator.checker.words import asked

from .by_hand import MARK, adapter, left_behind, marked, opener

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"
)

FEW = Options(max_calls=60, max_time=600)


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """Mark the processes that the test starts."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    return mark


def only(report: Report) -> tuple[Property, str, str, list[str]]:
    """Return the one finding: what is broken, at which operation, how, and by which calls."""
    (found,) = report.findings
    _, operation, _, actual = found.key
    return found.broken, operation, actual, [asked(step.call) for step in found.steps]


NEST = 'sys.stdout.write(\'{"id": %d, "x": \' % number + "[" * 100000 + "\\n"); sys.stdout.flush()'

TROUBLES = [
    pytest.param(
        "os.kill(os.getpid(), signal.SIGKILL)",
        (Property.NO_CRASH, "crash: killed by SIGKILL"),
        id="killed",
    ),
    pytest.param(
        "print('Traceback? No.', flush=True); continue",
        (Property.PROTOCOL, "garbage: a line that is no reply"),
        id="babbles",
    ),
    pytest.param(
        r"os.write(1, b'\xff\xfe\x00\n'); continue",
        (Property.PROTOCOL, "garbage: a line that is no reply"),
        id="no text",
    ),
    pytest.param(
        f"{NEST}; continue",
        (Property.PROTOCOL, "garbage: a line that is no reply"),
        id="nests without end",
    ),
    pytest.param(
        "say({'id': number + 1000, 'granted': base}); continue",
        (Property.PROTOCOL, "garbage: a reply to another request"),
        id="answers something else",
    ),
    pytest.param(
        "say({'id': number, 'granted': 'here'}); continue",
        (Property.PROTOCOL, "garbage: a number that is none"),
        id="grants a word",
    ),
    pytest.param(
        "say({'id': number, 'ok': True}); continue",
        (Property.PROTOCOL, "garbage: a reply without what was asked for"),
        id="does not say where",
    ),
    pytest.param(
        "while True: os.write(1, b'x' * 65536)",
        (Property.PROTOCOL, "garbage: a line without an end"),
        id="floods",
    ),
    pytest.param("sys.exit(0)", (Property.NO_CRASH, "crash: exit code 0"), id="leaves"),
    pytest.param(
        "say({'id': number, 'crashed': 'Boom'}); continue",
        (Property.NO_CRASH, "crash: Boom"),
        id="says that it crashed",
    ),
    pytest.param("1 / 0", (Property.NO_CRASH, "crash: exit code 1"), id="raises"),
]


@pytest.mark.parametrize(("trouble", "expected"), TROUBLES)
def test_trouble_is_one_finding_with_the_smallest_trace(
    tmp_path: Path, mark: str, trouble: str, expected: tuple[Property, str]
) -> None:
    report = run(opener(adapter(tmp_path, trouble)), FEW)
    broken, actual = expected
    assert only(report) == (broken, "allocate first", actual, ["allocate(FirstMatch, 2)"])
    assert report.findings[0].shrunk
    assert report.stopped_by == "calls"
    assert left_behind(mark) == []


SLOW = [
    pytest.param("time.sleep(10)", (Property.NO_HANG, "hang: no answer within 0.5 s"), id="sleeps"),
    pytest.param(
        "os.close(1); time.sleep(60)",
        (Property.PROTOCOL, "garbage: closed its standard output"),
        id="closes its output",
    ),
    pytest.param(
        "subprocess.Popen(['sleep', '60']); os._exit(7)",
        (Property.NO_CRASH, "crash: exit code 7"),
        id="leaves a child that holds its output open",
    ),
]


@pytest.mark.parametrize(("trouble", "expected"), SLOW)
def test_trouble_that_takes_time_is_one_finding_too(
    tmp_path: Path, mark: str, trouble: str, expected: tuple[Property, str]
) -> None:
    few = Options(max_calls=10, max_time=600)
    report = run(opener(adapter(tmp_path, trouble), seconds=0.5), few)
    broken, actual = expected
    assert only(report) == (broken, "allocate first", actual, ["allocate(FirstMatch, 2)"])
    assert left_behind(mark) == []


def test_what_does_not_happen_again_is_told_with_its_trace_and_as_such(
    tmp_path: Path, mark: str
) -> None:
    once = tmp_path / "once"
    trouble = f"""
        if not os.path.exists({str(once)!r}):
            open({str(once)!r}, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    report = run(opener(adapter(tmp_path, trouble)), FEW)
    broken, _, actual, calls = only(report)
    assert (broken, actual) == (Property.NO_CRASH, "crash: killed by SIGKILL")
    assert calls[-1] == "allocate(FirstMatch, 2)"
    assert not report.findings[0].shrunk
    assert "played again, this did not happen" in report.findings[0].notes[0]
    assert left_behind(mark) == []


def test_an_adapter_that_leaves_after_its_handshake_is_a_finding_before_any_call(
    tmp_path: Path, mark: str
) -> None:
    report = run(opener(adapter(tmp_path, new="sys.exit(4)")), Options(max_time=1.5))
    assert only(report) == (Property.NO_CRASH, "new", "crash: exit code 4", [])
    assert not report.holds
    assert left_behind(mark) == []


@pytest.mark.parametrize(
    ("trouble", "problem"),
    [
        ("sys.exit(5)", r"no handshake came \(exit code 5"),
        ("print('hello', flush=True)", "its first line is no handshake: b'hello'"),
        ("print('[' * 100000, flush=True)", "its first line is no handshake"),
        ("print('[]', flush=True)", "its handshake is not valid"),
        ("time.sleep(60)", r"no handshake came \(no answer within 0.5 s\)"),
    ],
)
def test_without_a_handshake_there_is_no_target(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch, trouble: str, problem: str
) -> None:
    if "sleep" in trouble:
        monkeypatch.setattr(remote, "_START", 0.5)
    with pytest.raises(TargetError, match=problem):
        run(opener(adapter(tmp_path, start=trouble)), FEW)
    assert left_behind(mark) == []


def test_a_handshake_that_does_not_come_again_ends_nothing(tmp_path: Path, mark: str) -> None:
    """The search goes on without the units whose process does not start."""
    count = tmp_path / "count"
    start = f"""
        with open({str(count)!r}, "a") as file:
            file.write("x")
        if os.path.getsize({str(count)!r}) > 3:
            sys.exit(6)
    """
    command = adapter(tmp_path, "os._exit(3)", start=start)
    report = run(opener(command), Options(max_time=600))
    found = {(one.key[3], one.shrunk) for one in report.findings}
    assert found == {("crash: exit code 3", False), ("crash: it does not start again", False)}
    assert report.stopped_by == "failures"
    assert left_behind(mark) == []


def test_an_adapter_that_ignores_the_end_of_input_and_sigterm_is_ended(
    tmp_path: Path, mark: str
) -> None:
    command = adapter(
        tmp_path,
        start="signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        end="time.sleep(60)",
    )
    report = run(opener(command), Options(max_calls=30, max_time=600))
    assert report.holds
    assert left_behind(mark) == []


def test_a_child_of_a_correct_adapter_is_ended_with_it(tmp_path: Path, mark: str) -> None:
    command = adapter(tmp_path, "subprocess.Popen(['sleep', '60'])")
    report = run(opener(command), FEW)
    assert report.holds
    assert left_behind(mark) == []


def test_what_looks_for_processes_finds_them(tmp_path: Path, mark: str) -> None:
    target = opener(adapter(tmp_path))()
    assert len(marked(mark)) == 1
    target.close()
    assert left_behind(mark) == []


def test_a_correct_adapter_by_hand_holds(tmp_path: Path) -> None:
    report = run(opener(adapter(tmp_path)), Options(max_calls=3_000, max_time=600))
    assert report.findings == ()
    assert report.holds
