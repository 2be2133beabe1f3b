"""The jobs: which steps each takes, and in which order. How a step is run is for the host of the session to say."""

__all__ = ["audit", "curate", "pilot", "top_up"]
