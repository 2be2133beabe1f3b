"""Documents that leave for a twin: exact and near-duplicates over the union of all sources."""

__all__ = ["damage", "engine", "index", "removal", "request", "search", "second_look", "sketch", "standalone"]
