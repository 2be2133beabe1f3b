"""Any mixture, estimated from a ledger."""

__all__ = ["collision", "mixture", "mixture_rows"]
