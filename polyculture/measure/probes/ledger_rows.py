"""Rows of the ledger: which probes are drawn of a stage, what they stand for, and their counts as a table."""

from dataclasses import replace
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.corpus.corpus import Corpus
from polyculture.measure.probes.heavy import HEAVY_FRACTION, Documents, HeavyCounts
from polyculture.measure.probes.ledger_file import row_lists
from polyculture.measure.probes.probes import StageCopies, choose_probes, choose_weighted_probes
from schemas.ledger import HEAVY_SCHEMA, LEDGER_SCHEMA, Population, Weighting
from schemas.measures import Lens, Stage

Chosen = dict[Weighting, NDArray[np.int64]]  # document numbers of the probes of each weighting


def where(stage: StageCopies, applies: NDArray[np.bool_] | None) -> StageCopies:
    """The stage, of the documents that a lens says something about."""
    return stage if applies is None else replace(stage, copies=np.where(applies, stage.copies, 0))


def documents_of(corpus: Corpus, stage: StageCopies) -> Documents:
    """The documents that are counted at a stage."""
    return Documents(corpus.source, stage.copies, corpus.tokens, corpus.id_hash, len(corpus.sources))


def heavy_above(stage: StageCopies) -> float:
    """Documents above which a species is heavy."""
    return HEAVY_FRACTION * int(stage.copies.sum()) if stage.heavy_above is None else stage.heavy_above


def population_of(corpus: Corpus, lens: Lens, stage: StageCopies, has_species: bool) -> Population:
    """The population that a lens measures at a stage."""
    documents = documents_of(corpus, stage)
    counts = documents.totals(Weighting.DOCUMENTS)
    above = heavy_above(stage) if has_species else None
    return Population(
        stage=Stage(stage.name),
        lens=lens,
        documents=counts.tolist(),
        tokens=documents.totals(Weighting.TOKENS).tolist(),
        heavy_above=above,
    )


class Drawable(Protocol):
    """Documents that probes are drawn from: a corpus, or columns of a part of one."""

    @property
    def source(self) -> NDArray[np.int64]:
        """(n,) source number of each document."""
        ...

    @property
    def tokens(self) -> NDArray[np.int64]:
        """(n,) tokens of each document."""
        ...

    @property
    def id_hash(self) -> NDArray[np.uint64]:
        """(n,) hash of each document_id."""
        ...


def choose(among: Drawable, stage: StageCopies, probes: int, seed: int) -> Chosen:
    """The probes of each weighting."""
    probes = probes if stage.probes is None else stage.probes
    by_tokens = choose_weighted_probes(stage.copies * among.tokens, among.source, among.id_hash, probes, seed)
    return {
        Weighting.DOCUMENTS: choose_probes(stage, among.source, among.id_hash, probes, seed),
        Weighting.TOKENS: by_tokens,
    }


def ledger_rows(
    corpus: Corpus,
    what: tuple[str, Lens, Weighting],
    rows: NDArray[np.int64],
    multiplicity: NDArray[np.int64],
    is_crowded: bool = False,
) -> pa.Table:
    """LEDGER rows of the probes of one stage, lens, weighting and stratum."""
    columns = [pa.repeat(pa.scalar(str(value), pa.string()), len(rows)) for value in what]
    columns += [
        pa.array(corpus.sources, pa.string()).take(pa.array(corpus.source[rows])),
        corpus.index["document_id"].take(pa.array(rows)).combine_chunks().cast(pa.string()),
        pa.array(corpus.tokens[rows], pa.int64()),
        pa.array(np.full(len(rows), is_crowded)),
        row_lists(multiplicity),
    ]
    return pa.Table.from_arrays(columns, schema=LEDGER_SCHEMA)


def heavy_rows(corpus: Corpus, stage: str, lens: Lens, found: HeavyCounts) -> pa.Table:
    """HEAVY rows of one stage and lens."""
    columns = [pa.array([value] * len(found.species), pa.string()) for value in (stage, lens.value)]
    columns += [
        pa.array(corpus.document_ids(found.example), pa.string()),
        row_lists(found.documents),
        row_lists(found.tokens),
    ]
    return pa.Table.from_arrays(columns, schema=HEAVY_SCHEMA)
