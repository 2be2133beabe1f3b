"""Repetition: how often what documents say stands elsewhere in the corpus, document by document."""

__all__ = ["draw", "multiplicities", "repetition", "repetition_file"]
