"""The Arrow shards that a training run reads, and the proof that they are whole."""
