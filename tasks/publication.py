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
from polyculture.publish.copy import publish_files
from polyculture.publish.destination import parse_destination
from polyculture.publish.permission import check_permission
from polyculture.publish.stores import open_store
from polyculture.storage.files import write_text
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory
from schemas.publication import Approval, Publication
from tasks.progress import log, report

Answers = tuple[str, str] | None


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_run(run: Path, url: str, approved_by: Answers, credentials_block: str | None) -> Publication:
    """Check the verdict again, keep the approval, and copy; the credentials are read here and passed on to nobody."""
    destination = parse_destination(url)
    directory = RunDirectory(run.absolute())
    is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    store = open_store(destination, _load_options(credentials_block), is_plain=is_plain)
    now = datetime.now(UTC).replace(microsecond=0)
    with directory.lock():
        manifest, verdict = check_permission(directory, now.date(), is_approved=approved_by is not None)
        approval = None
        if approved_by is not None:
            approval = Approval(
                name=approved_by[0],
                reason=approved_by[1],
                verdict=verdict.verdict,
                manifest_sha256=verdict.manifest_sha256,
                verdict_sha256=file_sha256(directory.verdict),
                at=now,
            )
            kept = directory.state / "approvals" / f"{now:%Y%m%dT%H%M%S}.json"
            write_text(kept, approval.model_dump_json(indent=1) + "\n")
        copied = publish_files(
            directory, manifest, store, approval, lambda done, total: report("published bytes", done, total)
        )
    log(f"published to {destination.url}: {copied} files written, {len(manifest.files)} read back")
    return Publication(
        url=destination.url,
        manifest_sha256=verdict.manifest_sha256,
        verdict=verdict.verdict,
        approved_by=approval.name if approval else None,
        copied=copied,
        files=len(manifest.files),
        bytes=sum(file.bytes for file in manifest.files),
    )


def _load_options(block: str | None) -> dict[str, str]:
    """What a Secret block holds: a JSON object of options. Messages name the block, never what is in it."""
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
