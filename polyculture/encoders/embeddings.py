"""Embeddings of a corpus: one Arrow file for each partition, mapped, in fixed point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.encoders.column import ColumnEncoder, embeddings_of_column
from polyculture.encoders.encoder import Encoded, Encoder, EncodingStatus, to_fixed_point
from polyculture.encoders.languages import KINDS_OF_TEXT, language_key
from polyculture.storage.files import map_arrow_file
from polyculture.text.language import UNKNOWN, Why
from schemas.documents import EMBEDDING
from schemas.measure_config import SemanticConfig

BLOCK = 16_384


def make_encoder(config: SemanticConfig, path: Path | None) -> Encoder:
    """The encoder that a configuration names; `path` is its own, resolved."""
    from polyculture.encoders.encoders import ENCODERS  # noqa: PLC0415 -- most configurations name none

    return ENCODERS[config.encoder](path, config)


class Embedder:
    """Embeddings of documents, and what was read of them.

    `vector` in fixed point, `reading`, the share that was `read`, the key of their `language`, and whether the record
    `disagrees` with it. Language is that of the text; what the record says of it is compared, and decides nothing.
    """

    def __init__(self, encoder: Encoder) -> None:
        """Embed with an encoder: 2 bytes a document and dimension."""
        self._encoder = encoder

    @property
    def schema(self) -> pa.Schema:
        """Columns of the attributes."""
        return pa.schema(
            [
                pa.field("vector", pa.list_(pa.int16(), self._encoder.dimensions), nullable=False),
                pa.field("reading", pa.int8(), nullable=False),
                pa.field("read", pa.float32(), nullable=False),
                pa.field("language", pa.string(), nullable=False),
                pa.field("disagrees", pa.bool_(), nullable=False),
            ]
        )

    def __call__(self, rows: pa.RecordBatch) -> list[pa.Array]:
        """Embed documents; about 2 million characters a second and core with the embedded encoder.

        Args:
            rows: `text`, `language` as the record has it, and what is `identified` and how that was `told`; with
                precomputed embeddings also those, `file` and `position`.
        """
        texts, codes = rows["text"].to_pylist(), rows["identified"].to_pylist()
        if isinstance(self._encoder, ColumnEncoder):
            found = embeddings_of_column(rows[EMBEDDING], self._encoder.dimensions, partial(_record, rows))
        else:
            found = self._read(texts, codes, rows["told"].to_pylist())
        vectors = pa.FixedSizeListArray.from_arrays(
            pa.array(to_fixed_point(found.vectors).ravel()), type=self.schema.field("vector").type
        )
        keys = [language_key(code, text) for code, text in zip(codes, texts, strict=True)]
        disagrees = [_disagrees(*row) for row in zip(rows["language"].to_pylist(), codes, keys, texts, strict=True)]
        return [
            vectors,
            pa.array(found.reading, pa.int8()),
            pa.array(found.read, pa.float32()),
            pa.array(keys, pa.string()),
            pa.array(disagrees, pa.bool_()),
        ]

    def _read(self, texts: Sequence[str], codes: Sequence[str], told: Sequence[str]) -> Encoded:
        """Encode the texts whose language is known."""
        reading = np.array([_UNREAD.get(Why(why), EncodingStatus.MEASURED) for why in told], np.int8)
        known = np.flatnonzero(reading == EncodingStatus.MEASURED).tolist()
        encoded = self._encoder.encode([texts[row] for row in known], [codes[row] for row in known])
        vectors, read = np.zeros((len(texts), self._encoder.dimensions), np.float32), np.zeros(len(texts), np.float32)
        vectors[known], reading[known], read[known] = encoded.vectors, encoded.reading, encoded.read
        return Encoded(vectors, reading, read)


_UNREAD = {
    Why.NO_LETTERS: EncodingStatus.EMPTY,
    Why.UNKNOWN: EncodingStatus.UNKNOWN,
    Why.DISAGREE: EncodingStatus.DISAGREE,
}


def _disagrees(record: str | None, code: str, key: str, text: str) -> bool:
    """True if the record names a language, and the text is known to be in another."""
    if record in {None, "", UNKNOWN} or code in {UNKNOWN, *KINDS_OF_TEXT}:
        return False
    return language_key(str(record), text) != key


def _record(batch: pa.RecordBatch, row: int) -> str:
    return f"record {batch['position'][row].as_py()} of {batch['file'][row].as_py()}"


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of n documents, where they lie.

    Attributes:
        paths: attributes of the signal `embedding`, in the order of the partitions.
        partition, row: (n,) where each document lies.
        encoder: what made them.
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

    @cached_property
    def read(self) -> NDArray[np.float32]:
        """(n,) share of each document that was read, 0..1; 0 where nothing was measured."""
        shares: NDArray[np.float32] = self._column("read").to_numpy().astype(np.float32)
        return shares

    @property
    def disagrees(self) -> NDArray[np.bool_]:
        """(n,) whether the record names another language than the text is in."""
        flags: NDArray[np.bool_] = np.asarray(self._column("disagrees")).astype(np.bool_)
        return flags

    @cached_property
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
