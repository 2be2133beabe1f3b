"""What leaves for a twin: exact and near-duplicates over the union of all sources."""
