"""The canary: a small source of known redundancy that is measured beside the real ones, to see that measuring works."""

__all__ = ["examine", "layout", "plant", "truth"]
