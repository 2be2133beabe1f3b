"""Deduplication: shingles and signatures, groups of equal text, near-duplicates, and the removal rule."""
