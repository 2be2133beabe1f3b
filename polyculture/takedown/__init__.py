"""A finished run without some of its documents."""
