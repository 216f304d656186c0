"""The specification as a test class: one test for each property."""  # noqa: INP001  # a test of a project, not of a package

from tinyalloc.bump import TinyAllocator

from vm_allocator.checker import conformance_test

TestTinyAllocator = conformance_test(TinyAllocator, max_calls=5_000)
