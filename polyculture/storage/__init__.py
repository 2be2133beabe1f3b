"""Files, digests, and the run directory: how bytes come to lie where they should, whole."""

__all__ = ["code", "commit", "files", "hashing", "messages", "run_directory"]
