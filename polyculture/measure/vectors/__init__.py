"""Measures of a corpus by its embeddings."""

__all__ = [
    "alike",
    "cells",
    "coverage",
    "curve",
    "moments",
    "neighbours",
    "reading",
    "rke",
    "semantic_rows",
    "vector_ledger",
    "vector_profile",
    "vendi",
]
