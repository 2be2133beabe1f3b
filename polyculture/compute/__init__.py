"""Execution: kernels, threads, worker processes."""
