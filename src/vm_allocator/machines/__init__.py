"""State machines that drive the allocators at random, with the specification as oracle.

`run_machine` runs one of `MACHINES` and returns what happened as data. This package
needs hypothesis (the extra `testing`), and is imported only by those who use it.

>>> result = run_machine("id-small", max_examples=5, steps=10, seed=1)
>>> result.name, result.examples >= 5, result.failure
('id-small', True, None)
"""

from .catalogue import MACHINES, MachineEntry
from .runner import MachineResult, run_machine

__all__ = ["MACHINES", "MachineEntry", "MachineResult", "run_machine"]
