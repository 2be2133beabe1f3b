"""A small real corpus, measured with and without a canary, by the functions that a run calls."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyculture.canary.plant import Measured, PlantedCorpus, make_canary, plant
from polyculture.corpus.attributes import Attributes
from polyculture.corpus.corpus import Corpus, build_index
from polyculture.corpus.ingest import Partition, ingest_partition
from polyculture.deduplication.removal import group_leaders, preference_order
from polyculture.measure.ledger.count import Survey, count_part, measure_stages
from polyculture.measure.lenses.lens import LensSettings
from polyculture.measure.lenses.lenses import Indexes, build_indexes
from polyculture.measure.lenses.material import CorpusMaterial
from polyculture.measure.probes.probes import StageCopies
from polyculture.signals.attributes import values_of
from polyculture.sources.record import InputFile
from polyculture.storage.hashing import file_sha256, signature_seed
from polyculture.text.shingles import shingle_sets
from schemas.dedupe_config import DedupeConfig
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.support.corpora import expanded_texts, unique_texts

RUN_SEED = 20_261_122


def real_corpus(folder: Path) -> Corpus:
    """Two sources: web pages, some of them copies, and synthetic answers that vary few seeds."""
    pages = unique_texts(400, 1)
    texts = {"pages": pages + pages[:90], "samples": expanded_texts(20, 15, 2)}
    sources = {"pages": Kind.WEB, "samples": Kind.SYNTHETIC}
    partitions = []
    for number, (name, kind) in enumerate(sources.items()):
        path = folder / f"{name}.jsonl"
        lines = [json.dumps({"id": i, "text": text, "seed": f"s{i // 4}"}) for i, text in enumerate(texts[name])]
        path.write_text("\n".join(lines) + "\n")
        file = InputFile(path, path.name, file_sha256(path), path.stat().st_size)
        source = SourceConfig(name=name, kind=kind, paths=("x",), language="en")
        _, (documents, _) = ingest_partition(Partition(source, 0, (file,)), LimitsConfig(), None, folder, RUN_SEED)
        partitions.append((number, documents))
    index = build_index(partitions).index
    return Corpus(index, tuple(path for _, path in partitions), tuple(sources), tuple(sources.values()))


def real_stages(corpus: Corpus) -> list[StageCopies]:
    """The input, and a mixture that leaves some documents out and repeats others."""
    generator = random.Random(3)
    copies = np.array([generator.choice([0, 1, 1, 2]) for _ in range(len(corpus))], np.int64)
    return [StageCopies("input", np.ones(len(corpus), np.int64)), StageCopies("mixture", copies)]


class Unwritten(CorpusMaterial):
    """A corpus whose attributes are worked out when they are asked for."""

    def attribute(self, signal: str, column: str) -> NDArray[Any]:
        return values_of(signal, self.corpus.take(np.arange(len(self.corpus)), ["text"]))[column]


def indexes_of(corpus: Corpus, threshold: float) -> Indexes:
    """What lenses count in."""
    sets = shingle_sets(corpus.canonical(group_leaders(corpus, preference_order(corpus, DedupeConfig()))))
    settings = LensSettings(threshold, signature_seed(RUN_SEED))
    return build_indexes(Unwritten(corpus, Attributes.of(corpus, {}), sets, settings))


def planted_corpus(corpus: Corpus, folder: Path, seed: int, threshold: float = 0.8) -> PlantedCorpus:
    """The corpus with the canary of a seed in it."""
    return plant(corpus, make_canary(folder, seed, threshold))


def measure_planted(
    corpus: Corpus, planted: PlantedCorpus, threshold: float = 0.8, drawn_by: int = RUN_SEED
) -> Measured:
    """Everything measured at every stage, canary and all; 100 probes of each real source."""
    indexes = indexes_of(planted.corpus, threshold)
    survey = Survey(planted.corpus, indexes, planted.stages(real_stages(corpus)), 100, drawn_by)
    return measure_stages(survey, count_part(survey.sheet))
