"""Files of any known format, read into Arrow files that can be mapped."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from polyculture.corpus.ingest import quarantine_row
from polyculture.sources.documents import Document
from polyculture.sources.files import check_unchanged
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes, Filtered, InputFile, Rejection
from polyculture.storage.commit import writing
from schemas.dedupe import KEPT_SCHEMA, FileReading
from schemas.source_config import LimitsConfig, SourceConfig

BATCH_DOCUMENTS, BATCH_CHARACTERS = 1000, 16 * 2**20


@dataclass(frozen=True, slots=True)
class Spooled:
    """One file, read."""

    file: InputFile
    path: Path
    documents: int
    quarantined: list[dict[str, object]]
    filtered: int
    notes: FileNotes
    is_changed: bool

    @property
    def reading(self) -> FileReading:
        """The account of the file."""
        return FileReading(
            file=self.file.name,
            sha256=self.file.sha256,
            documents=self.documents,
            quarantined=len(self.quarantined),
            filtered=self.filtered,
            is_tail_lost=self.notes.is_tail_lost,
            quarantine_reasons=dict(sorted(Counter(str(row["reason"]) for row in self.quarantined).items())),
            warnings=tuple(self.notes.warnings),
            lost_bytes=self.notes.lost_bytes,
            is_changed=self.is_changed,
            format=self.notes.format,
            loss=self.notes.loss,
            first_fault=str(self.quarantined[0]["detail"]) if self.quarantined else "",
            left_out=tuple(self.notes.left_out),
        )


def spool_file(file: InputFile, source: SourceConfig, limits: LimitsConfig, path: Path) -> Spooled:
    """Read a file of any known format into an Arrow file of KEPT_SCHEMA. Memory is bounded by a batch."""
    notes = FileNotes()
    quarantined: list[dict[str, object]] = []
    filtered = documents = 0
    with writing(path) as stream, pa.ipc.new_file(stream, KEPT_SCHEMA) as writer:
        batch: list[Document] = []
        characters = 0
        for slot in read_file(file, source, limits, notes):
            if isinstance(slot, Rejection):
                quarantined.append(quarantine_row(source.name, file.name, slot))
            elif isinstance(slot, Filtered):
                filtered += 1
            else:
                batch.append(slot)
                documents += 1
                characters += len(str(slot.values["text"]))
                if len(batch) >= BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
                    writer.write_batch(_batch(batch, file))
                    batch, characters = [], 0
        if batch:
            writer.write_batch(_batch(batch, file))
    return Spooled(file, path, documents, quarantined, filtered, notes, not check_unchanged(file))


def _batch(documents: Sequence[Document], file: InputFile) -> pa.RecordBatch:
    own = [document.values.get("id") for document in documents]
    columns = [
        [f"{file.sha256[:32]}:{d.position}" if i is None else str(i) for i, d in zip(own, documents, strict=True)],
        [document.values["text"] for document in documents],
        [file.name] * len(documents),
        [document.position for document in documents],
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, KEPT_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=KEPT_SCHEMA)
