"""The Arrow shards that a training run reads, and the proof that they are whole."""

__all__ = ["card", "dataset", "dataset_files", "describe", "group", "listing", "read", "reader", "write"]
