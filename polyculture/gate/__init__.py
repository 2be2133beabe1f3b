"""The gate: what must hold of any run, what the configuration expects, and the verdict on both."""

from polyculture.gate.judge import Terms, judge

__all__ = ["Terms", "drawn", "expectations", "judge", "lexical", "narrow", "opening", "rejudge"]
