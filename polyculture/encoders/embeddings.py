"""Embeddings of a corpus: one Arrow file for each partition, mapped, in fixed point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.encoders.column import ColumnEncoder, embeddings_of_column
from polyculture.encoders.encoder import Encoder, to_fixed_point
from polyculture.encoders.languages import language_key
from polyculture.storage.commit import writing
from polyculture.storage.files import map_arrow_file
from schemas.documents import EMBEDDING
from schemas.measure_config import SemanticConfig

BATCH = 1000
BLOCK = 16_384


def make_encoder(config: SemanticConfig, path: Path | None) -> Encoder:
    """The encoder that a configuration names; `path` is its own, resolved."""
    from polyculture.encoders.encoders import ENCODERS  # noqa: PLC0415 -- most configurations name none

    return ENCODERS[config.encoder](path, config)


def embed_partition(documents: Path, out: Path, config: SemanticConfig, path: Path | None) -> int:
    """Embed a partition's documents into an Arrow file of `vector`, `reading` and `language`, row by row.

    Args:
        documents: a partition's Arrow file.
        out: file to write.
        config: configuration of the encoder.
        path: its folder or background.

    Returns:
        Documents. About 2 bytes of disk a document and dimension; 3 to 7 thousand documents a second and core with the
        embedded encoder.
    """
    encoder = make_encoder(config, path)
    schema = pa.schema(
        [
            pa.field("vector", pa.list_(pa.int16(), encoder.dimensions), nullable=False),
            pa.field("reading", pa.int8(), nullable=False),
            pa.field("language", pa.string(), nullable=False),
        ]
    )
    table = map_arrow_file(documents).select(["text", "language", EMBEDDING, "file", "position"])
    with writing(out) as stream, pa.ipc.new_file(stream, schema) as writer:
        for batch in table.to_batches(max_chunksize=BATCH):
            texts, languages = batch["text"].to_pylist(), [code or "und" for code in batch["language"].to_pylist()]
            if isinstance(encoder, ColumnEncoder):
                found = embeddings_of_column(batch[EMBEDDING], encoder.dimensions, partial(_record, batch))
            else:
                found = encoder.encode(texts, languages)
            vectors = pa.FixedSizeListArray.from_arrays(
                pa.array(to_fixed_point(found.vectors).ravel()), type=schema.field("vector").type
            )
            keys = [language_key(code, text) for code, text in zip(languages, texts, strict=True)]
            columns = [vectors, pa.array(found.reading, pa.int8()), pa.array(keys, pa.string())]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return int(table.num_rows)


def _record(batch: pa.RecordBatch, row: int) -> str:
    return f"record {batch['position'][row].as_py()} of {batch['file'][row].as_py()}"


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of n documents, where they lie.

    Attributes:
        paths: files of `embed_partition`, in the order of the partitions.
        partition, row: (n,) place of each document.
        encoder: the encoder that made them.
    """

    paths: Sequence[Path]
    partition: NDArray[np.int64]
    row: NDArray[np.int64]
    encoder: Encoder

    @cached_property
    def _tables(self) -> list[pa.Table]:
        return [map_arrow_file(path) for path in self.paths]

    @cached_property
    def reading(self) -> NDArray[np.int8]:
        """(n,) what became of each document."""
        readings: NDArray[np.int8] = self._column("reading").to_numpy().astype(np.int8)
        return readings

    @property
    def languages(self) -> list[str]:
        """Language key of each document."""
        keys: list[str] = self._column("language").to_pylist()
        return keys

    def _column(self, name: str) -> pa.ChunkedArray:
        starts = np.concatenate([[0], np.cumsum([len(table) for table in self._tables])])
        chunks = [chunk for table in self._tables for chunk in table[name].chunks]
        whole = pa.chunked_array(chunks, self._tables[0].schema.field(name).type)
        return whole.take(pa.array(starts[self.partition] + self.row))

    def take(self, documents: NDArray[np.int64]) -> NDArray[np.int16]:
        """(len(documents), dimensions) their vectors, in fixed point."""
        result = np.zeros((len(documents), self.encoder.dimensions), np.int16)
        for number in np.unique(self.partition[documents]):
            at = np.flatnonzero(self.partition[documents] == number)
            found = self._tables[number]["vector"].take(pa.array(self.row[documents[at]])).combine_chunks()
            result[at] = found.flatten().to_numpy().reshape(len(at), -1)
        return result

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int16]]]:
        """Document numbers and their vectors, block by block."""
        for start in range(0, len(self.row), BLOCK):
            documents = np.arange(start, min(start + BLOCK, len(self.row)))
            yield documents, self.take(documents)
