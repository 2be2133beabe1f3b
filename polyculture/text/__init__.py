"""Text: canonical form, words, language, tokens."""
