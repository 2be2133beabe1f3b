"""The run that a top-up continues: whether it is whole, and what was read of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray
from pydantic import ValidationError

from polyculture.errors import ConfigError, PolycultureError
from polyculture.evidence import read_manifest, read_verdict
from polyculture.hashing import file_sha256
from polyculture.run_directory import RunDirectory, is_intact
from polyculture.sources.record import InputFile
from polyculture.top_up.consumed import Consumed, ShardTokens, consumed_by_step, consumed_shards
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.manifest import FileDigest, Manifest
from schemas.mixture_config import VALIDATION
from schemas.source_config import SourceConfig
from schemas.top_up import ParentRun, ShardRead

SOURCE = "parent"
SHARDS = "shards/"


@dataclass(frozen=True, slots=True)
class Parent:
    """A finished run of which some shards were read.

    Attributes:
        root: its run directory.
        manifest: of it.
        run: what the top-up's manifest says of it.
        shards: its shards, as files to read, in the order of reading.
        held_out: the shards of its validation split, which no candidate may repeat and no training has read.
    """

    root: Path
    manifest: Manifest
    run: ParentRun
    shards: tuple[InputFile, ...]
    held_out: tuple[InputFile, ...] = ()

    def is_trained_on(self, file: Sequence[str]) -> NDArray[np.bool_]:
        """(n,) whether the rows of these files are of its mixture, and not held out."""
        apart = {shard.name for shard in self.held_out}
        return np.array([name not in apart for name in file], np.bool_)

    def is_consumed(self, file: Sequence[str], position: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether the rows at these positions of these shards were read."""
        read = {shard.path: shard.consumed_rows for shard in self.run.shards}
        return np.asarray(position < np.array([read.get(name, 0) for name in file], np.int64))


def open_parent(root: Path, consumed: str, tokens_per_step: int | None) -> Parent:
    """Check a run and say what was read of it. Reads its shards once.

    Args:
        root: run directory.
        consumed: a number of steps, or names of shards separated by commas.
        tokens_per_step: of the whole training job; needed with a number of steps, and only then.

    Raises:
        ConfigError: there is no finished run, or more was read than there is.
        PolycultureError: a shard is not what the manifest lists.
    """
    directory = RunDirectory(root)
    manifest = read_parent(root)
    listed = [file for file in manifest.files if file.path.startswith(SHARDS) and file.path.endswith(".arrow")]
    apart = [file for file in listed if Path(file.path).name.startswith(f"{VALIDATION}-")]
    listed = sorted((file for file in listed if file not in apart), key=lambda file: _place(manifest, file))
    if not listed:
        raise ConfigError(f"{root}: this run has no shards; name a run made by `polyculture run`")
    damaged = [file.path for file in [*listed, *apart] if not is_intact(root, file)]
    if damaged:
        raise PolycultureError(
            f"{root}: {damaged[0]} is missing, or not the bytes that the manifest lists ({len(damaged)} such shards): "
            "what is consumed cannot be told; restore it, or make the run again"
        )
    tokens = [ShardTokens(Path(file.path).name, _tokens(root / file.path)) for file in listed]
    run = _run(directory, manifest, (listed, tokens), _consumed(tokens, consumed, tokens_per_step))
    files, held_out = (
        tuple(InputFile(root / file.path, file.path, file.sha256, file.bytes) for file in group)
        for group in (listed, apart)
    )
    return Parent(root, manifest, run, files, held_out)


def parent_source(taken: Sequence[str]) -> SourceConfig:
    """The parent's shards as a source, under a name that no candidate has."""
    folded = {name.casefold() for name in taken}
    name = next(name for name in (SOURCE, *(f"{SOURCE}_{i}" for i in range(2, 10**6))) if name not in folded)
    return SourceConfig(name=name, kind=Kind.WEB, paths=(f"{SHARDS}*.arrow",), fields={"id": "document_id"})


def parent_config(config: CurationConfig, parent: Parent) -> CurationConfig:
    """The configuration of the candidates, with the parent as its only source, read within the parent's own bounds."""
    source = parent_source([source.name for source in config.sources])
    return config.model_copy(update={"sources": (source,), "limits": parent.manifest.config.limits})


