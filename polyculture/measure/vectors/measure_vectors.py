"""Measure embeddings at full scale: moments, what probes meet, the reference's split, and what a trial would show."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.compute.executor import Executor, in_groups, run_worthwhile
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.encoders.encoder import ONE, from_fixed_point
from polyculture.measure.probes.probes import StageCopies, choose_probes
from polyculture.measure.vectors.cells import cell_of
from polyculture.measure.vectors.coverage import LEAST_POINTS, Coverage, Covered, Points, ReferenceSplit
from polyculture.measure.vectors.curve import FRACTIONS, nested_samples
from polyculture.measure.vectors.moment_table import (
    BANDWIDTH,
    COSINE,
    FEATURES,
    FREQUENCIES,
    MomentTable,
    PartRows,
    measure_files,
    measure_moments,
    merge_moments,
)
from polyculture.measure.vectors.neighbours import Neighbours
from polyculture.measure.vectors.vector_ledger import VECTOR_PROBES_SCHEMA, VectorLedger, VectorProbes, vector_rows
from polyculture.measure.vectors.vendi import spectrum, vendi_score
from polyculture.storage.hashing import Stream, seeded_hash, unit_interval
from schemas.measures import Stage
from schemas.vectors import CoverageMeasured, ReferenceShare, SourceVectors, TrialScores, VectorsHeader

LEAST_DOCUMENTS = 20_000  # of a call
REFERENCE_DOCUMENTS = 2_000
NUMBERS_AT_ONCE = 2**23  # of outer products of probes: 64 MB


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of a corpus, and what is asked about them.

    Attributes:
        corpus: n documents.
        embeddings: embeddings of the documents.
        stages: occurrences at each stage; 0 for a document that is not measured.
        everything: the same with those documents.
        seed: of samples.
        executor: runs one call per file of embeddings, or for several small ones.
    """

    corpus: Corpus
    embeddings: Embeddings
    stages: Sequence[StageCopies]
    everything: Sequence[StageCopies]
    seed: int
    executor: Executor

    @property
    def copies(self) -> NDArray[np.int64]:
        """(n, stages)."""
        return np.stack([stage.copies for stage in self.stages], axis=1)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sources."""
        return self.corpus.sources

    def scopes(self, left_out: Sequence[int] = ()) -> dict[str, list[int]]:
        """Source numbers of all, of each kind and of each source, but for some sources."""
        kept = [number for number in range(len(self.names)) if number not in left_out]
        kinds = sorted({self.corpus.kinds[number] for number in kept})
        found = {"all": kept} | {k.value: [n for n in kept if self.corpus.kinds[n] is k] for k in kinds}
        return {name: members for name, members in found.items() if members} | {self.names[n]: [n] for n in kept}


@dataclass(frozen=True, slots=True)
class ProbeNeighbours:
    """The neighbours of the probes of all stages and weightings.

    Attributes:
        documents: document numbers of the probes, ascending, each once.
        neighbours: their neighbours, in this order.
        taus: taus of the neighbours.
    """

    documents: NDArray[np.int64]
    neighbours: Neighbours
    taus: Sequence[float]


def measure_vectors(
    vectors: Vectors,
    probed: Sequence[tuple[int, NDArray[np.int64]]],
    found: ProbeNeighbours,
    trial_fraction: float,
    reference: Sequence[str],
) -> VectorLedger:
    """Measure what the ledger holds of embeddings.

    Args:
        vectors: the corpus.
        probed: number of each stage, and the documents that are its probes.
        found: the neighbours of all probes.
        trial_fraction: fraction of the gate's trial.
        reference: names of the reference's sources.

    Returns:
        The evidence. Time O(documents * dimensions**2) beside that of the neighbours.
    """
    moments = _moments(vectors)
    tables = [_probe_rows(vectors, stage, rows, found, moments) for stage, rows in probed]
    split = _split(vectors, reference)
    header = VectorsHeader(
        names=list(vectors.names),
        stages=[Stage(stage.name) for stage in vectors.stages],
        taus=list(found.taus),
        fractions=list(FRACTIONS),
        bandwidth=BANDWIDTH,
        frequencies=FREQUENCIES,
        trial_fraction=trial_fraction,
        reference=list(reference),
        reference_cells=split.cells.tolist() if split else [],
        sources=_sources(vectors, split),
        coverage=list(_coverage(vectors, split, reference)) if split else [],
        trials=list(_trials(vectors, trial_fraction)),
    )
    return VectorLedger(header, moments, None, pa.concat_tables([VECTOR_PROBES_SCHEMA.empty_table(), *tables]))


def _moments(vectors: Vectors) -> MomentTable:
    """Second moments of every file of embeddings, each in a worker, added up."""
    embeddings, copies, parts = vectors.embeddings, vectors.copies, []
    edges = np.searchsorted(embeddings.partition, np.arange(len(embeddings.paths) + 1))  # ascending, as an index is
    for path, span in zip(embeddings.paths, itertools.pairwise(edges), strict=True):
        mine = slice(*span)
        parts.append(PartRows(path, embeddings.row[mine], vectors.corpus.source[mine], copies[mine]))
    groups = in_groups([len(part.row) for part in parts], LEAST_DOCUMENTS)
    calls = [(parts[first:end], vectors.names) for first, end in groups]
    return merge_moments(
        list(run_worthwhile(vectors.executor, measure_files, calls, is_small=len(vectors.corpus) < LEAST_DOCUMENTS))
    )


def _probe_rows(
    vectors: Vectors,
    stage: int,
    rows: NDArray[np.int64],
    found: ProbeNeighbours,
    moments: MomentTable,
) -> pa.Table:
    neighbours, place = found.neighbours, np.searchsorted(found.documents, rows)
    unique, inverse = np.unique(rows, return_inverse=True)
    means = kernel_means_of_sources(
        vectors.embeddings.take(unique), vectors.corpus.source[unique], stage, moments, vectors.names
    )
    probes = VectorProbes(
        means[inverse.ravel()],
        neighbours.pairs[place, :, :, :, stage].astype(np.int64),
        neighbours.nearest[place, :, :, stage],
    )
    sources = [vectors.names[number] for number in vectors.corpus.source[rows]]
    return vector_rows(vectors.stages[stage].name, sources, vectors.corpus.document_ids(rows), probes)


def kernel_means_of_sources(
    probes: NDArray[np.int16], source: NDArray[np.int64], stage: int, moments: MomentTable, names: Sequence[str]
) -> NDArray[np.float64]:
    """(probes, sources) mean of k**2 between each probe and the occurrences of each source, itself left out.

    With k = x'y the sum over y of k**2 is x'Mx, M the second moment: no pair is looked at. 0 for a source that has no
    other occurrence. Time O(probes * sources * width**2 / 2).
    """
    width = probes.shape[1]
    above = np.triu_indices(width)
    totals = np.zeros((len(above[0]), len(names)))
    sizes = np.zeros(len(names))
    for number, name in enumerate(names):
        moment = moments.moment(stage, [name], COSINE)
        if moment is not None:
            totals[:, number], sizes[number] = moment.sums[above] / float(ONE) ** 2, moment.documents
    totals[above[0] != above[1]] *= 2
    means = np.zeros((len(probes), len(names)))
    step = max(1, NUMBERS_AT_ONCE // len(above[0]))
    for start in range(0, len(probes), step):
        at = slice(start, start + step)
        x = probes[at].astype(np.float64) / ONE
        everyone = (x[:, above[0]] * x[:, above[1]]) @ totals
        is_own = source[at, None] == np.arange(len(names))
        own = np.where(is_own, (np.einsum("ij,ij->i", x, x) ** 2)[:, None], 0.0)
        others = np.maximum(sizes - is_own, 1.0)
        means[at] = np.maximum(everyone - own, 0.0) / others
    return means


def _sources(vectors: Vectors, split: ReferenceSplit | None) -> list[SourceVectors]:
    """Measure each source at each stage."""
    source, sources = vectors.corpus.source, len(vectors.names)
    sample = nested_samples(vectors.corpus.id_hash, vectors.seed)
    cell = _cells(vectors, split) if split else None
    found = []
    for stage, whole in zip(vectors.stages, vectors.everything, strict=True):
        there = stage.copies > 0
        sampled = np.zeros((sources, len(FRACTIONS)), np.int64)
        np.add.at(sampled, (source[there], sample[there]), 1)
        measured = np.bincount(source, stage.copies, sources).astype(np.int64)
        unmeasured = np.bincount(source, whole.copies, sources).astype(np.int64) - measured
        cells = np.zeros((sources, len(split.cells) if split else 0), np.int64)
        if cell is not None:
            np.add.at(cells, (source[there], cell[there]), stage.copies[there])
        for number, name in enumerate(vectors.names):
            if measured[number] + unmeasured[number]:
                found.append(
                    SourceVectors(
                        stage=Stage(stage.name),
                        source=name,
                        documents=int(measured[number]),
                        unmeasured=int(unmeasured[number]),
                        sampled=np.cumsum(sampled[number]).tolist(),
                        cells=cells[number].tolist(),
                    )
                )
    return found


def _cells(vectors: Vectors, split: ReferenceSplit) -> NDArray[np.int64]:
    """(n,) cell of the reference that each document lies in."""
    cell = np.zeros(len(vectors.corpus), np.int64)
    for documents, rows in vectors.embeddings.blocks():
        cell[documents] = cell_of(from_fixed_point(rows), split.centres)
    return cell


def _split(vectors: Vectors, reference: Sequence[str]) -> ReferenceSplit | None:
    """The reference's distinct documents in halves; None if there are too few."""
    members = [number for number, name in enumerate(vectors.names) if name in reference]
    stage = next((s for s in vectors.stages if s.name == Stage.DISTINCT.value), vectors.stages[0])
    mine = np.flatnonzero(np.isin(vectors.corpus.source, members) & (stage.copies > 0))
    if len(mine) < 2 * LEAST_POINTS:
        return None
    hashes = seeded_hash(vectors.corpus.id_hash[mine], vectors.seed, Stream.NESTED, 1)
    first = np.argsort(hashes, kind="stable")[:REFERENCE_DOCUMENTS]
    return ReferenceSplit(Points(vectors.embeddings.take(mine[first]), hashes[first]))


