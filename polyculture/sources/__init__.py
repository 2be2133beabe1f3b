"""Readers: files of many formats in, DOCUMENT record batches out."""
