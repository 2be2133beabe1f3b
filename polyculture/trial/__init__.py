"""What a trial run trained on, against the full mixture."""

from polyculture.trial.compare import compare_trial

__all__ = ["compare_trial"]
