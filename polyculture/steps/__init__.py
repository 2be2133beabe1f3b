"""The steps of a run: each reads what the steps before it left, calls the core, and writes.

Nothing here knows an orchestrator: a job is an order of steps, and the host of its session says how each is run.
"""

__all__ = [
    "attributes",
    "canary",
    "deduplicate",
    "finish",
    "hold_out",
    "ingest",
    "jobs",
    "journal",
    "measure",
    "mix",
    "open",
    "publish",
    "session",
    "top_up",
]
