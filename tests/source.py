"""For tests that read or change the text of modules: a compiled build has none of these loaded."""

import pytest

import vm_allocator

needs_source = pytest.mark.skipif(
    vm_allocator.__compiled__, reason="changes the source of modules that are compiled here"
)

watches_nodes = pytest.mark.skipif(
    vm_allocator.__compiled__, reason="watches calls that compiled code makes directly"
)
