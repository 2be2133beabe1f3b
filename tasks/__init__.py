"""One file per stage: the steps of the core, as Prefect sees them. The only place that knows Prefect."""
