"""Corpora and processes that several tests share."""
