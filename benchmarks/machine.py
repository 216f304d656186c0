"""The machine, as far as numbers need it: no names of hosts or people."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path


def described() -> dict[str, str]:
    """Return the processor, its cores and how busy they are, and the versions of the languages."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": _load(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "rustc": _rustc(),
    }


def _load() -> str:
    """Return how many processes want a core, by the system's average of the last minute."""
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except OSError:
        return "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def _rustc() -> str:
    rustc = shutil.which("rustc")
    if rustc is None:
        return "none"
    told = subprocess.run([rustc, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  # the compiler itself
    return " ".join(told.stdout.split()[1:2]) or "none"
