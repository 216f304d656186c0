"""Bends the source of a function for a while: a restore that skips a check, a save that forgets."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FunctionType

    import pytest


def bend(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, old: str, new: str) -> None:
    """Replace a text of the function's source, which is there once, wherever it is known."""
    original: Any = inspect.getattr_static(owner, name)
    function: FunctionType = getattr(original, "__func__", original)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, source
    # Annotations stay texts, as in the modules.
    source = "from __future__ import annotations\n" + source.replace(old, new)
    made: dict[str, Any] = {}
    exec(compile(source, f"bent {name}", "exec"), function.__globals__, made)  # noqa: S102  # our own source
    bent = made[name]
    if inspect.isclass(owner):
        monkeypatch.setattr(owner, name, bent)
        return
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("vm_allocator"):
            for known, value in list(vars(module).items()):
                if value is original:
                    monkeypatch.setattr(module, known, bent)
