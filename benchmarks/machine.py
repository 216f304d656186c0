"""The machine, as far as numbers need it: no names of hosts or people."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path


def described() -> dict[str, str]:
    """Return the processor, the number of cores, and the versions of Python and rustc."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "rustc": _rustc(),
    }


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
