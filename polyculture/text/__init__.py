"""Text: canonical form, words, language, tokens."""

__all__ = [
    "canonical",
    "confusables",
    "exact",
    "fold",
    "language",
    "layout",
    "minhash",
    "shingles",
    "skeleton",
    "texts",
    "tokenizer",
    "word_hashes",
    "word_sequences",
    "words",
]
