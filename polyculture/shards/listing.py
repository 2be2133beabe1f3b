"""The shards of a finished run, as its manifest lists them: a folder is never asked what it holds."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
from pydantic import ValidationError

from polyculture.errors import ConfigError, PolycultureError
from schemas.accounts import FileDigest
from schemas.manifest import Manifest

TRAIN = "train"
FILE_MAGIC = b"ARROW1"
_SHARD = re.compile(r"(?:shards/)?(?P<group>.+)-(?P<number>\d{5,})-of-(?P<count>\d{5,})\.arrow")


@dataclass(frozen=True, slots=True)
class ShardList:
    """The shards of a run, as its manifest lists them.

    Attributes:
        root: the run directory.
        manifest_sha256: digest of the manifest that was read.
        groups: shards by group, in order; `train` is what a run trains on.
        files: everything that the manifest lists.
    """

    root: Path
    manifest_sha256: str
    groups: dict[str, tuple[FileDigest, ...]]
    files: tuple[FileDigest, ...] = ()

    def group(self, name: str) -> tuple[FileDigest, ...]:
        """The shards of one group, in order.

        Raises:
            ConfigError: the run has no such group.
        """
        if name not in self.groups:
            raise ConfigError(
                f"{self.root}: no shards named {name!r}; it has {', '.join(sorted(self.groups)) or 'none'}"
            )
        return self.groups[name]


def group_of(path: str) -> str | None:
    """The group in the name of a listed shard; None for any other file."""
    match = _SHARD.fullmatch(path)
    return match["group"] if match else None


def shard_groups(files: Iterable[FileDigest]) -> dict[str, tuple[FileDigest, ...]]:
    """Listed files that are shards, by the group in their name: `shards/GROUP-NNNNN-of-NNNNN.arrow`.

    Raises:
        PolycultureError: a group is not numbered from 0 without a gap, or a shard has no number of rows.
    """
    found: dict[str, dict[int, FileDigest]] = {}
    counts: dict[str, set[int]] = {}
    for file in files:
        match = _SHARD.fullmatch(file.path)
        if match is not None:
            found.setdefault(match["group"], {})[int(match["number"])] = file
            counts.setdefault(match["group"], set()).add(int(match["count"]))
    for group, numbered in found.items():
        count = len(numbered)
        if counts[group] != {count} or set(numbered) != set(range(count)):
            raise PolycultureError(f"manifest.json: the shards of {group} are not numbered 0 to {count - 1} of {count}")
        if any(file.rows is None for file in numbered.values()):
            raise PolycultureError(f"manifest.json: a shard of {group} has no number of rows")
    return {group: tuple(numbered[i] for i in range(len(numbered))) for group, numbered in sorted(found.items())}


def groups_as_read(manifest: Manifest) -> dict[str, tuple[FileDigest, ...]]:
    """The groups of `shard_groups`: phases in the order of training, then the others."""
    groups = shard_groups(manifest.files)
    phases = [phase.name for phase in manifest.plan.phases] if manifest.plan else []
    return {name: groups[name] for name in dict.fromkeys([*phases, *groups]) if name in groups}


def read_shard_list(root: Path, manifest_sha256: str | None = None) -> ShardList:
    """The shards of a finished run. Only `files` of the manifest is read, so that versions may differ.

    Args:
        root: the run directory, or a copy of a published one.
        manifest_sha256: the digest that the manifest must have, as a verdict or an approval holds it.

    Raises:
        ConfigError: there is no manifest there.
        PolycultureError: the manifest is damaged, or not the expected one.
    """
    path = root / "manifest.json"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{root} is not a finished run: no manifest.json; give a run directory") from error
    digest = hashlib.sha256(data).hexdigest()
    if manifest_sha256 is not None and digest != manifest_sha256:
        raise PolycultureError(
            f"{path} has the digest {digest}, not {manifest_sha256}: it is another run's, or changed"
        )
    try:
        files = [FileDigest.model_validate(file) for file in json.loads(data)["files"]]
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise PolycultureError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
    return ShardList(root, digest, shard_groups(files), tuple(files))


def check_sizes(root: Path, shards: Sequence[FileDigest]) -> None:
    """Check that every shard has the size that is listed; reads none of them.

    Raises:
        PolycultureError: one is missing, or longer or shorter.
    """
    for shard in shards:
        path = root / shard.path
        size = path.stat().st_size if path.is_file() else None
        if size != shard.bytes:
            what = "is missing" if size is None else f"has {size} bytes"
            raise PolycultureError(f"{path} {what}, the manifest lists {shard.bytes}; copy it again")


def is_file_format(path: Path) -> bool:
    """True if an Arrow shard has the file format, by its first bytes; else it has the stream format."""
    with path.open("rb") as stream:
        return stream.read(len(FILE_MAGIC)) == FILE_MAGIC


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Record batches of one shard, mapped; a compressed batch is decompressed when it is reached.

    Args:
        path: the shard.
        columns: columns to read and decompress; all if None.

    Raises:
        ConfigError: there is no such column.
        PolycultureError: it is no Arrow file.
    """
    try:
        with pa.memory_map(str(path)) as source:
            options = _only(source, path, columns) if columns is not None else None
            if is_file_format(path):
                opened = pa.ipc.open_file(source, options=options)
                found = (opened.get_batch(number) for number in range(opened.num_record_batches))
            else:
                found = iter(pa.ipc.open_stream(source, options=options))
            for batch in found:
                yield batch if columns is None else batch.select(list(columns))
    except pa.ArrowInvalid as error:
        raise PolycultureError(f"{path} cannot be read: {str(error).splitlines()[0]}; copy it again") from error


def _only(source: pa.MemoryMappedFile, path: Path, columns: Sequence[str]) -> pa.ipc.IpcReadOptions:
    schema = (pa.ipc.open_file if is_file_format(path) else pa.ipc.open_stream)(source).schema
    source.seek(0)
    unknown = [name for name in columns if name not in schema.names]
    if unknown:
        raise ConfigError(f"columns: no column {unknown[0]!r}; there are {', '.join(schema.names)}")
    return pa.ipc.IpcReadOptions(included_fields=sorted({schema.get_field_index(name) for name in columns}))
