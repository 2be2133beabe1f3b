"""Copy a finished run to where trainers read it: a folder, or object storage by URL."""

__all__ = ["destination", "permission", "run", "stores"]
