"""`vm-allocator check`: hold any allocator, in any language, to the specification.

`check` returns data; the reports draw it and write it, the command line is thin over these.
"""
