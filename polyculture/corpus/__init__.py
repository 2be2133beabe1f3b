"""The documents of a run: partitions, their index, what lies beside them."""

__all__ = ["attributes", "corpus", "filtered", "ingest", "shingled", "sorted_runs", "workspace"]
