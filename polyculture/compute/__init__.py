"""How work is run: kernels, threads, worker processes."""
