"""Text: canonical form, words, language, tokens."""

__all__ = [
    "canonical",
    "confusables",
    "fold",
    "language",
    "minhash",
    "shingles",
    "skeleton",
    "texts",
    "tokenizer",
    "word_sequences",
    "words",
]
