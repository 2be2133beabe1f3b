"""Planning: the documents that a mixture takes, and how often."""