def _coverage(vectors: Vectors, split: ReferenceSplit, reference: Sequence[str]) -> Iterator[CoverageMeasured]:
    """Every scope that has documents enough, without the reference's."""
    left_out = [number for number, name in enumerate(vectors.names) if name in reference]
    done: dict[bytes, Coverage] = {}
    dense = split.density(_around(vectors, left_out), len(vectors.stages))
    for number, stage in enumerate(vectors.stages):
        for name, members in vectors.scopes(left_out).items():
            mine = np.isin(vectors.corpus.source, members)
            only = StageCopies(stage.name, np.where(mine, stage.copies, 0))
            one = np.zeros(len(mine), np.int64)
            drawn = choose_probes(only, one, vectors.corpus.id_hash, 8 * split.half, vectors.seed)
            rows = drawn[np.sort(np.unique(drawn, return_index=True)[1])][: split.half]
            if len(rows) < LEAST_POINTS:
                continue
            key = rows.tobytes()
            if key not in done:
                done[key] = split.coverage(Points(vectors.embeddings.take(rows), vectors.corpus.id_hash[rows]))
            yield CoverageMeasured(
                stage=Stage(stage.name),
                scope=name,
                points=done[key].points,
                coverage=_share(done[key].coverage),
                rare_cell_recall=_share(done[key].rare_cell_recall),
                density=_share(dense[number]) if name == "all" else None,
            )


