"""Readers: files of many formats in, DOCUMENT record batches out."""

__all__ = ["columns", "documents", "files", "parser_process", "read", "record", "side_files"]
