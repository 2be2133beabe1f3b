"""Which documents a mixture takes, and how often."""
