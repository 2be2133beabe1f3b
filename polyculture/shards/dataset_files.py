"""The small files beside the shards: what they hold, and what Hugging Face datasets opens the folder with."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from polyculture.storage.commit import writing
from polyculture.storage.hashing import json_sha256
from schemas.accounts import FileDigest
from schemas.documents import DOCUMENT_SCHEMA
from schemas.mixture_config import ShardConfig
from schemas.shards import MixtureStatistics, ShardStatistics

Written = tuple[FileDigest, ShardStatistics]
STATISTICS_FILE = "statistics.json"
_DTYPES = {pa.string(): "string", pa.large_string(): "large_string", pa.int64(): "int64", pa.float64(): "float64"}


def write_dataset_files(
    written: Sequence[Written], held: Sequence[Written], config: ShardConfig, root: Path
) -> list[FileDigest]:
    """Write `statistics.json`, and for shards in the stream format `state.json` and `dataset_info.json`.

    Args:
        written: the shards that are trained on, in the order that they are read in.
        held: those of the validation split, which `datasets.load_from_disk` does not see.
        config: their form; `datasets.load_from_disk` opens no other format than streams.
        root: the run directory.

    Returns:
        The manifest's entries for these files.
    """
    shards = [statistics for _, statistics in written]
    whole = MixtureStatistics(
        rows=sum(shard.rows for shard in shards),
        tokens=sum(shard.tokens for shard in shards),
        text_bytes=sum(shard.text_bytes for shard in shards),
        shards=shards,
        validation=[statistics for _, statistics in held],
    )
    contents = {STATISTICS_FILE: whole.model_dump_json(indent=1)}
    if config.format == "stream":
        contents |= _for_datasets([digest for digest, _ in written])
    digests = []
    for name, content in contents.items():
        with writing(root / "shards" / name) as stream:
            stream.write(f"{content}\n".encode())
        digests.append(stream.digest(root))
    return digests


def _for_datasets(shards: Sequence[FileDigest]) -> dict[str, str]:
    state: dict[str, object] = {
        "_data_files": [{"filename": Path(shard.path).name} for shard in shards],
        "_fingerprint": json_sha256([shard.sha256 for shard in shards])[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": "train",
    }
    features = {field.name: {"dtype": _DTYPES[field.type], "_type": "Value"} for field in DOCUMENT_SCHEMA}
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    return {
        name: json.dumps(content, indent=1, sort_keys=True)
        for name, content in (("state.json", state), ("dataset_info.json", info))
    }
