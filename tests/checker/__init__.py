"""Tests of `vm_allocator.checker`."""
