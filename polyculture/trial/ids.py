"""Read which documents a trial run trained on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from polyculture.errors import ConfigError
from polyculture.shards.read import shard_batches
from polyculture.storage.files import read_parquet
from polyculture.storage.run_directory import is_in_place
from schemas.manifest import Manifest

COLUMN = "document_id"


def read_ids(path: Path) -> list[str]:
    """Ids of a file, repeats included: Parquet or JSON Lines with `document_id`, else one id a line.

    Raises:
        ConfigError: the file cannot be read as one of these, or holds no id.
    """
    if not path.is_file():
        raise ConfigError(f"--ids: no file {path}")
    with path.open("rb") as stream:
        head = stream.read(4)
    found = _of_parquet(path) if head == b"PAR1" else list(_of_lines(path))
    if not found:
        raise ConfigError(f"--ids: {path} holds no id; it needs one document_id a line, or a column {COLUMN}")
    return found


def _of_parquet(path: Path) -> list[str]:
    try:
        names = pa.parquet.read_schema(path).names
        if COLUMN not in names:
            raise ConfigError(f"--ids: {path} has no column {COLUMN}; it has {', '.join(names[:10])}")
        column = read_parquet(path, [COLUMN])[COLUMN]
        return [name for name in column.cast(pa.string()).to_pylist() if name is not None]
    except pa.ArrowException as error:
        raise ConfigError(f"--ids: {path} is damaged: {str(error).splitlines()[0]}") from error


def _of_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                text = line.strip()
                if text:  # no id begins with a brace: it begins with the name of its source
                    yield _of_record(text, f"{path}, line {number}") if text.startswith("{") else text
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"--ids: {path} is neither UTF-8 text nor Parquet; unpack it, or write one document_id a line"
        ) from error


def _of_record(text: str, place: str) -> str:
    try:
        name = json.loads(text).get(COLUMN)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--ids: {place}: not a JSON record") from error
    if not isinstance(name, str):
        raise ConfigError(f"--ids: {place}: no text under the key {COLUMN}")
    return name


def ids_of_shards(manifest_path: Path) -> list[str]:
    """Ids of the shards that another run's manifest lists beside it, repeats included.

    Raises:
        ConfigError: the manifest is none, or a shard is not there.
    """
    try:
        manifest = Manifest.model_validate_json(manifest_path.read_bytes())
    except OSError as error:
        raise ConfigError(f"--manifest: cannot read {manifest_path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(
            f"--manifest: {manifest_path} is no manifest of a run: {str(error).splitlines()[0]}"
        ) from error
    found: list[str] = []
    for path in shards_of(manifest, manifest_path.parent, "--manifest"):
        found += open_shard(path)[COLUMN].to_pylist()
    if not found:
        raise ConfigError(f"--manifest: {manifest_path} lists no shard with documents")
    return found


def shards_of(manifest: Manifest, root: Path, what: str) -> list[Path]:
    """The shards that a manifest lists, there and of the listed size.

    Raises:
        ConfigError: one is not.
    """
    paths = []
    for file in manifest.files:
        if file.path.startswith("shards/") and file.path.endswith(".arrow"):
            path = root / file.path
            if not is_in_place(root, file):
                raise ConfigError(f"{what}: {path} is missing or damaged; `polyculture verify {root}` says more")
            paths.append(path)
    return paths


def open_shard(path: Path) -> pa.Table:
    """A shard, mapped and not read.

    Raises:
        ConfigError: it is damaged.
    """
    try:
        schema, batches = shard_batches(path)
        return pa.Table.from_batches(batches, schema)
    except pa.ArrowException as error:
        raise ConfigError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
