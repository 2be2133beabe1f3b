"""The public face for notebooks and scripts: what `import polyculture` gives, and docs/python.md shows."""

__all__ = ["audit", "deduplicate", "mixtures", "run", "signatures"]
