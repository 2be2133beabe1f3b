"""Ledgers of made populations that are known whole."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.measure.ledger.ledger import Ledger
from schemas.documents import Kind
from schemas.ledger import HEAVY_SCHEMA, LEDGER_SCHEMA, LedgerHeader, Population, Weighting
from schemas.measures import Lens, Stage

TOKENS = 100  # of every document
KINDS = [Kind.WEB, Kind.SYNTHETIC, Kind.EXPERT, Kind.WEB]  # of the sources a, b, c, d


def ledger_of(
    table: NDArray[np.int64],
    probes: int,
    seed: int = 0,
    lenses: tuple[Lens, ...] = (Lens.EXACT, Lens.NEAR),
    stage: Stage = Stage.DISTINCT,
) -> Ledger:
    """A ledger of (species, sources) counts, whose lenses all see the same species; sources are a, b, c..."""
    generator = np.random.default_rng(seed)
    names = [chr(ord("a") + number) for number in range(table.shape[1])]
    rows: list[dict[str, object]] = []
    for lens in lenses:
        for weighting in Weighting:
            for number, name in enumerate(names):
                documents = np.repeat(np.arange(len(table)), table[:, number])
                for species in generator.choice(documents, min(probes, len(documents)), replace=False).tolist():
                    rows.append(
                        {
                            "stage": stage.value,
                            "lens": lens.value,
                            "weighting": weighting.value,
                            "source": name,
                            "document_id": f"{name}/{species}",
                            "tokens": TOKENS,
                            "is_crowded": False,
                            "multiplicity": table[species].tolist(),
                        }
                    )
    sizes = table.sum(axis=0)
    populations = [
        Population(stage=stage, lens=lens, documents=sizes.tolist(), tokens=(sizes * TOKENS).tolist(), heavy_above=None)
        for lens in lenses
    ]
    header = LedgerHeader(
        seed=seed,
        threshold=0.8,
        probes_per_source=probes,
        sources=names,
        kinds=KINDS[: len(names)],
        populations=populations,
    )
    return Ledger(header, pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA), HEAVY_SCHEMA.empty_table())


def overlapping_table(seed: int = 0) -> NDArray[np.int64]:
    """Three sources of thousands of documents: a varied one, a repetitive one, one that repeats the first."""
    generator = np.random.default_rng(seed)
    table = np.zeros((7000, 4), np.int64)
    table[:4000, 0] = generator.choice([1, 1, 1, 2, 3], 4000)
    table[4000:4300, 1] = generator.geometric(0.1, 300)
    table[4300:6800, 1] = generator.random(2500) < 0.4
    table[2500:4100, 2] = generator.choice([1, 2], 1600)
    return table[table.any(axis=1)]  # the fourth source has nothing


def made_numbers(table: NDArray[np.int64], rates: NDArray[np.float64], seed: int) -> dict[str, float]:
    """A mixture that is drawn document by document, and counted."""
    generator = np.random.default_rng(seed)
    copies = np.zeros(len(table), np.int64)
    for number, rate in enumerate(rates):
        whole = int(rate)
        copies += whole * table[:, number] + generator.binomial(table[:, number], rate - whole)
    held = copies[copies > 0]
    share = held / held.sum()
    return {
        "distinct_fraction": len(held) / held.sum(),
        "hill_1": float(np.exp(-(share * np.log(share)).sum())),
        "hill_2": float(1 / (share**2).sum()),
    }
