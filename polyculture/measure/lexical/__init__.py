"""Lexical variety in blocks of one size."""

__all__ = ["blocks", "measures", "profile", "rows"]
