"""`vm-allocator check --threads N`: are concurrent calls what the specification does, one by one?"""
