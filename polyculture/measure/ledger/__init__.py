"""The ledger of a run: counted, written, read, and worked out into a profile."""
