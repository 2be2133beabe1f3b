"""Beginnings of the texts of the largest species, kept in the ledger: later only the shards hold texts, if any."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from polyculture.measure.ledger.ledger import Ledger
from polyculture.measure.ledger.profile import heaviest_species
from polyculture.storage.files import write_parquet
from schemas.ledger import EXAMPLES_SCHEMA
from schemas.profile import HeavySpecies

if TYPE_CHECKING:
    from polyculture.corpus.corpus import Corpus  # loads kernels, which a reader of the ledger does without

EXAMPLES_FILE = "examples.parquet"
SNIPPET_CHARACTERS = 200


def snippet(text: str) -> str:
    """The beginning of a text on one line: at most 200 characters, a cut marked by an ellipsis."""
    line = " ".join(text[: 4 * SNIPPET_CHARACTERS].split())
    is_cut = len(line) > SNIPPET_CHARACTERS or len(text) > 4 * SNIPPET_CHARACTERS
    return line[: SNIPPET_CHARACTERS - 1] + "…" if is_cut else line


def write_examples(ledger: Ledger, corpus: "Corpus", folder: Path) -> None:
    """Write the snippets of the species that reports show: one document each."""
    wanted = sorted({species.example for species in heaviest_species(ledger)})
    ids = corpus.index["document_id"]
    found = pc.index_in(ids, value_set=pa.array(wanted, ids.type))
    rows = np.flatnonzero(found.is_valid().to_numpy())
    texts = corpus.take(rows, ["text"])["text"].to_pylist()
    table = pa.table({"document_id": corpus.document_ids(rows), "snippet": [snippet(text) for text in texts]})
    write_parquet(folder / EXAMPLES_FILE, table.cast(EXAMPLES_SCHEMA).sort_by("document_id"))


def read_snippets(folder: Path) -> dict[str, str]:
    """Snippets by document_id; empty if the ledger holds none, as one of an earlier version does.

    Raises:
        OSError: the file cannot be read.
        ValueError: it does not hold what it should.
    """
    path = folder / EXAMPLES_FILE
    if not path.is_file():
        return {}
    table = pa.parquet.read_table(path)
    if table.schema.names != EXAMPLES_SCHEMA.names:
        raise ValueError(f"{EXAMPLES_FILE} has the columns {table.schema.names}, expected {EXAMPLES_SCHEMA.names}")
    return dict(zip(table["document_id"].to_pylist(), table["snippet"].to_pylist(), strict=True))


def with_snippets(heavy: Sequence[HeavySpecies], snippets: dict[str, str]) -> list[HeavySpecies]:
    """The species with the beginning of their example's text, where it is known."""
    return [species.model_copy(update={"snippet": snippets.get(species.example)}) for species in heavy]
