"""A finished run looked at again: verified, recounted, compared."""

__all__ = ["difference", "verify"]
