"""What runs. Each flow reads like a table of contents."""
