"""The lenses: each makes species of documents, and counts how often they occur."""

__all__ = ["crowding", "lens", "lenses", "material", "near_index", "near_join", "near_keys", "subset"]
