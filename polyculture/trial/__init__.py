"""Comparison of what a trial run trained on with the full mixture."""

from polyculture.trial.compare import compare_trial

__all__ = ["compare", "compare_trial", "ids"]
