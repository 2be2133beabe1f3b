"""The report: what the verdict rests on, as one self-contained page, its figures and its numbers as JSON."""
