"""Embeddings of texts: encoders, and the files that they write."""
