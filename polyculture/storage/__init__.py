"""Files, digests, and the run directory: how bytes come to lie where they should, whole."""
