"""Evidence document by document, as a run of known repetition would have it."""

from collections.abc import Mapping

import pyarrow as pa

from polyculture.measure.repetition.repetition_file import Repetition
from schemas.manifest import Manifest
from schemas.repetition import COUNTED_LENSES, FRAMED_BY, PASSAGES_SCHEMA, REPETITION_SCHEMA, SHARED_BY

Row = Mapping[str, int | None]
PROBES = 500
DOCUMENTS = 1_000


def row_of(stage: str, source: str, number: int, counts: Row) -> dict[str, object]:
    """One drawn document; by default alone in every lens, and read."""
    values: dict[str, object] = {
        "stage": stage, "source": source, "document_id": f"{source}:{number}", "tokens": 100, "words": 80,
        "twin_candidates": 0, "twin_verified_of": 0, "frame_words": 80, "source_documents": DOCUMENTS,
    }  # fmt: skip
    values |= {f"shared_{n}{of}": 0 for n in SHARED_BY for of in ("", "_before")}
    values |= {f"framed_{n}{of}": 0 for n in FRAMED_BY for of in ("", "_before")}
    for lens in COUNTED_LENSES:
        values |= {lens: 1, f"{lens}_own": 1, f"{lens}_before": 0}
    for lens in COUNTED_LENSES:
        if lens in counts:
            values[f"{lens}_own"] = counts.get(f"{lens}_own", counts[lens])
    for documents in SHARED_BY:
        values[f"shared_{documents}_before"] = counts.get(f"shared_{documents}", 0)
    return values | counts


def repetition_of(
    evidence: Manifest,
    narrow: Mapping[str, tuple[float, Row]] | None = None,
    passages: list[dict[str, object]] | None = None,
    probes: int = PROBES,
    documents: int = DOCUMENTS,
) -> Repetition:
    """Rows of every source of a run: of some a share has these counts, all else is alone.

    Args:
        evidence: manifest of the run.
        narrow: share of a source's rows, and their counts.
        passages: rows of the widespread passages.
        probes: rows of each source.
        documents: that each source holds.
    """
    stage, rows = evidence.judged_stage.value, []
    for account in evidence.conservation:
        share, counts = (narrow or {}).get(account.name, (0.0, {}))
        many = round(share * probes)
        size = {"source_documents": documents}
        rows += [
            row_of(stage, account.name, number, size | dict(counts) if number < many else size)
            for number in range(probes)
        ]
    listed = [{"stage": stage, "sources": [], "source_documents": [], **passage} for passage in passages or []]
    return Repetition(pa.Table.from_pylist(rows, REPETITION_SCHEMA), pa.Table.from_pylist(listed, PASSAGES_SCHEMA))
