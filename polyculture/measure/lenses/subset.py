"""Diversity of some chosen documents, counted whole: what a trial run has seen, or what a pilot holds."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.measure.lenses.lens import EmbeddingLens, LensSettings, NeighbourIndex, PartitionLens
from polyculture.measure.lenses.lenses import LENSES, Indexes, build_indexes
from polyculture.measure.probes.estimators import Scope, Stratum
from polyculture.measure.probes.heavy import Documents
from polyculture.measure.probes.multiplicity import GroupCounts, count_groups, exact_multiplicities
from polyculture.signals.attributes import values_of
from polyculture.storage.hashing import Stream, id_hash, seeded_hash
from polyculture.text.canonical import canonical_text
from polyculture.text.exact import exact_keys
from polyculture.text.shingles import ShingleSets, shingle_sets
from schemas.documents import Kind
from schemas.measures import Lens

MOST_WHOLE = 200_000  # documents whose neighbours are all counted; of more, so many are probed
_BLOCK = 4096  # documents joined at once: bounds the pairs that are held, 16 bytes each
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Subset:
    """Chosen documents of a corpus.

    Attributes:
        table: DOCUMENT rows, each document once; `document_id`, `text`, `source`, `kind`, `tokens` and `seed` are read.
        copies: (n,) how often each occurs, 1 or more.
        sources: names that `source` may hold, in the order of source numbers.
    """

    table: pa.Table
    copies: Numbers
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def documents(self) -> Documents:
        """The documents that are counted."""
        number = {name: i for i, name in enumerate(self.sources)}
        return Documents(
            source=np.array([number[name] for name in self.table["source"].to_pylist()], np.int64),
            copies=self.copies,
            tokens=self.table["tokens"].to_numpy().astype(np.int64),
            id_hash=np.array([id_hash(name) for name in self.table["document_id"].to_pylist()], np.uint64),
            sources=len(self.sources),
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """Multiplicities of documents through one lens.

    Attributes:
        rows: (p,) the documents that were counted; all that the lens says something about, if `is_whole`.
        multiplicity: (p, sources) occurrences of every source in each one's species, itself included.
        documents: (sources,) occurrences that the lens says something about.
        is_whole: whether every document was counted, so that nothing is estimated.
    """

    rows: Numbers
    multiplicity: NDArray[np.int64]
    documents: Numbers
    is_whole: bool


@dataclass(frozen=True)
class SubsetMaterial:
    """The documents of a subset, as lenses look at them: everything is worked out from the texts, here and now.

    Attributes:
        table: n documents, as of a subset.
        settings: what does not come from the documents.
    """

    table: pa.Table
    settings: LensSettings

    @cached_property
    def _canonical(self) -> list[str]:
        return [canonical_text(text) for text in self.table["text"].to_pylist()]

    @cached_property
    def _grouped(self) -> tuple[Numbers, Numbers]:
        return _groups(exact_keys(self.table["text"].to_pylist(), self._canonical))

    @property
    def groups(self) -> Numbers:
        """(n,) groups of equal canonical text, dense from 0."""
        return self._grouped[0]

    @property
    def is_synthetic(self) -> NDArray[np.bool_]:
        """(n,) whether each is of a synthetic source."""
        return np.array([kind == Kind.SYNTHETIC.value for kind in self.table["kind"].to_pylist()], np.bool_)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of the documents themselves."""
        return self.table[name]

    def attribute(self, signal: str, column: str) -> NDArray[Any]:
        """Values that a signal has for every document."""
        return values_of(signal, self.table)[column]

    @property
    def shingles(self) -> ShingleSets:
        """Shingle sets of the groups; 8 bytes of memory a word."""
        leaders = [self._canonical[row] for row in self._grouped[1]]
        return shingle_sets(pa.array(leaders, pa.large_string()))


def index_subset(subset: Subset, threshold: float, seed: int, threads: int = 1) -> Indexes:
    """Build what the lenses count in, for the subset alone.

    Args:
        subset: n documents.
        threshold: least Jaccard similarity of neighbours.
        seed: of the signatures.
        threads: how many share a join.

    Returns:
        The indexes. About 50 microseconds a document of 1.5 KB; the shingles take 8 bytes of memory a word.
    """
    return build_indexes(SubsetMaterial(subset.table, LensSettings(threshold, seed, threads)))