def _around(vectors: Vectors, left_out: Sequence[int]) -> Iterator[tuple[NDArray[np.int16], NDArray[np.bool_]]]:
    """Blocks of all embeddings, and at which stages each document is there; the reference's are at none."""
    copies, is_left_out = vectors.copies, np.isin(vectors.corpus.source, left_out)
    for documents, rows in vectors.embeddings.blocks():
        yield rows, (copies[documents] > 0) & ~is_left_out[documents, None]


def _share(covered: Covered) -> ReferenceShare:
    return ReferenceShare(share=covered.share, ceiling=covered.ceiling, relative=covered.relative)


def _trials(vectors: Vectors, fraction: float) -> Iterator[TrialScores]:
    """Vendi scores of a trial's documents alone, of every scope."""
    place = unit_interval(seeded_hash(vectors.corpus.id_hash, vectors.seed, Stream.NESTED))
    chosen = np.flatnonzero((place < fraction) & vectors.copies.any(axis=1))
    if not len(chosen):
        return
    block = vectors.embeddings.take(chosen), vectors.corpus.source[chosen], vectors.copies[chosen]
    moments = measure_moments([block], vectors.names)
    for number, stage in enumerate(vectors.stages):
        for name, members in vectors.scopes().items():
            sources = [vectors.names[member] for member in members]
            found = [moments.moment(number, sources, column) for column in (COSINE, FEATURES)]
            scores = [vendi_score(spectrum(moment.density())) for moment in found if moment is not None]
            if len(scores) == 2 and found[0] is not None:
                yield TrialScores(
                    stage=Stage(stage.name),
                    scope=name,
                    documents=found[0].documents,
                    vendi_score=scores[0],
                    rbf_vendi_score=scores[1],
                )
