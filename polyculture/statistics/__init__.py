"""Estimators and intervals that know nothing of documents."""

__all__ = ["intervals", "ratio"]
