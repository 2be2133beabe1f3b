"""The run that a top-up continues, and earlier top-ups of it: whether they are whole, and what was read of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError, PolycultureError
from polyculture.shards.listing import groups_as_read, read_batches
from polyculture.sources.record import InputFile
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, is_intact, misplaced_file
from polyculture.top_up.consumed import Consumed, ShardTokens, consumed_by_step, consumed_shards
from polyculture.top_up.lineage import parent_verdict, read_earlier, read_parent
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.manifest import Manifest
from schemas.mixture_config import VALIDATION
from schemas.source_config import SourceConfig
from schemas.top_up import EarlierTopUp, ParentRun, ShardRead

SOURCE = "parent"
SHARDS = "shards/"


@dataclass(frozen=True, slots=True)
class ParentShards:
    """The part of a parent that one run directory holds.

    Attributes:
        root: the run directory.
        shards: shards as files to read, in the order of reading; their names tell them from those of other directories.
        held_out: the shards of a validation split, which no candidate may repeat and no training has read.
        rows: rows of all of them together.
    """

    root: Path
    shards: tuple[InputFile, ...]
    held_out: tuple[InputFile, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Parent:
    """A finished run of which some shards were read.

    Attributes:
        manifest: its manifest.
        run: its account in the top-up's manifest.
        held: its own shards, and those of each earlier top-up, in the order of reading.
    """

    manifest: Manifest
    run: ParentRun
    held: tuple[ParentShards, ...]

    def is_trained_on(self, file: Sequence[str]) -> NDArray[np.bool_]:
        """(n,) whether the rows of these files are of its mixture, and not held out."""
        apart = {shard.name for held in self.held for shard in held.held_out}
        return np.array([name not in apart for name in file], np.bool_)

    def is_consumed(self, file: Sequence[str], position: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether the rows at these positions of these shards were read."""
        read = {shard.path: shard.consumed_rows for shard in self.run.shards}
        return np.asarray(position < np.array([read.get(name, 0) for name in file], np.int64))


def open_parent(root: Path, consumed: str, tokens_per_step: int | None, earlier: Sequence[Path] = ()) -> Parent:
    """Check a run and say what was read of it. Reads its shards once.

    Args:
        root: run directory.
        consumed: a number of steps, or names of shards separated by commas.
        tokens_per_step: tokens per step of the whole training job; needed with a number of steps, and only then.
        earlier: run directories of top-ups of it that the training reads after it, in this order.

    Raises:
        ConfigError: there is no finished run, an earlier top-up is not one of it, or more was read than there is.
        PolycultureError: a shard is not what the manifest lists.
    """
    directory = RunDirectory(root)
    manifest = read_parent(root)
    more = read_earlier(root, earlier)
    held = [_open(root, manifest, ""), *(_open(*run, earlier_folder(number)) for number, run in enumerate(more, 1))]
    shards = [shard for one in held for shard in one.shards]
    tokens = [ShardTokens(shard.name.replace(SHARDS, ""), _tokens(shard.path)) for shard in shards]
    read = _consumed(tokens, consumed, tokens_per_step)
    digest = file_sha256(directory.manifest)
    run = ParentRun(
        name=manifest.name,
        manifest_sha256=digest,
        verdict=parent_verdict(directory, digest),
        consumed_tokens=read.tokens,
        remaining_tokens=read.remaining_tokens,
        shards=_shards([shard.name for shard in shards], tokens, read),
        earlier=[
            EarlierTopUp(name=one.name, manifest_sha256=file_sha256(RunDirectory(path).manifest)) for path, one in more
        ],
    )
    return Parent(manifest, run, tuple(held))


def earlier_folder(number: int) -> str:
    """The prefix of the names of an earlier top-up's shards, counted from 1."""
    return f"top-up-{number}/"


def _open(root: Path, manifest: Manifest, folder: str) -> ParentShards:
    groups = groups_as_read(manifest)
    apart = groups.pop(VALIDATION, ())
    shards = [file for group in groups.values() for file in group]
    if not shards:
        raise ConfigError(f"{root}: this run has no shards; name a run made by `polyculture run`")
    stray = misplaced_file(root, manifest.files)
    if stray is not None:
        raise PolycultureError(f"{root}: {stray}; restore it, or make the run again")
    damaged = [file.path for file in [*shards, *apart] if not is_intact(root, file)]
    if damaged:
        raise PolycultureError(
            f"{root}: {damaged[0]} is missing, or not the bytes that the manifest lists ({len(damaged)} such shards): "
            "what is consumed cannot be told; restore it, or make the run again"
        )
    files, held_out = (
        tuple(InputFile(root / file.path, f"{folder}{file.path}", file.sha256, file.bytes) for file in group)
        for group in (shards, apart)
    )
    return ParentShards(root, files, held_out, sum(file.rows or 0 for file in (*shards, *apart)))


def parent_sources(taken: Sequence[str], count: int) -> tuple[SourceConfig, ...]:
    """The parent's shards as sources, one a run directory, under names that no candidate has."""
    folded = {name.casefold() for name in taken}
    names = (name for name in (SOURCE, *(f"{SOURCE}_{i}" for i in range(2, 10**6))) if name not in folded)
    return tuple(
        SourceConfig(name=name, kind=Kind.WEB, paths=(f"{SHARDS}*.arrow",), fields={"id": "document_id"})
        for name in itertools.islice(names, count)
    )


def parent_config(config: CurationConfig, parent: Parent) -> CurationConfig:
    """The configuration of the candidates, with the parent as its only sources, read within the parent's own bounds."""
    sources = parent_sources([source.name for source in config.sources], len(parent.held))
    return config.model_copy(update={"sources": sources, "limits": parent.manifest.config.limits})


def _tokens(path: Path) -> NDArray[np.int64]:
    """Tokens of each row of a shard."""
    batches = read_batches(path, ["tokens"])
    parts = [batch["tokens"].to_numpy(zero_copy_only=False).astype(np.int64) for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _consumed(shards: Sequence[ShardTokens], consumed: str, tokens_per_step: int | None) -> Consumed:
    words = [word.strip() for word in consumed.split(",") if word.strip()]
    if len(words) == 1 and words[0].isdecimal():
        if tokens_per_step is None and int(words[0]) == 0:
            return consumed_by_step(shards, 0, 1)
        if tokens_per_step is None:
            raise ConfigError(f"--consumed: {words[0]} is a step; say --tokens-per-step, or name the shards")
        return consumed_by_step(shards, int(words[0]), tokens_per_step)
    if tokens_per_step is not None:
        raise ConfigError("--tokens-per-step belongs to a step; with names of shards leave it out")
    if not words:
        raise ConfigError("--consumed: name the shards that were read, separated by commas, or a step; 0 for none")
    return consumed_shards(shards, words)


def _shards(names: Sequence[str], shards: Sequence[ShardTokens], consumed: Consumed) -> list[ShardRead]:
    return [
        ShardRead(
            path=name,
            rows=len(held.tokens),
            tokens=int(held.tokens.sum()),
            consumed_rows=int(rows),
            consumed_tokens=int(held.tokens[:rows].sum()),
        )
        for name, held, rows in zip(names, shards, consumed.rows, strict=True)
    ]
