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
    "stream_safe",
    "texts",
    "tokenizer",
    "word_hashes",
    "word_sequences",
    "words",
]
