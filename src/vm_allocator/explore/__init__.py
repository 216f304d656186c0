"""Exploring a model: a proof of its invariants, or the shortest trace that breaks one."""
