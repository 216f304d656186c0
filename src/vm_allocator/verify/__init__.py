"""`vm-allocator verify`: everything that backs the specification, run and told as rows.

`verify` returns data; `report` draws it, `files` writes it, and the command line is thin
over these.
"""

from .rows import Row, Section, Summary, Task
from .run import Options, plan, verify

__all__ = ["Options", "Row", "Section", "Summary", "Task", "plan", "verify"]
