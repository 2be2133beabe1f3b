"""Execution: kernels, threads, worker processes."""

__all__ = ["compiled", "executor", "in_process", "local", "simd", "threads", "watchdog"]
