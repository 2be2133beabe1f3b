"""Filters: they take documents out with a reason, before anything is compared."""

__all__ = ["entries", "lists", "registry"]
