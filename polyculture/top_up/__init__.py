"""Broader data for a run that is under way."""
