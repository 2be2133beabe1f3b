"""Embeddings of texts: encoders, and the files that they write."""

__all__ = ["embedded", "embeddings", "encoder", "encoders", "fit", "languages", "self_check"]
