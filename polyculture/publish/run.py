"""Publish a finished run: its verdict checked again, the approval kept, its files copied and read back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from polyculture.publish.copy import publish_files
from polyculture.publish.destination import parse_destination
from polyculture.publish.permission import check_permission
from polyculture.publish.stores import Store, open_store
from polyculture.storage.files import write_text
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory
from schemas.publication import Approval, Publication

Answers = tuple[str, str] | None  # who answers for publishing a run that is not GO, and why


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run is published to.

    Attributes:
        url: without secrets.
        store: the destination, opened.
    """

    url: str
    store: Store


def open_target(url: str, options: Mapping[str, str], environment: Mapping[str, str]) -> Target:
    """Open a destination.

    Args:
        url: a folder, or s3://, gs://, az:// with bucket and folder.
        options: of the store, credentials among them; the environment's where it names none.
        environment: of the process; it says whether the endpoint is spoken to without TLS.

    Raises:
        ConfigError: the URL or an option is not fit.
    """
    destination = parse_destination(url)
    is_plain = environment.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return Target(destination.url, open_store(destination, options, is_plain=is_plain))


def publish_directory(
    directory: RunDirectory, target: Target, answers: Answers, now: datetime, progress: Callable[[int, int], None]
) -> Publication:
    """Publish a run if the gate or a person lets it.

    Args:
        directory: of the run.
        target: where to.
        answers: who answers for it, and why, if it is not GO.
        now: the time that an approval bears.
        progress: called with the bytes that are copied, and all.

    Raises:
        ConfigError: there is no finished run, or an audit, which has no shards.
        GateClosedError: the verdict is not GO, and nobody answers for it.
        PolycultureError: the run or its verdict is damaged.
        RunInUseError: another process holds the run directory.
    """
    with directory.lock():
        manifest, verdict = check_permission(directory, now.date(), is_approved=answers is not None)
        approval = None
        if answers is not None:
            approval = Approval(
                name=answers[0],
                reason=answers[1],
                verdict=verdict.verdict,
                manifest_sha256=verdict.manifest_sha256,
                verdict_sha256=file_sha256(directory.verdict),
                at=now,
            )
            kept = directory.state / "approvals" / f"{now:%Y%m%dT%H%M%S}.json"
            write_text(kept, approval.model_dump_json(indent=1) + "\n")
        copied = publish_files(directory, manifest, target.store, approval, progress)
    return Publication(
        url=target.url,
        manifest_sha256=verdict.manifest_sha256,
        verdict=verdict.verdict,
        approved_by=approval.name if approval else None,
        copied=copied,
        files=len(manifest.files),
        bytes=sum(file.bytes for file in manifest.files),
    )
