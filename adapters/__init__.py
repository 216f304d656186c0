"""Adapters: other people's allocators, made to answer the checker."""
