"""The public face for notebooks and scripts: what `import polyculture` gives, and docs/python.md shows."""
