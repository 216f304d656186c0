"""The distribution, built from this tree and installed in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]


def run(
    command: Sequence[str | Path],
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program as its own process, untouched by the make or the Python around it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))
    }
    return subprocess.run(  # noqa: S603  # the commands are written in these tests
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def succeed(command: Sequence[str | Path], cwd: Path) -> str:
    """Run a program that must succeed; return what it printed on standard output."""
    done = run(command, cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Distribution:
    """What `python -m build` makes: the source distribution, and the wheel from it."""

    sdist: Path
    wheel: Path

    def wheel_names(self) -> list[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.namelist()

    def wheel_text(self, ending: str) -> str:
        """Return the text of the one file of the wheel whose name ends so."""
        (name,) = (name for name in self.wheel_names() if name.endswith(ending))
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.read(name).decode()

    def sdist_names(self) -> list[str]:
        """Return the names in the source distribution, less the folder that they all stand in."""
        with tarfile.open(self.sdist) as archive:
            return [name.partition("/")[2] for name in archive.getnames()]


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    out = tmp_path_factory.mktemp("dist")
    succeed([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT], out)
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return Distribution(sdist, wheel)


@pytest.fixture(scope="session")
def site(distribution: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the wheel installed, and nothing else."""
    target = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    succeed([*install, "--target", target, distribution.wheel], target)
    return target