def _groups(keys: list[bytes]) -> tuple[Numbers, Numbers]:
    """(n,) groups of equal keys, dense from 0 in order of appearance, and (groups,) the first row of each."""
    frame = pl.DataFrame({"key": pl.Series(keys, dtype=pl.Binary)}).with_row_index("row")
    first = frame.select(pl.col("row").first().over("key"))["row"].to_numpy().astype(np.int64)
    is_first = first == np.arange(len(first))
    groups = (np.cumsum(is_first) - 1)[first]
    return groups.astype(np.int64), np.flatnonzero(is_first)


def count_documents(
    documents: Documents, indexes: Indexes, lens: Lens, seed: int = 0, most_whole: int = MOST_WHOLE
) -> Counted | None:
    """Count the species of every document through one lens.

    Args:
        documents: n documents.
        indexes: of the same documents in the same order.
        lens: which.
        seed: of the choice of documents, where not all are counted.
        most_whole: of a neighbourhood lens, so many documents are counted at most.

    Returns:
        The counts, or None if the lens says nothing about any document, or needs embeddings. A partition lens is one
        pass; neighbours cost about 20 microseconds a document, and one more for each pair that is verified.
    """
    definition = LENSES[lens]
    if isinstance(definition, EmbeddingLens):
        return None  # a subset is not embedded
    if isinstance(definition, PartitionLens):
        index = indexes.species(lens)
        species, applies, rows = index.species, index.applies, np.flatnonzero(index.applies)
        counts = _counted(species, documents, np.where(applies, documents.copies, 0))
        multiplicity = exact_multiplicities(species[rows], counts)[:, :, 0]
    else:
        applies = np.ones(len(documents.source), np.bool_)
        rows = _probed(documents, seed, most_whole)
        counts = _counted(indexes.groups, documents, documents.copies)
        multiplicity = _neighbours(indexes.neighbours(lens), indexes.groups[rows], counts)
    if len(rows) == 0:
        return None
    of_each = np.bincount(documents.source, np.where(applies, documents.copies, 0), documents.sources)
    return Counted(rows, multiplicity, of_each.astype(np.int64), len(rows) == int(applies.sum()))


def _counted(species: Numbers, documents: Documents, copies: Numbers) -> GroupCounts:
    return count_groups(species, documents.source, copies[:, None], documents.sources)


def _probed(documents: Documents, seed: int, most: int) -> Numbers:
    """The documents whose neighbours are counted: all, or those with the smallest seeded hashes."""
    if len(documents.source) <= most:
        return np.arange(len(documents.source))
    order = np.argsort(seeded_hash(documents.id_hash, seed, Stream.SUBSET), kind="stable")
    return np.sort(order[:most])


def _neighbours(index: NeighbourIndex, groups: Numbers, counts: GroupCounts) -> NDArray[np.int64]:
    """Neighbourhoods of documents, block by block; documents of equal text are counted once."""
    unique, inverse = np.unique(groups, return_inverse=True)
    blocks = [
        index.join(unique[start : start + _BLOCK], counts).multiplicity[:, :, 0]
        for start in range(0, len(unique), _BLOCK)
    ]
    empty = np.empty((0, counts.sources), np.int64)
    found: NDArray[np.int64] = np.concatenate([empty, *blocks])[inverse]
    return found


def counted_scope(documents: Documents, counted: Counted, members: list[int]) -> Scope | None:
    """The occurrences of some sources, with their multiplicities among these sources: what metrics are made of.

    Every occurrence is a probe, so that documents that are counted whole have numbers without an interval.

    Returns:
        The scope, or None if no document of these sources was counted.
    """
    source = documents.source[counted.rows]
    chosen = np.isin(source, members)
    if not chosen.any():
        return None
    within = counted.multiplicity[chosen][:, members].sum(axis=1)
    each = np.repeat(within, documents.copies[counted.rows][chosen])
    return Scope.of_light([Stratum.of_light(each, int(counted.documents[members].sum()))])
