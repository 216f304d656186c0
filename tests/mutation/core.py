"""Runs mutmut over the core, and holds its survivors to the table in `docs/mutation.md`.

    python -m tests.mutation.core PYTHON

PYTHON is the interpreter of an environment that has `requirements/mutation.lock`. It works in
`build/core`, on a copy of the sources: mutmut changes what it finds. It exits with 1 if a
mutant survives that the table does not explain, or if the table explains one that does not
survive; with 2 if mutmut was stopped before its end.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
COPY: Final = ROOT / "build" / "core"
TABLE: Final = ROOT / "docs" / "mutation.md"

CORE: Final = ("address", "requests", "ids", "gaps", "arithmetic", "ordered", "view", "ranges")
TESTS: Final = (
    "tests/test_what_errors_name.py",
    "tests/test_arithmetic.py",
    "tests/test_requests.py",
    "tests/test_introspection.py",
    "tests/test_ordered.py",
    "tests/test_ranges_and_policies.py",
    "tests/test_check.py",
    "tests/test_errors.py",
    "tests/test_bug_corpus.py",
)
"""Tests that take well below a second each: every mutant is run through them."""


NOT_CHECKED: Final = "not checked"
"""What mutmut says of mutants that it was stopped before."""


class Mutant(NamedTuple):
    """What was changed where. Numbers are no names: they move with the source."""

    function: str
    before: str
    after: str


def prepare() -> None:
    """Make a fresh copy of what mutmut needs, and tell it what to do."""
    shutil.rmtree(COPY, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("src", "spec", "tests"):
        shutil.copytree(ROOT / name, COPY / name, ignore=skip)
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/vm_allocator/{name}.py" for name in CORE],
        "also_copy": ["spec", "tests"],
        "pytest_add_cli_args_test_selection": list(TESTS),
    }
    lines = [f"{key}=\n    " + "\n    ".join(values) for key, values in settings.items()]
    (COPY / "setup.cfg").write_text("[mutmut]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    # The project's own settings of pytest name plug-ins that are of no use here.
    (COPY / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = ['-q']\n")


def results(mutmut: str) -> dict[str, str]:
    """Return what became of each mutant, by mutmut's own names."""
    told = _run(mutmut, "results", "--all", "true")
    return dict(re.findall(r"^\s*(\S+): (.+?)\s*$", told, flags=re.MULTILINE))


def described(mutmut: str, name: str) -> Mutant:
    """Return a mutant in words that stay when other code moves."""
    lines = _run(mutmut, "show", name).splitlines()
    changed = [line for line in lines if re.match(r"[-+](?![-+]{2} )", line)]
    before, after = (
        " ".join(" ".join(line[1:] for line in changed if line[0] == sign).split()) for sign in "-+"
    )
    function = re.sub(r"__mutmut_\d+$", "", name).removeprefix("vm_allocator.")
    module, _, rest = function.partition(".")
    return Mutant(f"{module}.{_readable(rest)}", before, after)


def explained(text: str) -> set[Mutant]:
    """Return the mutants that the table explains: each a row of function, before, after, why."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \| .+ \|$", text, re.MULTILINE)
    return {Mutant(*row) for row in rows}


def _readable(mangled: str) -> str:
    method = re.fullmatch(r"xǁ(\w+)ǁ(\w+)", mangled)  # how mutmut marks methods
    return ".".join(method.groups()) if method else mangled.removeprefix("x_")


def _run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  # a program of the environment that was named
        command, cwd=COPY, capture_output=True, text=True, check=True
    )
    return done.stdout


def main(python: str) -> int:
    """Run mutmut, compare, print; return the exit code."""
    mutmut = str(Path(python).absolute().with_name("mutmut"))
    prepare()
    ran = subprocess.run(  # noqa: S603  # likewise
        [mutmut, "run", "--max-children", "2"],
        cwd=COPY,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = results(mutmut)
    if not found or NOT_CHECKED in found.values():
        sys.stderr.write(ran.stdout[-4000:] + "\nmutmut did not get to the end of its mutants\n")
        return 2
    not_killed = [name for name, status in found.items() if status not in ("killed", "timeout")]
    survivors = {described(mutmut, name) for name in not_killed}
    known = explained(TABLE.read_text(encoding="utf-8"))
    counts = ", ".join(f"{count} {status}" for status, count in Counter(found.values()).items())
    print(f"{len(found)} mutants of {', '.join(CORE)}: {counts}")  # noqa: T201  # a program
    for title, wrong in (
        ("survives, and is not explained in docs/mutation.md", survivors - known),
        ("is explained in docs/mutation.md, and does not survive", known - survivors),
    ):
        for mutant in sorted(wrong):
            print(f"{title}: | `{mutant.function}` | `{mutant.before}` | `{mutant.after}` |")  # noqa: T201  # a program
    return int(survivors != known)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
