"""Numbers per document, worked out from its text alone: what lenses and measures look at instead of the text."""

__all__ = ["attributes", "signal", "signals"]
