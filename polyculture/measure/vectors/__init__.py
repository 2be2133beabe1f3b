"""What embeddings say of a corpus."""
