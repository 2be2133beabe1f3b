"""The evidence that a finished run holds."""
