"""The ledger: probe x source multiplicities, small and reloadable."""

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from schemas.config import Stage
from schemas.documents import Kind

# One row per probe, stage and lens. `multiplicity` has one entry per source, in the order of `LedgerHeader.sources`.
LEDGER_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("lens", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("multiplicity", pa.list_(pa.field("element", pa.int64(), nullable=False)), nullable=False),
    ]
)


class StagePopulation(BaseModel):
    """Occurrences and tokens of each source at a stage, in the order of the sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage
    documents: list[int]
    tokens: list[int]


class LedgerHeader(BaseModel):
    """What the probes stand for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    threshold: float
    probes_per_source: int
    sources: list[str]
    kinds: list[Kind]
    populations: list[StagePopulation]
