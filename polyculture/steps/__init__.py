"""The steps of a run: each reads what the steps before it left, calls the core, and writes.

Nothing here knows an orchestrator: a task is a step that Prefect sees, and a notebook runs the same steps without it.
"""

__all__ = [
    "attributes",
    "canary",
    "deduplicate",
    "finish",
    "hold_out",
    "ingest",
    "measure",
    "mix",
    "open",
    "pilot",
    "session",
    "top_up",
]
