"""Show a run in the Prefect dashboard."""

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from polyculture.storage.run_directory import RunDirectory
from tasks.shown import shown_verdict


@task(cache_policy=NO_CACHE)
def show_verdict(directory: RunDirectory) -> None:
    """Create the artifact `verdict-<name>`."""
    shown = shown_verdict(directory)
    create_markdown_artifact(shown.text, key=shown.key, description=shown.description)
