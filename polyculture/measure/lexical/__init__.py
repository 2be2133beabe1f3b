"""Lexical variety in blocks of one size."""
