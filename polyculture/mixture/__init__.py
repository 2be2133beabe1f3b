"""The mixture: rates under a budget and limits, which documents are in, and in which order."""

__all__ = ["estimate", "plan"]
