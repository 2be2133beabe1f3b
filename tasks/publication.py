"""Copy a finished run to its destination, with credentials that stand nowhere else."""

import os
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from polyculture.publish.run import Answers, open_target
from polyculture.steps import publish as step
from schemas.publication import Publication
from tasks.credentials import load_options
from tasks.host import PrefectHost


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_run(run: Path, url: str, answers: Answers, credentials_block: str | None) -> Publication:
    """Publish a run; the credentials are read here and passed on to nobody."""
    target = open_target(url, load_options(credentials_block), os.environ)
    return step.publish_run(run, target, answers, PrefectHost())
