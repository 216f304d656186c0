"""Threads whose switches are chosen and not left to chance: races are found, and found again.

Knows nothing of allocators: it runs functions, in threads of which one goes on at a time, and
switches between them where a schedule says, down to a single bytecode instruction.
"""

from .execution import Execution, Limits, Operation, Stop, Stuck
from .locks import schedulable_locks
from .schedule import Schedule, Switch
from .scheduler import run

__all__ = [
    "Execution",
    "Limits",
    "Operation",
    "Schedule",
    "Stop",
    "Stuck",
    "Switch",
    "run",
    "schedulable_locks",
]
