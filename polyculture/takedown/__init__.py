"""A finished run without some of its documents."""

__all__ = ["takedown"]
