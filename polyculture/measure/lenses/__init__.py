"""What makes documents one species, and how often it occurs."""
