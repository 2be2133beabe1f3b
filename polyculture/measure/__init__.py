"""Diversity, measured at full scale."""
