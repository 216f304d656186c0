"""What the compiler has to be told. The same source runs interpreted, and compiled by mypyc."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr
else:

    def mypyc_attr(**_):  # noqa: ANN003, ANN201  # no type checker sees it
        """Do nothing: only the compiler reads the decorator."""
        return lambda decorated: decorated


__all__ = ["mypyc_attr"]
