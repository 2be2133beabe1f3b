"""The report: what the verdict rests on, as one self-contained page, its figures and its numbers as JSON."""

__all__ = ["heads", "render", "summary", "top_up"]
