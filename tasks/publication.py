"""Copy a finished run to its destination, with credentials that stand nowhere else."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import task
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from pydantic import TypeAdapter, ValidationError

from polyculture.errors import ConfigError
from polyculture.publish.destination import parse_destination
from polyculture.publish.run import Answers, Target, publish_directory
from polyculture.publish.stores import open_store
from polyculture.storage.run_directory import RunDirectory
from schemas.publication import Publication
from tasks.progress import PrefectProgress


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_run(run: Path, url: str, approved_by: Answers, credentials_block: str | None) -> Publication:
    """Publish a run; the credentials are read here and passed on to nobody."""
    progress = PrefectProgress()
    destination = parse_destination(url)
    is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    store = open_store(destination, _load_options(credentials_block), is_plain=is_plain)
    now = datetime.now(UTC).replace(microsecond=0)
    done = publish_directory(
        RunDirectory(run.absolute()),
        Target(destination.url, store),
        approved_by,
        now,
        lambda copied, total: progress.report("published bytes", copied, total),
    )
    progress.log(f"published to {done.url}: {done.copied} files written, {done.files} read back")
    return done


def _load_options(block: str | None) -> dict[str, str]:
    """Contents of a Secret block: a JSON object of options. Messages name the block, never what is in it."""
    if block is None:
        return {}
    try:
        found: Any = Secret.load(block)
    except ValueError:
        raise ConfigError(f"--credentials-block: no Secret block {block[:80]!r}; create it in Prefect") from None
    held = found.get()
    try:
        return TypeAdapter(dict[str, str]).validate_python(json.loads(held) if isinstance(held, str) else held)
    except (ValueError, ValidationError):
        raise ConfigError(
            f"--credentials-block: the Secret block {block[:80]!r} is no JSON object of text values, such as "
            '{"access_key_id": "...", "secret_access_key": "..."}'
        ) from None
