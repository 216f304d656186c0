"""The version, in the one place from which the package metadata takes it."""

__version__ = "0.1.0"
