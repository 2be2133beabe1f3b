"""Small corpora on disk with embeddings, and repetition measured in plain Python."""

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus, build_index
from polyculture.corpus.ingest import PARTITION_SCHEMA
from polyculture.encoders.embeddings import Embeddings
from polyculture.encoders.encoder import EncodingStatus, to_fixed_point
from polyculture.measure.lenses.subset import Subset, index_subset
from polyculture.measure.probes.probes import StageCopies
from polyculture.measure.repetition.multiplicities import Looked
from polyculture.measure.repetition.repetition import Read, Subject
from polyculture.storage.files import write_arrow_file
from polyculture.text.canonical import canonical_text
from polyculture.text.word_sequences import word_sequences
from schemas.config import CurationConfig
from schemas.documents import Kind
from tests.unit.measure.vectors.corpora import NoEncoder

DIMENSIONS = 8


@dataclass(frozen=True)
class Text:
    """A document: what it says, and the direction of its embedding; 0 for none."""

    source: str
    text: str
    angle: float = 0.0
    name: str | None = None


def vector(angle: float) -> NDArray[np.float32]:
    """A unit vector: the whole part of an angle chooses a plane, its fraction a direction in it."""
    found = np.zeros(DIMENSIONS, np.float32)
    if angle:
        plane = 2 * (int(angle) % (DIMENSIONS // 2))
        found[plane], found[plane + 1] = math.cos(angle % 1), math.sin(angle % 1)
    return found


def configured(kinds: dict[str, Kind], probes: int = 40, seed: int = 3) -> CurationConfig:
    sources: list[dict[str, object]] = [
        {"name": name, "kind": kind.value, "paths": ["x"]} for name, kind in kinds.items()
    ]
    semantic = {"encoder": "column", "model": "made", "dimensions": DIMENSIONS, "probes": probes}
    sources[0]["fields"] = {"embedding": "vector"}
    return CurationConfig.model_validate(
        {"name": "made", "seed": seed, "sources": sources, "measure": {"semantic": semantic}}
    )


def subject_of(folder: Path, kinds: dict[str, Kind], texts: Sequence[Text], parts: int = 1) -> Subject:
    """The documents in so many partitions a source, all distinct, through every lens."""
    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(sorted(kinds))
    paths, of_source, embedded = [], [], []
    for number, name in enumerate(names):
        mine = [(i, text) for i, text in enumerate(texts) if text.source == name]
        for part in range(parts):
            rows = mine[part::parts]
            if rows:
                paths.append(folder / f"{name}-{part}.arrow")
                of_source.append(number)
                write_arrow_file(paths[-1], _documents(rows))
                embedded.append(folder / f"{name}-{part}.vectors.arrow")
                write_arrow_file(embedded[-1], _vectors([text for _, text in rows]))
    index = build_index(list(zip(of_source, paths, strict=True))).index
    corpus = Corpus(index.combine_chunks(), tuple(paths), names, tuple(kinds[name] for name in names))
    embeddings = Embeddings(
        embedded, corpus.column("partition").astype(np.int64), corpus.column("row").astype(np.int64),
        NoEncoder(DIMENSIONS),
    )  # fmt: skip
    table = corpus.take(np.arange(len(corpus)), ["document_id", "text", "tokens", "seed"])
    table = table.append_column("source", pa.array([names[n] for n in corpus.source]))
    table = table.append_column("kind", pa.array([kinds[names[n]].value for n in corpus.source]))
    indexes = index_subset(Subset(table, np.ones(len(corpus), np.int64), names), 0.8, seed=5)
    stage = StageCopies("input", np.ones(len(corpus), np.int64))
    is_measured = embeddings.reading == EncodingStatus.MEASURED
    looked = Looked(indexes, np.arange(len(corpus)))
    return Subject(corpus, stage, looked, Read(embeddings, is_measured))


def _documents(rows: Sequence[tuple[int, Text]]) -> pa.Table:
    canonical = [canonical_text(text.text) for _, text in rows]
    known = {
        "document_id": [text.name or f"{text.source}:{i}" for i, text in rows],
        "text": [text.text for _, text in rows],
        "canonical": canonical,
        "characters": [len(text) for text in canonical],
        "text_bytes": [len(text.text.encode()) for _, text in rows],
        "tokens": [len(text.text.split()) for _, text in rows],
        "key": [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in canonical],
        "has_own_id": [True] * len(rows),
        "position": list(range(len(rows))),
        "byte_offset": [0] * len(rows),
        "file": ["f"] * len(rows),
        "file_sha256": ["0"] * len(rows),
        "record_sha256": ["0"] * len(rows),
    }
    columns = []
    for field in PARTITION_SCHEMA:
        values = known.get(field.name)
        columns.append(pa.nulls(len(rows), field.type) if values is None else pa.array(values, field.type))
    fields = [pa.field(field.name, field.type) for field in PARTITION_SCHEMA]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _vectors(texts: Sequence[Text]) -> pa.Table:
    vectors = to_fixed_point(np.array([vector(text.angle) for text in texts]))
    reading = [EncodingStatus.MEASURED if text.angle else EncodingStatus.NOT_COVERED for text in texts]
    return pa.table(
        {
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSIONS),
            "reading": pa.array(reading, pa.int8()),
            "language": pa.array(["en"] * len(texts)),
        }
    )


@cache
def words_of(text: str) -> tuple[int, ...]:
    """Hashes of the words of a text."""
    return tuple(word_sequences(pa.array([text], pa.large_string())).hashes.tolist())


@cache
def grams_of(text: str) -> frozenset[tuple[int, ...]]:
    """The passages of 20 words of a text."""
    words = words_of(text)
    return frozenset(words[at : at + 20] for at in range(len(words) - 19))


def plain_twins(texts: Sequence[Text], number: int) -> list[int]:
    """Numbers of the verified twins of a document, itself among them, counted pair by pair."""
    sets = [set(words_of(text.text)) for text in texts]
    slots: Counter[int] = Counter()
    different = {text.text for text in texts}
    for text in different:
        slots.update({word >> 42 for word in set(words_of(text))})

    def weight(word: int) -> int:
        return round((math.log((len(different) + 1) / (slots[word >> 42] + 1)) + 0.01) * 2**16)

    def is_twin(other: int) -> bool:
        if other == number:
            return True
        if not texts[other].angle:
            return False
        cosine = float(vector(texts[number].angle).astype(float) @ vector(texts[other].angle).astype(float))
        common = sum(weight(word) for word in sets[number] & sets[other])
        union = sum(weight(word) for word in sets[number] | sets[other])
        return cosine >= 0.9 and union > 0 and 10 * common >= 3 * union

    return [other for other in range(len(texts)) if is_twin(other)]


def plain_shared(texts: Sequence[Text], number: int, least: int, sources: Collection[str] = ()) -> int:
    """Words of a document in passages of 20 words that so many documents hold, of some sources or of all."""
    words = words_of(texts[number].text)
    covered: set[int] = set()
    for at in range(len(words) - 19):
        others = (text for text in texts if not sources or text.source in sources)
        if sum(words[at : at + 20] in grams_of(text.text) for text in others) >= least:
            covered |= set(range(at, at + 20))
    return len(covered)
