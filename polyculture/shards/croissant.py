"""Croissant metadata of a run (MLCommons Croissant 1.0): each shard with its digest, and the columns they hold."""

import json
import re
from typing import Any

import pyarrow as pa

from polyculture.shards.card import hub_licenses, split_name
from polyculture.shards.facts import ShardFacts
from polyculture.shards.listing import shard_groups
from schemas.accounts import FileDigest
from schemas.documents import DOCUMENT_FIELDS
from schemas.manifest import Manifest

CROISSANT_FILE = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
MEDIA_TYPES = {"stream": "application/vnd.apache.arrow.stream", "file": "application/vnd.apache.arrow.file"}
DATA_TYPES = {pa.string(): "sc:Text", pa.large_string(): "sc:Text", pa.int64(): "sc:Integer", pa.float64(): "sc:Float"}
# Words of the vocabulary that the standard's context spells out.
_WORDS = re.findall(
    r"\w+",
    "citeAs column conformsTo equivalentProperty extract field fileObject fileProperty fileSet format includes "
    "isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate "
    "separator source subField transform",
)


def render_croissant(manifest: Manifest, facts: ShardFacts) -> str:
    """Metadata of a run whose shards are written, as JSON-LD.

    There is no date in it, and no address: equal runs have equal metadata, and paths are relative to the file.

    Args:
        manifest: manifest with the shards among its files.
        facts: content of the shards.
    """
    groups = shard_groups(manifest.files)
    media = MEDIA_TYPES[facts.form]
    documents = sum(account.written for account in manifest.conservation)
    tokens = sum(account.written_tokens for account in manifest.conservation)
    distribution: list[dict[str, Any]] = []
    for group, shards in groups.items():
        distribution += [_file_object(shard, media) for shard in shards]
        distribution.append(_file_set(group, shards, media))
    metadata = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": manifest.name,
        "description": f"A corpus to train language models on: {documents} documents, {tokens} tokens, from "
        f"{len(manifest.conservation)} sources, made by Polyculture {manifest.version}.",
        "identifier": f"urn:sha256:{manifest.identity_sha256}",
        "url": ".",
        "license": hub_licenses(facts),
        "distribution": distribution,
        "recordSet": [_record_set(group) for group in groups],
    }
    return json.dumps(metadata, indent=1, ensure_ascii=True) + "\n"


def _context() -> dict[str, Any]:
    context: dict[str, Any] = {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "sc": "https://schema.org/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
    }
    context |= {word: f"cr:{word}" for word in _WORDS}
    return context | {"conformsTo": "dct:conformsTo"}


def _file_object(shard: FileDigest, media: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": shard.path,
        "contentUrl": shard.path,
        "contentSize": f"{shard.bytes} B",
        "encodingFormat": media,
        "sha256": shard.sha256,
    }


def _file_set(group: str, shards: tuple[FileDigest, ...], media: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{split_name(group)}-shards",
        "name": f"{split_name(group)}-shards",
        "containedIn": [{"@id": shard.path} for shard in shards],
        "encodingFormat": media,
        "includes": "*.arrow",
    }


def _record_set(group: str) -> dict[str, Any]:
    name = split_name(group)
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{field.name}",
            "name": field.name,
            "description": field.description,
            "dataType": DATA_TYPES[field.type],
            "source": {"fileSet": {"@id": f"{name}-shards"}, "extract": {"column": field.name}},
        }
        for field in DOCUMENT_FIELDS
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}
