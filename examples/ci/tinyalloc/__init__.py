"""Somebody's allocator."""
