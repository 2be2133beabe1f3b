"""The ledger of a run: counted, written, read, and worked out into a profile."""

__all__ = ["corpus_ledger", "count", "examples", "extend", "ledger", "profile"]
