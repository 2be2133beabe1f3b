"""Any mixture, estimated from a ledger."""

__all__ = ["collision", "copies", "mixture", "mixture_rows", "repeat_law", "repeats"]
