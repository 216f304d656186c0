"""`vm-allocator check`: hold any allocator, in any language, to the specification.

`check` returns data; the reports draw it and write it, the command line is thin over these.
`conformance_test` makes a test class out of it. Importing this loads nothing heavy.
"""

from .conformance import conformance_test

__all__ = ["conformance_test"]
