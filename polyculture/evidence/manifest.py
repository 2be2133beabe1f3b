"""The manifest of a finished run, from its accounts and what lies in its directory."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from polyculture import __version__
from polyculture.measure.ledger.ledger import read_header
from polyculture.storage.files import file_digest, parquet_rows
from polyculture.storage.run_directory import RunDirectory
from schemas.accounts import FileDigest, SourceAccount
from schemas.config import CurationConfig
from schemas.manifest import ExclusionAccount, Manifest, ValidationAccount
from schemas.plan import MixturePlan
from schemas.removals import RemovalSummary
from schemas.top_up import ParentRun


@dataclass(frozen=True)
class RunAccounts:
    """Accounts that the steps of a run give of it.

    Attributes:
        conservation: what became of every record slot, source by source.
        shards: the shards and the files beside them; an audit has none.
        plan: of the mixture; only of a run.
        removals: what deduplication removed; an audit removes nothing.
        exclusions: what was kept out; None if nothing was to be.
        validation: what is held out; None if nothing is.
        parent: the run that a top-up continues.
    """

    conservation: list[SourceAccount]
    shards: Sequence[FileDigest] = field(default_factory=tuple)
    plan: MixturePlan | None = None
    removals: RemovalSummary | None = None
    exclusions: ExclusionAccount | None = None
    validation: ValidationAccount | None = None
    parent: ParentRun | None = None


@dataclass(frozen=True)
class RunOrigin:
    """Where a run came from.

    Attributes:
        command: what was asked for.
        config: the configuration.
        identity: digest of everything that the run's bytes depend on.
        digests: of the configuration, the code, the tokenizer and the language model.
        libraries: versions of those that decide bytes.
    """

    command: Literal["run", "audit", "top_up"]
    config: CurationConfig
    identity: str
    digests: Mapping[str, str]
    libraries: dict[str, str]


def make_manifest(directory: RunDirectory, origin: RunOrigin, accounts: RunAccounts) -> Manifest:
    """List what a run consists of, and where it came from.

    Args:
        directory: of the run; everything but manifest, verdict and report is written.
        origin: where it came from.
        accounts: what the steps have to say.
    """
    folders = [directory.filtered, directory.quarantined, directory.ledger, directory.removed]
    files = []
    if directory.unselected.is_dir():
        folders.append(directory.unselected)
    if origin.command == "run":
        files.append(directory.plan)
    if accounts.parent is not None:
        files.append(directory.top_up)
    found = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    listed = [file_digest(path, directory.root, parquet_rows(path)) for path in [*found, *files]]
    return Manifest(
        command=origin.command,
        name=origin.config.name,
        identity_sha256=origin.identity,
        config=origin.config,
        config_sha256=origin.digests["config"],
        code_sha256=origin.digests["code"],
        version=__version__,
        python_unicode=unicodedata.unidata_version,
        libraries=origin.libraries,
        tokenizer_sha256=origin.digests["tokenizer"],
        language_model_sha256=origin.digests["language_model"],
        encoder=read_header(directory.ledger).encoder,
        plan=accounts.plan,
        removals=accounts.removals,
        exclusions=accounts.exclusions,
        parent=accounts.parent,
        validation=accounts.validation,
        conservation=accounts.conservation,
        files=sorted([*listed, *accounts.shards], key=lambda file: file.path),
    )
