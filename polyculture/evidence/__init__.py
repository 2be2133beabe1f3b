"""The evidence that a finished run holds."""

__all__ = ["conservation", "evidence", "last_go", "manifest", "worth"]
