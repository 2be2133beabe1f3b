"""Fit a background for the embedded encoder on the shards of a finished run."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from polyculture.encoders.background import fit_background
from polyculture.encoders.embedded import WEIGHTS_SHA256, EmbeddedEncoder
from polyculture.encoders.languages import language_key
from polyculture.errors import ConfigError
from polyculture.text.language import UNKNOWN, identify_language

MOST_DOCUMENTS = 5_000  # of each language and source
LEAST_DOCUMENTS = 100  # of a language


def fit_on_shards(
    shards: Iterable[Path], most: int = MOST_DOCUMENTS, least: int = LEAST_DOCUMENTS
) -> tuple[bytes, dict[str, int]]:
    """Fit means by language and common components on documents as a run wrote them.

    Args:
        shards: Arrow streams of documents, in the order of the run: that is random, so the first documents are a
            sample.
        most: documents of each language and source that are read.
        least: languages with fewer get no mean, and stay unmeasured.

    Returns:
        The file of the background, and the documents read of each language key. Language is that of the text, as it is
        when documents are measured. About 2 million characters a second.

    Raises:
        ConfigError: no language has documents enough.
        OSError: a shard cannot be read.
    """
    encoder, taken = EmbeddedEncoder(), Counter[tuple[str, str]]()
    vectors, groups = [], []
    for shard in shards:
        with pa.memory_map(str(shard)) as mapped, pa.ipc.open_stream(mapped) as stream:
            for batch in stream:
                rows = []
                columns = (batch[name].to_pylist() for name in ("text", "source"))
                for text, source in zip(*columns, strict=True):
                    group = (language_key(identify_language(text), text), source)
                    if group[0] != UNKNOWN and taken[group] < most:
                        taken[group] += 1
                        rows.append(text)
                        groups.append(group)
                if rows:
                    vectors.append(encoder.token_means(rows))
    read = Counter[str]()
    for (key, _), documents in taken.items():
        read[key] += documents
    try:
        fitted = fit_background(
            np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32), groups, WEIGHTS_SHA256, least
        )
    except ValueError as error:
        raise ConfigError(f"{error}; name a run with more documents, or lower --least") from error
    return fitted, dict(sorted(read.items()))
