"""A corpus with made-up embeddings, as a run would have it on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.encoders.encoder import Encoded, EncodingStatus
from polyculture.measure.probes.probes import StageCopies
from polyculture.storage.files import write_arrow_file
from polyculture.storage.hashing import id_hash
from schemas.documents import Kind


@dataclass(frozen=True)
class NoEncoder:
    """Says what made the embeddings."""

    dimensions: int
    name: str = "made"
    revision: str = "0" * 64
    background: str = ""
    languages: frozenset[str] = frozenset({"en"})
    likeness: Mapping[str, float] = field(default_factory=dict)

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Encoded:
        raise NotImplementedError


def made_corpus(folder: Path, parts: dict[str, tuple[Kind, NDArray[np.int16]]]) -> tuple[Corpus, Embeddings]:
    """One partition for each source; rows of zeros are of a language that is not covered."""
    names = sorted(parts)
    sizes = [len(parts[name][1]) for name in names]
    source = np.repeat(np.arange(len(names)), sizes)
    ids = [f"{name}:{number}" for name, size in zip(names, sizes, strict=True) for number in range(size)]
    index = pa.table(
        {
            "document_id": pa.array(ids, pa.large_string()),
            "source": pa.array(source, pa.uint16()),
            "tokens": pa.array(np.full(len(ids), 10), pa.int64()),
            "id_hash": pa.array([id_hash(name) for name in ids], pa.uint64()),
        }
    )
    paths = []
    for name in names:
        vectors = parts[name][1]
        reading = np.where((vectors != 0).any(axis=1), EncodingStatus.MEASURED, EncodingStatus.NOT_COVERED)
        table = pa.table(
            {
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
                "reading": pa.array(reading, pa.int8()),
                "read": pa.array(reading == EncodingStatus.MEASURED).cast(pa.float32()),
                "disagrees": pa.array(np.zeros(len(vectors), np.bool_)),
                "language": pa.array([name] * len(vectors)),  # each its own: nothing to check across sources
            }
        )
        paths.append(folder / f"{name}.arrow")
        write_arrow_file(paths[-1], table)
    row = np.concatenate([np.arange(size) for size in sizes])
    dimensions = parts[names[0]][1].shape[1]
    corpus = Corpus(index, (), tuple(names), tuple(parts[name][0] for name in names))
    return corpus, Embeddings(paths, source, row, NoEncoder(dimensions, likeness=dict.fromkeys(names, 0.0)))


def stages(*copies: NDArray[np.int64]) -> list[StageCopies]:
    return [StageCopies(name, part) for name, part in zip(("input", "distinct", "mixture"), copies, strict=False)]
