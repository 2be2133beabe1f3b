"""Shards as Megatron's `.bin` and `.idx`: tokenised, one sequence a document, in the order of the shards."""

import itertools
import warnings
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from polyculture.errors import ConfigError, PolycultureError
from polyculture.shards.listing import read_batches, read_shard_list
from polyculture.storage.commit import sync
from polyculture.storage.files import write_text
from polyculture.storage.run_directory import is_intact, misplaced_file, require_local
from polyculture.text.tokenizer import TokenCounter
from schemas.export import ExportedGroup, MegatronExport

TEMPORARY = ".tmp-"
EXPORT_FILE = "export.json"


def export_megatron(
    run: Path, out: Path, tokenizer: TokenCounter, end_token: str, progress: Callable[[int, int], None]
) -> MegatronExport:
    """Write `GROUP.bin` and `GROUP.idx` for every group of shards, and `export.json`, by Megatron Core's own writer.

    A document is its tokens, without special tokens, and `end_token`. Memory: one record batch, and 20 bytes a
    document for the index. Shards are read twice: their digests are checked first. The same run gives the same bytes.
    An export that was stopped begins anew.

    Args:
        run: the run directory.
        out: a folder that is not there yet, or empty.
        tokenizer: the run's; the caller has compared their digests.
        end_token: the token that ends every document.
        progress: called with documents done and in all.

    Returns:
        The record of what was written; its tokens are those of the manifest, and one more a document.

    Raises:
        ConfigError: Megatron Core is not installed, the tokenizer has no such token, or `out` holds something.
        PolycultureError: a shard is not what the manifest lists.
    """
    writer = _megatron()
    listed = read_shard_list(run)
    end = tokenizer.token_id(end_token)
    if end is None:
        raise ConfigError(
            f"--end-token: the tokenizer has no token {end_token[:40]!r}; name the one that ends a document"
        )
    require_local(out)
    names = {f"{group.replace('/', '-')}.{suffix}" for group in listed.groups for suffix in ("bin", "idx")}
    if out.resolve().is_relative_to(run.resolve()):
        raise ConfigError(f"--out: {out} lies in the run, {run}; choose another folder")
    _claim(out, names)
    stray = misplaced_file(run, listed.files)
    if stray is not None:
        raise PolycultureError(f"{run}: {stray}; `polyculture verify {run}` says more")
    for shard in itertools.chain(*listed.groups.values()):
        if not is_intact(run, shard):
            raise PolycultureError(f"{shard.path} is not what the manifest lists; `polyculture verify {run}` says more")
    kind = writer.DType.optimal_dtype(tokenizer.vocabulary_size)
    total = sum(shard.rows or 0 for shards in listed.groups.values() for shard in shards)
    done, groups = 0, []
    for group, shards in listed.groups.items():
        name = group.replace("/", "-")
        if not any(shard.rows for shard in shards):  # readers cannot open a file of no sequence
            groups.append(ExportedGroup(name=name, documents=0, tokens=0))
            continue
        paths = {suffix: out / f"{TEMPORARY}{name}.{suffix}" for suffix in ("bin", "idx")}
        builder, documents, tokens = writer.IndexedDatasetBuilder(str(paths["bin"]), dtype=kind), 0, 0
        for ids in _token_ids([run / shard.path for shard in shards], tokenizer):
            builder.add_document(np.asarray([*ids, end], kind), [len(ids) + 1])
            documents, tokens, done = documents + 1, tokens + len(ids) + 1, done + 1
            if done % 1000 == 0 or done == total:
                progress(done, total)
        builder.finalize(str(paths["idx"]))
        for suffix in ("bin", "idx"):  # the index last: without it there is no dataset
            sync(paths[suffix])
            paths[suffix].replace(out / f"{name}.{suffix}")
            sync(out)
        groups.append(ExportedGroup(name=name, documents=documents, tokens=tokens))
    found = MegatronExport(
        manifest_sha256=listed.manifest_sha256,
        tokenizer_sha256=tokenizer.sha256,
        end_token=end_token,
        dtype=np.dtype(kind).name,
        groups=groups,
    )
    write_text(out / EXPORT_FILE, found.model_dump_json(indent=1) + "\n")
    return found


def _claim(out: Path, names: Collection[str]) -> None:
    """Have an empty folder: one with what a stopped export leaves is emptied, one with anything else refused."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out: {out} is not a folder; choose another")
    out.mkdir(parents=True, exist_ok=True)
    left = list(out.iterdir())
    if any(path.name not in names and not path.name.startswith(TEMPORARY) for path in left):
        raise ConfigError(f"--out: {out} is not empty; choose another folder")
    for path in left:
        path.unlink()


def _token_ids(shards: list[Path], tokenizer: TokenCounter) -> Iterator[list[int]]:
    for shard in shards:
        for batch in read_batches(shard, ["text"]):
            yield from tokenizer.token_ids(batch["text"].to_pylist())


def _megatron() -> Any:
    """Megatron Core's writer; its import says what accelerators it lacks, of which writing needs none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("megatron.core.datasets.indexed_dataset")
    except ImportError as error:
        raise ConfigError("this format needs `pip install 'polyculture[megatron]'`") from error
