"""What makes documents one species, and how often it occurs."""

__all__ = ["crowding", "lens", "lenses", "material", "near_index", "near_join", "near_keys", "subset"]
