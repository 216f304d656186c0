"""Allocators with bugs that really happened, re-enacted small: what the checker must catch."""

from .catalogue import Entry, entry, gallery, not_shown, twins
from .entry import Bug, NotShown, Twin

__all__ = ["Bug", "Entry", "NotShown", "Twin", "entry", "gallery", "not_shown", "twins"]
