"""The ledger is the same, byte for byte, however the corpus is cut and its parts are merged."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from polyculture.corpus.corpus import INDEX_SCHEMA, Corpus
from polyculture.measure.ledger.count import Part, Survey, count_part, measure_stages, merge_parts
from polyculture.measure.ledger.ledger import Ledger, read_ledger, write_ledger
from polyculture.measure.lenses.subset import Subset, index_subset
from polyculture.measure.probes.probes import StageCopies
from polyculture.storage.hashing import id_hash
from schemas.documents import Kind
from schemas.ledger import LedgerHeader
from schemas.measures import Lens, Stage
from tests.support.corpora import expanded_texts, unique_texts

SOURCES, KINDS = ("pages", "samples", "solutions"), (Kind.WEB, Kind.SYNTHETIC, Kind.EXPERT)
PROBES = 60


@pytest.fixture(scope="module")
def survey() -> Survey:
    """Three sources with equal, similar and like-made texts within and across, at three stages."""
    generator = random.Random(4)
    texts = [unique_texts(150, 1), [*expanded_texts(25, 8, seed=3), *unique_texts(40, 2)], unique_texts(120, 2)]
    texts[0] += [f"{text} indeed" for text in texts[0][:60]] + texts[0][:15]
    texts[1] += [f"{texts[2][7]} {generator.randrange(3)}" for _ in range(50)]
    rows = [(source, text) for source, mine in enumerate(texts) for text in mine]
    names = [f"{SOURCES[source]}:{number}" for number, (source, _) in enumerate(rows)]
    source = np.array([source for source, _ in rows])
    tokens = np.array([len(text.split()) for _, text in rows])
    table = pa.table(
        {
            "document_id": names,
            "text": [text for _, text in rows],
            "source": [SOURCES[number] for number in source],
            "kind": [KINDS[number].value for number in source],
            "tokens": pa.array(tokens, pa.int64()),
            "seed": [f"prompt {number % 25}" if source == 1 else None for number, (source, _) in enumerate(rows)],
        }
    )
    indexes = index_subset(Subset(table, np.ones(len(rows), np.int64), SOURCES), 0.8, seed=5)
    columns = {name: np.zeros(len(rows), np.int64) for name in INDEX_SCHEMA.names}
    columns |= {"source": source, "tokens": tokens, "group": indexes.groups, "row": np.arange(len(rows))}
    columns["id_hash"] = np.array([id_hash(name) for name in names], np.uint64)
    index = pa.table({**columns, "document_id": names}).select(INDEX_SCHEMA.names).cast(INDEX_SCHEMA)
    drawn = np.random.default_rng(6)
    stages = [
        StageCopies("input", np.ones(len(rows), np.int64)),
        StageCopies("distinct", drawn.integers(0, 2, len(rows))),
        StageCopies("mixture", drawn.integers(0, 4, len(rows))),
    ]
    return Survey(Corpus(index, (), SOURCES, KINDS), indexes, stages, PROBES, seed=9)


def written(survey: Survey, folder: Path, part: Part | None, groups: list[NDArray[np.bool_]] | None) -> list[bytes]:
    """The files of the ledger."""
    counted = part or count_part(survey.sheet)
    rows, heavy, populations = measure_stages(survey, counted, groups or (None,))
    header = LedgerHeader(
        seed=9,
        threshold=0.8,
        probes_per_source=PROBES,
        sources=list(SOURCES),
        kinds=list(KINDS),
        populations=populations,
    )
    return [path.read_bytes() for path in write_ledger(Ledger(header, rows, heavy), folder)]


def merged(survey: Survey, parts: list[Part], generator: random.Random) -> Part:
    """Parts merged two at a time, any two: a random order and tree."""
    left = list(parts)
    while len(left) > 1:
        one, other = (left.pop(generator.randrange(len(left))) for _ in range(2))
        left.append(merge_parts(survey.sheet, [one, other]))
    return left[0]


def masks(size: int, parts: int, generator: np.random.Generator) -> list[NDArray[np.bool_]]:
    number = generator.integers(0, parts, size)
    return [number == part for part in range(parts)]


@pytest.mark.parametrize(
    ("parts", "orders"), [(17, 2), *(pytest.param(n, 20, marks=pytest.mark.long) for n in (1, 3, 17))]
)
def test_parts_merge_to_the_same_bytes_in_any_order_and_tree(
    survey: Survey, tmp_path: Path, parts: int, orders: int
) -> None:
    whole = written(survey, tmp_path / "whole", None, None)
    ledger = read_ledger(tmp_path / "whole")
    lenses = {population.lens for population in ledger.header.populations}
    assert lenses == set(Lens) - {Lens.SEMANTIC_80, Lens.SEMANTIC_90, Lens.SEMANTIC_95}
    near = ledger.population(Stage.INPUT, Lens.NEAR)
    assert near is not None
    assert near.crowded is not None
    assert sum(near.crowded.documents) > 50
    documents, groups = len(survey.corpus), int(survey.indexes.groups.max()) + 1
    generator = np.random.default_rng(1_000 * parts)
    for number in range(orders):
        if number % 10 == 0:
            cuts = masks(documents, parts, generator)
            counted = [count_part(survey.sheet.take(np.flatnonzero(mine))) for mine in cuts]
        part = merged(survey, counted, random.Random(number))
        cut = masks(groups, parts, generator) if number % 5 == 0 else None
        assert written(survey, tmp_path / str(number), part, cut) == whole
