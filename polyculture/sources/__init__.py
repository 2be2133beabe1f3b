"""Readers: files of many formats in, DOCUMENT record batches out."""

__all__ = ["documents", "files", "read", "record"]
