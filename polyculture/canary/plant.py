"""Plant the canary among the documents that are measured, and take its counts out of the ledger again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.canary.layout import HEAVY_ABOVE, NAME, PROBES, layout
from polyculture.canary.texts import document_key, records
from polyculture.corpus.corpus import INDEX_SCHEMA, Corpus, build_index
from polyculture.corpus.ingest import Partition, ingest_partition
from polyculture.errors import PolycultureError
from polyculture.measure.probes.probes import StageCopies
from polyculture.sources.record import InputFile
from polyculture.storage.files import write_text
from polyculture.storage.hashing import file_sha256
from schemas.documents import Kind
from schemas.ledger import Population
from schemas.measures import Stage
from schemas.source_config import LimitsConfig, SourceConfig

PLANTED_NAME = "~canary"  # among the real ones: no configuration can name a source so
PARTS = 2  # it is read as two partitions, which enclose the real ones
Measured = tuple[pa.Table, pa.Table, list[Population]]  # LEDGER rows, HEAVY rows, populations


def make_canary(folder: Path, seed: int, threshold: float) -> Corpus:
    """Write the canary's records to files, and read them as any source is read.

    Args:
        folder: folder for the files and partitions.
        seed: seed of its words and ids.
        threshold: threshold of the near lens.

    Returns:
        The canary as a corpus of its own; its tokens are its words, whatever the tokenizer. A second, about.

    Raises:
        PolycultureError: the files that were written cannot be read.
    """
    every = list(records(seed, threshold))
    source = SourceConfig(name=NAME, kind=Kind.SYNTHETIC, paths=("*",), language="und")
    paths = []
    for part in range(PARTS):
        path, mine = folder / f"part-{part}.jsonl", every[part::PARTS]
        write_text(path, "".join(json.dumps(record) + "\n" for record in mine))
        file = InputFile(path, path.name, file_sha256(path), path.stat().st_size)
        (account,), (documents, _) = ingest_partition(
            Partition(source, part, (file,)), LimitsConfig(), None, folder, seed
        )
        if account.is_changed or account.documents != len(mine):
            raise PolycultureError(f"{path} was written and cannot be read again; run the same command again")
        paths.append(documents)
    index = build_index([(0, path) for path in paths]).index
    words = {f"{NAME}:{document_key(seed, one.number)}": one.words for one in layout(threshold)}
    tokens = [words.get(name, 0) for name in index["document_id"].to_pylist()]
    return Corpus(_with(index, tokens=np.array(tokens, np.int64)), tuple(paths), (NAME,), (Kind.SYNTHETIC,))


def _with(index: pa.Table, **columns: NDArray[np.int64]) -> pa.Table:
    for name, values in columns.items():
        field = INDEX_SCHEMA.field(name)
        index = index.set_column(index.schema.get_field_index(name), field, pa.array(values).cast(field.type))
    return index


@dataclass(frozen=True)
class PlantedCorpus:
    """A corpus with the canary in it, as one source more.

    Attributes:
        corpus: half the canary, the real documents in their order, the other half. Their groups of equal texts are
            renumbered so that the canary's lie evenly among the real ones.
        is_canary: (documents,) whether each document belongs to the canary.
    """

    corpus: Corpus
    is_canary: NDArray[np.bool_]

    def stages(self, real: Sequence[StageCopies]) -> list[StageCopies]:
        """The stages of the real documents, which the canary is no part of, and one of the canary alone.

        So it changes neither their probes nor what they weigh nor what counts as heavy.
        """
        padded = []
        for stage in real:
            copies = np.zeros(len(self.is_canary), np.int64)
            copies[~self.is_canary] = stage.copies
            padded.append(replace(stage, copies=copies))
        mine = self.is_canary.astype(np.int64)
        return [*padded, StageCopies(Stage.INPUT.value, mine, probes=PROBES, heavy_above=float(HEAVY_ABOVE))]


def plant(corpus: Corpus, canary: Corpus) -> PlantedCorpus:
    """Put the canary among the documents of a corpus. O(documents); no text is read or copied."""
    real_group, own_group = _interleaved(corpus, canary)
    part = canary.column("partition").astype(np.int64)
    last = len(corpus.partitions) + 1
    own = _with(
        canary.index,
        source=np.full(len(canary), len(corpus.sources)),
        partition=np.where(part == 0, 0, part - 1 + last),
        group=own_group,
    )
    real = _with(corpus.index, partition=corpus.column("partition").astype(np.int64) + 1, group=real_group)
    first = int((part == 0).sum())
    planted = Corpus(
        pa.concat_tables([own.slice(0, first), real, own.slice(first)]).combine_chunks(),
        (canary.partitions[0], *corpus.partitions, *canary.partitions[1:]),
        (*corpus.sources, PLANTED_NAME),
        (*corpus.kinds, *canary.kinds),
    )
    is_canary = np.ones(len(planted), np.bool_)
    is_canary[first : first + len(corpus)] = False
    return PlantedCorpus(planted, is_canary)


def _interleaved(corpus: Corpus, canary: Corpus) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group numbers of the real documents and of the canary's, dense together, both in their order."""
    real, own = (int(part.group.max()) + 1 if len(part) else 0 for part in (corpus, canary))
    before = np.arange(own, dtype=np.int64) * (real + 1) // max(own, 1)  # real groups in front of each of the canary's
    shift = np.searchsorted(before, corpus.group, side="right")
    return corpus.group + shift, canary.group + before[canary.group]


