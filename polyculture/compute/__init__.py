"""Execution: kernels, threads, worker processes."""

__all__ = [
    "compiled", "executor", "in_process", "kernel_cache", "local", "machine", "simd", "threads", "watchdog",
]  # fmt: skip
