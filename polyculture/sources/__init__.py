"""Readers: files of many formats in, DOCUMENT record batches out."""

__all__ = ["columns", "documents", "files", "read", "record", "side_files"]
