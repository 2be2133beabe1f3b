"""Candidates that a run already holds: those with an exact or near twin among its shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.deduplication.engine import KnownDocuments, Sketched, find_near_duplicates, sketch_documents
from polyculture.deduplication.index import find_settled, index_scheme, write_part
from polyculture.deduplication.search import Workplace
from polyculture.storage.files import map_arrow_file
from polyculture.text.texts import Texts, map_texts
from schemas.dedupe_config import NearConfig


@dataclass(frozen=True, slots=True)
class Known:
    """Findings of a run about n candidates.

    Attributes:
        twin: (n,) row of `ids` of a twin that the run holds, -1 if it holds none.
        similarity: (n,) Jaccard similarity to it; 1 for equal texts, 0 without a twin.
        ids: document_ids of the run's twins.
    """

    twin: NDArray[np.int64]
    similarity: NDArray[np.float64]
    ids: list[str]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(n,) whether the run holds a twin."""
        known: NDArray[np.bool_] = self.twin >= 0
        return known


def index_run(partitions: Sequence[Path], index: Path, near: NearConfig, seed: int, workplace: Workplace) -> None:
    """Put all documents of a run's partitions into a lasting index.

    Args:
        partitions: Arrow files of documents with their canonical texts.
        index: its folder.
        near: banding.
        seed: signature seed.
        workplace: folder and threads of the work.

    Raises:
        ConfigError: the index is there already and has another scheme.
    """
    sketched = sketch_documents(map_texts(partitions, "canonical"), near, seed, workplace)
    tables = [map_arrow_file(path).select(["document_id", "file", "position", "text"]) for path in partitions]
    identity = pa.concat_tables(tables).rename_columns(["id", "file", "position", "text"])
    write_part(index, index_scheme(near, seed), sketched, identity, np.ones(len(sketched), np.bool_))
    sketched.discard()


def find_known(texts: Texts, index: Path, near: NearConfig, seed: int, workplace: Workplace) -> Known:
    """Compare candidates with everything that a run holds.

    Args:
        texts: canonical texts of n candidates.
        index: index of the run.
        near: threshold, and the banding that the index was made with.
        seed: signature seed.
        workplace: folder and threads of the work.

    Returns:
        The twins, each verified on its text.

    Raises:
        ConfigError: the index has another scheme, or is damaged.
    """
    sketched = sketch_documents(texts, near, seed, workplace)
    settled = find_settled([index], index_scheme(near, seed), sketched)
    count = len(sketched)
    preference = np.concatenate([count + np.arange(len(settled.sketched)), np.arange(count)])
    found = find_near_duplicates(sketched, preference, near.threshold, workplace, settled)
    sketched.discard()
    kept = found.kept[:count]
    twin = np.where(kept >= count, kept - count, _of_equal_text(sketched, settled))
    similarity = np.where(kept >= count, found.similarity[:count], np.where(twin >= 0, 1.0, 0.0))
    return Known(twin, similarity, settled.identity["id"].to_pylist())


def _of_equal_text(sketched: Sketched, settled: KnownDocuments) -> NDArray[np.int64]:
    """(n,) a settled document of equal text, else -1: what finds texts without words, which have no near-duplicate."""
    wanted = {(left, right): row for row, (left, right) in enumerate(settled.sketched.keys.tolist())}
    at = np.full(len(sketched), -1, np.int64)
    for row in np.flatnonzero(~sketched.has_words).tolist():
        at[row] = wanted.get(tuple(sketched.keys[row].tolist()), -1)
    return at
