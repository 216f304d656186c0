"""Snapshots: the state of allocators as plain data, and back, each entry looked at on the way.

`docs/snapshots.md` describes the format, `schema.json` beside this file says it to machines.
`text` is about JSON text, `reading` about shapes, `states` and `sweep` about what has to be true
of a state, `systems` about what several allocators and maps say of each other.
"""
