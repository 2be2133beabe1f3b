"""A finished run looked at again: verified, recounted, compared."""
