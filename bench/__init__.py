"""Benchmarks: `python -m bench.NAME` prints what it measured, and fails when the target at its top is missed."""
