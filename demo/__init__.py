"""The demonstration: three corpora built from text that ships inside installed packages, so nothing is downloaded."""
