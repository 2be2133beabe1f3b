"""Numbers per document, worked out from the document alone: lenses and measures look at them instead of the text."""

__all__ = ["attributes", "signal", "signals"]
