"""Copy a finished run to where trainers read it, if the gate or a person lets it."""

from pathlib import Path

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from polyculture.errors import ConfigError
from schemas.publication import Publication
from tasks.publication import publish_run


def run_name() -> str:
    """`publish <run>`, so that a person finds it again."""
    return f"publish {Path(runtime.flow_run.parameters['run']).name}"


@flow(name="publish", flow_run_name=run_name, persist_result=False)
def publish(
    run: str,
    url: str,
    approved_by: str | None = None,
    reason: str | None = None,
    credentials_block: str | None = None,
) -> State[Publication]:
    """Publish a run: nothing leaves before GO, or somebody answers for it.

    Args:
        run: run directory.
        url: a folder, or s3://, gs://, az:// with bucket and folder. It stands in the run's parameters: no secrets.
        approved_by: who answers for publishing it although it is not GO.
        reason: why.
        credentials_block: name of a Secret block with a JSON object of credentials; the environment's if absent.

    Returns:
        A completed state; the publication says what was copied.
    """
    if (approved_by is None) != (reason is None):
        raise ConfigError("an approval has a name and a reason: give approved_by and reason, or neither")
    answers = (approved_by, reason) if approved_by is not None and reason is not None else None
    done = publish_run(Path(run), url, answers, credentials_block)
    return Completed(name="PUBLISHED", message=f"published to {done.url}", data=done)
