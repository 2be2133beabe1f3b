"""Diversity, measured at full scale."""

__all__ = ["ledger", "lenses", "lexical", "probes", "repetition", "vectors"]
