"""The removal rule: which documents leave the corpus, and which stays in place of each."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.deduplication.engine import Sketched, find_near_duplicates, sketch_documents
from polyculture.deduplication.heads import Beginning, find_heads, spared, stored_behind, texts_behind
from polyculture.deduplication.search import NearDuplicates, Workplace
from polyculture.storage.files import map_arrow_file, write_arrow_file
from polyculture.text.layout import layouts
from polyculture.text.texts import as_texts
from schemas.dedupe_config import Action, DedupeConfig
from schemas.removed import REMOVED_SCHEMA

KEPT, EXACT, NEAR = 0, 1, 2
REASONS = {EXACT: "exact", NEAR: "near"}


@dataclass(frozen=True, slots=True)
class Removal:
    """The outcome for each of n documents.

    Attributes:
        reason: (n,) KEPT, EXACT or NEAR.
        kept: (n,) the representative; the document's own number if it is kept. A representative is always kept.
        similarity: (n,) similarity to the representative, 0..1.
        links: verified pairs, leader << 32 | document, of the leaders of groups of equal texts.
        cut_bytes: (n,) bytes of canonical text in front of what was compared: of the head, if it was left out.
        beginnings: what many groups of equal texts begin with.
    """

    reason: NDArray[np.int8]
    kept: NDArray[np.int64]
    similarity: NDArray[np.float64]
    links: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    cut_bytes: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    beginnings: tuple[Beginning, ...] = ()

    @property
    def is_kept(self) -> NDArray[np.bool_]:
        """(n,) whether the document stays."""
        kept: NDArray[np.bool_] = self.reason == KEPT
        return kept


def preference_order(corpus: Corpus, config: DedupeConfig) -> NDArray[np.int64]:
    """Document numbers, most preferred first: by kind, then more characters, then smaller document_id. Total."""
    kind_rank = np.array([config.survivors.index(kind) for kind in corpus.kinds])
    frame = pl.DataFrame(
        {
            "kind": kind_rank[corpus.source],
            "characters": corpus.column("characters"),
            "id": pl.from_arrow(corpus.index["document_id"]),
            "at": np.arange(len(corpus)),
        }
    )
    ordered = frame.sort(["kind", "characters", "id"], descending=[False, True, False])
    result: NDArray[np.int64] = ordered["at"].to_numpy()
    return result


def group_leaders(corpus: Corpus, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """(groups,) the most preferred document of each group of equal canonical texts."""
    leaders = np.empty(int(corpus.group.max()) + 1 if len(corpus) else 0, np.int64)
    backwards = order[::-1]
    leaders[corpus.group[backwards]] = backwards  # the last write wins: the most preferred
    return leaders


def remove_duplicates(corpus: Corpus, config: DedupeConfig, seed: int, workplace: Workplace) -> Removal:
    """Apply the exact and the near lens, each as its action says.

    A document is kept unless a verified, more preferred neighbour is kept; chains do not delete. Documents of equal
    canonical text have one shingle set, so the near lens sees each group once and its members follow the leader.

    Args:
        corpus: n documents.
        config: actions, threshold, banding and order of survivors.
        seed: signature seed.
        workplace: folder and threads of the near lens.

    Returns:
        The decision for each document.
    """
    order = preference_order(corpus, config)
    leaders = group_leaders(corpus, order)
    rank = np.empty(len(corpus), np.int64)
    rank[order] = np.arange(len(corpus))
    near: NearDuplicates | None = None
    has_words = np.zeros(len(leaders), np.bool_)
    texts = corpus.texts[leaders]
    heads = find_heads(texts, corpus.id_hash[leaders])
    cut = spared(texts, heads.size_bytes) if config.near.without_heads else np.zeros(len(leaders), np.int64)
    if config.near.action is Action.REMOVE:
        preferred = np.argsort(rank[leaders])
        sketched = sketch_documents(texts_behind(texts, cut), config.near, seed, workplace)
        sketched = replace(sketched, layout=_layouts(corpus, leaders, cut, sketched))
        has_words = sketched.has_words
        near = find_near_duplicates(sketched, preferred, config.near.threshold, workplace)
        sketched.discard()
    own = np.arange(len(corpus))
    leader = leaders[corpus.group]
    joins_leader = np.full(len(corpus), config.exact.action is Action.REMOVE)
    if near is not None:  # equal texts with words have equal shingle sets: similarity 1
        joins_leader |= has_words[corpus.group]
    kept_group = near.kept[corpus.group] if near is not None else corpus.group
    follows = (kept_group != corpus.group) | (joins_leader & (own != leader))
    kept = np.where(follows, leaders[kept_group], own)
    is_exact = follows & (kept_group == corpus.group) & (config.exact.action is Action.REMOVE)
    reason = np.where(follows, np.where(is_exact, EXACT, NEAR), KEPT).astype(np.int8)
    similarity = near.similarity[corpus.group] if near is not None else 1.0
    links = near.links if near is not None else np.empty(0, np.uint64)
    left, right = (leaders[(links >> np.uint64(32 * side)) & np.uint64(0xFFFFFFFF)] for side in (1, 0))
    pairs = left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64)
    return Removal(reason, kept, np.where(follows, similarity, 1.0), pairs, cut[corpus.group], heads.beginnings)


def _layouts(
    corpus: Corpus, leaders: NDArray[np.int64], cut: NDArray[np.int64], sketched: Sketched
) -> NDArray[np.uint64]:
    """(groups,) what parts groups whose compared texts are equal.

    Whole texts that are equal differ in their layout, which canonical texts do not show. Where a head is left out, it
    is the layout of what follows.
    """
    layout = np.arange(len(leaders), dtype=np.uint64)
    if not cut.any():
        return layout
    frame = pl.DataFrame({"left": sketched.keys[:, 0], "right": sketched.keys[:, 1], "is_cut": cut > 0})
    equal = (pl.len() > 1) & pl.col("is_cut").any()
    for number in np.flatnonzero(frame.select(equal.over("left", "right")).to_series().to_numpy()):
        table = corpus.take(leaders[[number]], ["text"])
        rest = sketched.texts.decode(int(number))
        text = table["text"][0].as_py()
        own = stored_behind(text, rest) if cut[number] else text
        layout[number] = layouts(as_texts(pa.array([own], pa.large_string())))[0]
    return layout


def removed_rows(corpus: Corpus, removal: Removal) -> pa.Table:
    """REMOVED rows, in index order."""
    gone = np.flatnonzero(~removal.is_kept)
    kept = removal.kept[gone]
    names = np.array(corpus.sources, dtype=object)
    columns = {
        "document_id": corpus.document_ids(gone),
        "source": names[corpus.source[gone]],
        "reason": [REASONS[int(reason)] for reason in removal.reason[gone]],
        "kept_id": corpus.document_ids(kept),
        "kept_source": names[corpus.source[kept]],
        "similarity": removal.similarity[gone],
        "text_tokens": corpus.tokens[gone],
    }
    return pa.Table.from_arrays(
        [pa.array(columns[field.name], field.type) for field in REMOVED_SCHEMA], schema=REMOVED_SCHEMA
    )


def write_removal(removal: Removal, path: Path) -> None:
    """Write what became of each document, without the links."""
    table = pa.table({"reason": removal.reason, "kept": removal.kept, "similarity": removal.similarity})
    write_arrow_file(path, table)


def read_removal(path: Path) -> Removal:
    """The decision for each document, as it was written."""
    table = map_arrow_file(path).combine_chunks()
    reason, kept, similarity = (np.array(table[name].to_numpy()) for name in ("reason", "kept", "similarity"))
    return Removal(reason, kept, similarity)
