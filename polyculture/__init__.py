"""The core: readers, text, deduplication, diversity, mixture, shards, gate and report. Knows no orchestrator."""

__version__ = "0.1.0"
