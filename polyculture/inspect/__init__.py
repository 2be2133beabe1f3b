"""A finished run looked at again: verified, recounted, compared, asked for a document."""

__all__ = ["difference", "find", "verify"]
