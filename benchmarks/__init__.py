"""Benchmarks: ours and its rivals, interleaved in one run. See docs/benchmarks.md."""
