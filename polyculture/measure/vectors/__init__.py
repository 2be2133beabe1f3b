"""Measures of a corpus by its embeddings."""
