"""Broader data for a run that is under way."""

__all__ = [
    "candidates",
    "choose",
    "compare",
    "job",
    "joint",
    "known",
    "leave_out",
    "lineage",
    "mixture_state",
    "parent",
    "pool",
]
