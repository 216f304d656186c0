"""Play what was found once more: ITF traces, regression tests and JSON reports, read from files.

A file is only ever read. A regression test is parsed for its literals, and never run.
"""

from __future__ import annotations

import ast
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .itf import calls_of
from .recorded import BadTraceError, Recorded, call_from_json
from .trial import Bench, may_ask
from .words import asked, shown

if TYPE_CHECKING:
    from pathlib import Path

    from .campaign import OpenTarget
    from .profile import Profile
    from .trial import Trial

MAX_BYTES: Final = 16 << 20
"""The largest file that is read."""

_HELP: Final = "pass an ITF trace, a regression test or a JSON report of vm-allocator check"


class TraceFileError(Exception):
    """A file that cannot be played: which one, what is wrong, and what to do."""

    def __init__(self, file: Path, problem: str, remedy: str = _HELP) -> None:
        super().__init__(file, problem, remedy)
        self.file = file
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}: {self.remedy}"


def replay_finding(path: Path, open_target: OpenTarget, finding: str = "") -> Trial:
    """Play the calls of a file on the target, and judge its answers.

    Of a JSON report with several findings, `finding` names one by its fingerprint or the
    beginning of it; the first one is played otherwise. Raises `TraceFileError` for a file
    that is no trace or that the target cannot be asked, `TargetError` for a target that
    cannot be started.
    """
    recorded = read_calls(path, finding)
    with closing(open_target()) as target:
        bench = Bench(target)
        _check_askable(path, bench.profile, recorded)
        trial = bench.try_calls(recorded.space, recorded.calls)
    for number, step in enumerate(trial.steps, start=1):
        if not may_ask(bench.profile, step.before, step.call):
            problem = f"call {number}, {asked(step.call)}, is excluded by the target's handshake"
            raise TraceFileError(path, problem, "play it on the target that it was found on")
    return trial


def read_calls(path: Path, finding: str = "") -> Recorded:
    """Return the calls that are recorded in a file. Raises `TraceFileError`."""
    content = _read(path)
    try:
        if content.lstrip().startswith("{"):
            return _from_json(content, finding)
        return _from_python(content)
    except BadTraceError as error:
        raise TraceFileError(path, str(error)) from None
    except (RecursionError, MemoryError):
        raise TraceFileError(path, "it is nested too deeply") from None


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            problem = "it is no regular file" if path.exists() else "no such file"
            raise TraceFileError(path, problem)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise TraceFileError(path, f"it has more than {MAX_BYTES:,} bytes")
        return content.decode()
    except UnicodeDecodeError:
        raise TraceFileError(path, "this is no text") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise TraceFileError(path, f"it cannot be read ({reason})", "check the path") from None


def _from_json(content: str, finding: str) -> Recorded:
    try:
        data: Any = msgspec.json.decode(content)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadTraceError(f"it is no JSON ({error})") from None
    if "states" in data:
        return calls_of(data)
    found = data.get("findings")
    if not isinstance(found, list):
        raise BadTraceError("it holds neither states nor findings")
    chosen = [one for one in found if isinstance(one, dict) and _named(one, finding)]
    if not chosen:
        raise BadTraceError(f"it holds no finding {finding!r}" if finding else "it has no findings")
    return _from_report(chosen[0])


def _named(one: dict[str, Any], finding: str) -> bool:
    return str(one.get("finding", "")).startswith(finding)


def _from_report(one: dict[str, Any]) -> Recorded:
    try:
        base, last = one["space"]
        calls = [call_from_json(step["call"]) for step in one["steps"]]
        whole = one.get("calls", len(calls)) == len(calls)
    except BadTraceError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadTraceError(f"its finding has no trace ({error!r})") from None
    if not whole:
        raise BadTraceError("the report holds only the last calls of this trace")
    return Recorded.of(base, last, calls, one.get("pools"))


def _from_python(content: str) -> Recorded:
    """Return what stands in SPACE and CALLS of a regression test."""
    try:
        tree = ast.parse(content)
        found = {
            target.id: ast.literal_eval(statement.value)
            for statement in tree.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name) and target.id in ("SPACE", "CALLS", "POOLS")
        }
        base, last = found["SPACE"]
        listed = list(found["CALLS"])
    except SyntaxError as error:
        raise BadTraceError(f"it is neither JSON nor Python ({error.msg})") from None
    except KeyError as error:
        raise BadTraceError(f"it has no {error.args[0]}") from None
    except (TypeError, ValueError) as error:
        raise BadTraceError(f"SPACE or CALLS is no literal of a trace ({error})") from None
    calls = [call_from_json(call) for call in listed]
    return Recorded.of(base, last, calls, found.get("POOLS"))


def _check_askable(path: Path, profile: Profile, recorded: Recorded) -> None:
    space = recorded.space
    remedy = "play it on the target that it was found on"
    if space.last > min(profile.limit, profile.top):
        problem = f"the space ends at {shown(space.last)}, beyond what the target takes"
        raise TraceFileError(path, problem, remedy)
    for number, call in enumerate(recorded.calls, start=1):
        if not profile.takes(call):
            problem = f"call {number}, {asked(call)}, cannot be put to the target"
            raise TraceFileError(path, problem, remedy)
