"""Python targets: built on packages of the index, or re-enacting bugs that really happened."""