def split_measured(measured: Measured) -> tuple[Measured, Measured]:
    """Split the measurements of a planted corpus: the real sources without the canary, and the canary alone."""
    rows, heavy, populations = measured
    of_canary = np.asarray(rows["source"].to_numpy(zero_copy_only=False) == PLANTED_NAME)
    width = len(populations[0].documents)
    counts = heavy["documents"].combine_chunks().flatten().to_numpy().reshape(-1, width)
    heavy_of_canary = counts[:, -1] > 0
    parts = []
    for own, is_row, is_heavy in ((False, ~of_canary, ~heavy_of_canary), (True, of_canary, heavy_of_canary)):
        kept = slice(width - 1, width) if own else slice(0, width - 1)
        mine = rows.filter(pa.array(is_row))
        if own:
            mine = mine.set_column(3, mine.schema.field("source"), pa.array([NAME] * len(mine), pa.string()))
        parts.append(
            (
                _cut(mine, ("multiplicity",), kept, width),
                _cut(heavy.filter(pa.array(is_heavy)), ("documents", "tokens"), kept, width),
                [_of_sources(one, kept) for one in populations if (one.documents[-1] > 0) is own],
            )
        )
    return parts[0], parts[1]


def _of_sources(population: Population, kept: slice) -> Population:
    """The population of some of its sources."""
    crowded = population.crowded
    if crowded is not None:
        cut = {name: getattr(crowded, name)[kept] for name in ("documents", "tokens", "is_whole", "scaled")}
        crowded = crowded.model_copy(update=cut)
    documents, tokens = population.documents[kept], population.tokens[kept]
    return population.model_copy(update={"documents": documents, "tokens": tokens, "crowded": crowded})


def _cut(table: pa.Table, names: Sequence[str], kept: slice, width: int) -> pa.Table:
    """The table with some sources' numbers of its per-source columns."""
    for name in names:
        at, field = table.schema.get_field_index(name), table.schema.field(name)
        matrix = table[name].combine_chunks().flatten().to_numpy().reshape(-1, width)[:, kept]
        offsets = pa.array(np.arange(len(matrix) + 1) * matrix.shape[1], pa.int32())
        lists = pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(matrix).ravel(), pa.int64()))
        table = table.set_column(at, field, lists.cast(field.type))
    return table
