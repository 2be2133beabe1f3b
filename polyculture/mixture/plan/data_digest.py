"""The digest of what a mixture is made from: rates that were made for other data are refused."""

from collections.abc import Mapping, Sequence

from polyculture.storage.hashing import json_sha256
from schemas.config import CurationConfig
from schemas.manifest import Manifest

# What does not decide which documents a source has, and which of them are distinct.
_ELSEWHERE = frozenset({"name", "seed", "reference", "measure", "mixture", "shards", "gate", "exclude"})
_OF_SOURCES = frozenset({"paths", "license", "max_quarantined_fraction"})


def data_sha256(config: CurationConfig, files: Mapping[str, Sequence[str]], tokenizer_sha256: str) -> str:
    """Digest of the inputs' bytes, of how they are read and deduplicated, and of the tokenizer that counts them.

    Where files lie and what they are called is no part of it, nor are seed, mixture, measurement and gate; nor takedown
    lists, so that a plan outlives a takedown.

    Args:
        config: the configuration.
        files: SHA-256 of each source's files, by source name.
        tokenizer_sha256: digest of the tokenizer.
    """
    settings = config.model_dump(mode="json", exclude=set(_ELSEWHERE | {"sources", "tokenizer"}))
    if not config.filters:  # plans made before there were any stay good
        del settings["filters"]
    sources = {source.name: source.model_dump(mode="json", exclude=set(_OF_SOURCES)) for source in config.sources}
    return json_sha256([settings, sources, {name: sorted(found) for name, found in files.items()}, tokenizer_sha256])


def manifest_data_sha256(manifest: Manifest) -> str:
    """The digest of the data of a finished run."""
    files = {account.name: [file.sha256 for file in account.files] for account in manifest.conservation}
    return data_sha256(manifest.config, files, manifest.tokenizer_sha256)
