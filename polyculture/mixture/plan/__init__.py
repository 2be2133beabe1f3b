"""Planning: the documents that a mixture takes, and how often."""

__all__ = [
    "auto",
    "check",
    "data_digest",
    "delivery",
    "documents",
    "held_out",
    "order",
    "plan_file",
    "plan_run",
    "repetition",
    "run_ledger",
    "selection",
    "supply",
    "terms",
    "weights",
    "what_if",
    "worth",
    "worth_words",
]
