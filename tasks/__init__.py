"""One file per stage: read, one core call, write. The only place that knows Prefect."""
