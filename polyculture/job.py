"""A job: a checked configuration with the files it names, and the identity of what it will produce."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from polyculture.corpus.ingest import Partition
from polyculture.corpus.workspace import Workspace
from polyculture.encoders.embeddings import make_encoder
from polyculture.errors import ConfigError
from polyculture.evidence.last_go import find_last_go
from polyculture.filters.registry import ActiveFilter, open_filters
from polyculture.given import Given, check_given
from polyculture.identity import code_sha256, library_versions, step_key
from polyculture.mixture.plan.data_digest import data_sha256
from polyculture.mixture.plan.weights import Weights, open_weights
from polyculture.sources.files import hash_inputs
from polyculture.sources.record import InputFile
from polyculture.storage.hashing import json_sha256, tree_sha256
from polyculture.storage.run_directory import OTHER_OUT, RunDirectory
from polyculture.text.language import language_model_path
from polyculture.text.tokenizer import TokenCounter
from schemas.accounts import LeftOut
from schemas.config import CurationConfig
from schemas.manifest import Manifest
from schemas.profile import LastGo

Command = Literal["run", "audit", "pilot", "top_up"]
# Settings of a source that decide what its files are read as; its paths count by the files that they lead to.
READ_BY = frozenset({"name", "kind", "license", "language", "fields", "text_records", "chat_template", "cut_pages"})


@dataclass(frozen=True)
class Job:
    """A job to do, with everything checked that can be checked before a record is read.

    Attributes:
        command: run, audit, pilot or top_up.
        config: the configuration.
        inputs: files of each source, by source name.
        tokenizer: a tokenizer.json, or None for the embedded one.
        encoder_path: folder or background of the encoder, if the configuration names one.
        directory: the run directory.
        digests: digests of config, code, tokenizer and language model.
        identity: digest of all of them and of the inputs: equal identities give equal bytes.
        last_go: the last run that was GO, if the configuration names one.
        weights: what the files of rates say that the configuration names.
        filters: what takes documents out before anything is compared.
        left_out: side files beside the inputs, by source name.
    """

    command: Command
    config: CurationConfig
    inputs: dict[str, tuple[InputFile, ...]]
    tokenizer: Path | None
    encoder_path: Path | None
    directory: RunDirectory
    digests: dict[str, str]
    identity: str
    last_go: LastGo | None = None
    weights: Mapping[str, Weights] = field(default_factory=dict)
    filters: tuple[ActiveFilter, ...] = ()
    left_out: Mapping[str, Sequence[LeftOut]] = field(default_factory=dict)

    @property
    def workspace(self) -> Workspace:
        """The intermediate files of the run."""
        return Workspace(self.directory, self.config, self.inputs)

    def partition_key(self, partition: Partition) -> str:
        """Key of the documents of a partition: the code that reads them, and what it is given."""
        given = {
            "source": partition.source.model_dump(mode="json", include=set(READ_BY)),
            "files": [(file.name, file.sha256) for file in partition.files],
            "limits": self.config.limits.model_dump(mode="json"),
            "tokenizer": self.digests["tokenizer"],
            "language_model": self.digests["language_model"],
            "seed": self.config.seed,
        }
        return step_key("ingest", given)


def open_job(
    command: Command, given: Path | Mapping[str, object] | Given, out: Path | None, more: Sequence[str] = ()
) -> Job:
    """Check everything that a run needs, before its first record is read.

    Args:
        command: run, audit, pilot or top_up.
        given: the configuration file, or what would stand in one; paths are relative to its folder, or the current one.
        out: the run directory; `runs/<name>` in the current folder if None.
        more: what else the output depends on; part of the identity.

    Raises:
        ConfigError: something is missing or wrong, or the run directory holds another run.
    """
    known = given if isinstance(given, Given) else check_given(command, given, out)
    config, base, tokenizer = known.config, known.base, known.tokenizer
    found = {source.name: hash_inputs(source, known.listed[source.name]) for source in config.sources}
    inputs = {name: of.files for name, of in found.items()}
    digests = {
        "config": json_sha256(config.model_dump(mode="json")),
        "code": code_sha256(command),
        "tokenizer": TokenCounter(tokenizer).sha256,
        "language_model": tree_sha256([("model", language_model_path())]),
    }
    semantic = config.measure.semantic
    if semantic is not None:
        encoder = make_encoder(semantic, known.encoder_path)
        digests["encoder"] = json_sha256([encoder.name, encoder.revision, encoder.background])
    filters = open_filters(config, base)
    for active in filters:
        if active.contribution.lists:
            digests[f"filter {active.name}"] = json_sha256([listed.sha256 for listed in active.contribution.lists])
    files = {name: [(file.name, file.sha256) for file in found] for name, found in inputs.items()}
    digests["data"] = data_sha256(
        config, {name: [s for _, s in found] for name, found in files.items()}, digests["tokenizer"]
    )
    weights = open_weights(config, base, digests["data"]) if command == "run" else {}
    digests |= {f"rates {name}": found.file_sha256 for name, found in weights.items()}
    last_go = find_last_go(base / config.gate.last_go, config) if config.gate.last_go else None
    left_out = {name: [left.model_dump() for left in of.left_out] for name, of in found.items() if of.left_out}
    parts: list[object] = [command, digests, files, library_versions(command), unicodedata.unidata_version]
    parts += [left_out] if left_out else []
    identity = json_sha256([*parts, *([last_go.manifest_sha256] if last_go else []), *more])
    job = Job(
        command,
        config,
        inputs,
        tokenizer,
        known.encoder_path,
        known.directory,
        digests,
        identity,
        last_go,
        weights,
        filters,
        {name: of.left_out for name, of in found.items()},
    )
    _refuse_other_run(job)
    return job


def _refuse_other_run(job: Job) -> None:
    """Refuse a folder that holds another run's output."""
    root, cure = job.directory.root, OTHER_OUT
    job.directory.require_fit()
    mark = job.directory.state / "identity"
    if mark.is_file() and mark.read_text().strip() != job.identity:
        raise ConfigError(f"--out: {root} holds a run of other inputs, config or version; {cure}")
    if job.directory.manifest.is_file():
        try:
            manifest = Manifest.model_validate_json(job.directory.manifest.read_bytes())
        except ValueError as error:
            raise ConfigError(f"--out: the manifest in {root} cannot be read; {cure}") from error
        if manifest.identity_sha256 != job.identity:
            raise ConfigError(f"--out: {root} holds a run of other inputs, config or version; {cure}")
