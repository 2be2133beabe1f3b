"""The report: what the verdict rests on, as one self-contained page, its figures and its numbers as JSON."""

from polyculture.report.render import render_report

__all__ = ["render_report"]
