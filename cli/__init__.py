"""The console script `polyculture`, one file a command group."""