def read_parent(root: Path) -> Manifest:
    """The manifest of a run that may be continued; its files are not looked at.

    Raises:
        ConfigError: there is none, or it is no run's.
    """
    directory = RunDirectory(root)
    cure = "name a run directory whose run has ended; `polyculture run` resumes one that was stopped"
    try:
        manifest = read_manifest(directory)
    except OSError as error:
        raise ConfigError(f"{directory.root}: no manifest.json, so no finished run; {cure}") from error
    except ValidationError as error:
        raise ConfigError(f"{directory.root}: manifest.json cannot be read; {cure}") from error
    if manifest.command == "audit":
        raise ConfigError(f"{directory.root}: an audit has no shards; name a run made by `polyculture run`")
    if manifest.parent is not None:
        raise ConfigError(
            f"{directory.root}: this is itself a top-up of {manifest.parent.name}, and does not hold what that holds; "
            "name the first run, and keep out what this one added by an `exclude` list of its document_ids"
        )
    return manifest


def _place(manifest: Manifest, file: FileDigest) -> tuple[int, str]:
    """Where a shard stands in the order of reading: by phase, then by number."""
    phases = [phase.name for phase in manifest.plan.phases] if manifest.plan else []
    stem = Path(file.path).name.rsplit("-of-", 1)[0].rsplit("-", 1)[0]
    return (phases.index(stem) if stem in phases else len(phases), file.path)


def _tokens(path: Path) -> NDArray[np.int64]:
    """Tokens of each row of a shard."""
    with pa.memory_map(str(path)) as source:
        try:
            reader = pa.ipc.open_stream(source)
        except pa.ArrowInvalid:
            opened = pa.ipc.open_file(source)
            batches = [opened.get_batch(number) for number in range(opened.num_record_batches)]
        else:
            batches = list(reader)
        parts = [batch["tokens"].to_numpy(zero_copy_only=False).astype(np.int64) for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _consumed(shards: Sequence[ShardTokens], consumed: str, tokens_per_step: int | None) -> Consumed:
    words = [word.strip() for word in consumed.split(",") if word.strip()]
    if len(words) == 1 and words[0].isdecimal():
        if tokens_per_step is None:
            raise ConfigError(f"--consumed: {words[0]} is a step; say --tokens-per-step, or name the shards")
        return consumed_by_step(shards, int(words[0]), tokens_per_step)
    if tokens_per_step is not None:
        raise ConfigError("--tokens-per-step belongs to a step; with names of shards leave it out")
    if not words:
        raise ConfigError("--consumed: name the shards that were read, separated by commas, or a step; 0 for none")
    return consumed_shards(shards, words)


def _run(
    directory: RunDirectory,
    manifest: Manifest,
    shards: tuple[list[FileDigest], list[ShardTokens]],
    consumed: Consumed,
) -> ParentRun:
    read = [
        ShardRead(
            path=file.path,
            rows=len(held.tokens),
            tokens=int(held.tokens.sum()),
            consumed_rows=int(rows),
            consumed_tokens=int(held.tokens[:rows].sum()),
        )
        for file, held, rows in zip(*shards, consumed.rows, strict=True)
    ]
    digest = file_sha256(directory.manifest)
    return ParentRun(
        name=manifest.name,
        manifest_sha256=digest,
        verdict=_verdict(directory, digest),
        consumed_tokens=consumed.tokens,
        remaining_tokens=consumed.remaining_tokens,
        shards=read,
    )


def _verdict(directory: RunDirectory, manifest_sha256: str) -> str | None:
    """The parent's verdict, if it was given for this manifest."""
    try:
        verdict = read_verdict(directory)
    except (OSError, ValidationError):
        return None
    if verdict.manifest_sha256 != manifest_sha256:
        raise PolycultureError(
            f"{directory.root}: verdict.json was given for another manifest, so one of them was changed; "
            "restore them, or make the run again"
        )
    return verdict.verdict.value
