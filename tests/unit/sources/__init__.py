"""Readers: every row of the fault catalogue that is about bytes, lines and containers."""
