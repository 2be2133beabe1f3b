"""The semantic lens: encoders, neighbours by cosine, and measures of what vectors of documents spread over."""
