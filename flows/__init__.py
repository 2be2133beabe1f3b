"""The jobs that run. Each flow reads like a table of contents."""
