"""The command line: thin over functions that return data.

Exit codes: 0 = holds, 1 = a counterexample, 2 = could not tell, or bad usage.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what to install for it."""
    try:
        from .commands import app  # noqa: PLC0415  # the libraries behind it are an extra

        app()
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith(("vm_allocator", "spec")):
            raise
        sys.stderr.write(
            f"vm-allocator needs {missing.name}, which is not installed: "
            "pip install 'vm-allocator[all]'\n"
        )
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
