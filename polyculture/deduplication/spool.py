"""Files of any known format, read into Arrow files that can be mapped: a large file into one, small ones together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from polyculture.corpus.ingest import quarantine_row
from polyculture.sources.documents import Document
from polyculture.sources.files import check_unchanged
from polyculture.sources.parser_process import parser_kept
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes, Filtered, InputFile, Rejection
from polyculture.storage.commit import writing
from schemas.dedupe import KEPT_SCHEMA, FileReading
from schemas.source_config import LimitsConfig, SourceConfig

PART_BYTES = 16 * 2**20  # of input files in a part: worth the start of a process, and what is made durable
BATCH_DOCUMENTS, BATCH_CHARACTERS = 1000, 16 * 2**20


@dataclass(slots=True)
class SpooledFile:
    """One file, read."""

    file: InputFile
    documents: int = 0
    quarantined: list[dict[str, object]] = field(default_factory=list)
    filtered: int = 0
    notes: FileNotes = field(default_factory=FileNotes)
    is_changed: bool = False

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


@dataclass(frozen=True, slots=True)
class Spooled:
    """Some files, read into one: their documents stand in the order of the files."""

    path: Path
    files: list[SpooledFile]

    @property
    def documents(self) -> int:
        """Documents of all files."""
        return sum(file.documents for file in self.files)


def spool_files(files: Sequence[InputFile], source: SourceConfig, limits: LimitsConfig, path: Path) -> Spooled:
    """Read files of any known format into one Arrow file of KEPT_SCHEMA.

    What is wrong with a file costs the others nothing. Memory is bounded by a batch, and the rows that are set aside.
    """
    spooled = Spooled(path, [SpooledFile(file) for file in files])
    with parser_kept(), writing(path) as stream, pa.ipc.new_file(stream, KEPT_SCHEMA) as writer:
        batch: list[tuple[InputFile, Document]] = []
        characters = 0
        for found in spooled.files:
            for document in _documents(found, source, limits):
                batch.append((found.file, document))
                characters += len(str(document.values["text"]))
                if len(batch) >= BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
                    writer.write_batch(_batch(batch))
                    batch, characters = [], 0
        if batch:
            writer.write_batch(_batch(batch))
    return spooled


def _documents(found: SpooledFile, source: SourceConfig, limits: LimitsConfig) -> Iterator[Document]:
    """The documents of a file; accounts for everything else on the way."""
    for slot in read_file(found.file, source, limits, found.notes):
        if isinstance(slot, Rejection):
            found.quarantined.append(quarantine_row(source.name, found.file.name, slot))
        elif isinstance(slot, Filtered):
            found.filtered += 1
        else:
            found.documents += 1
            yield slot
    found.is_changed = not check_unchanged(found.file)


def _batch(documents: Sequence[tuple[InputFile, Document]]) -> pa.RecordBatch:
    columns = [
        [_id_of(file, document) for file, document in documents],
        [document.values["text"] for _, document in documents],
        [file.name for file, _ in documents],
        [document.position for _, document in documents],
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, KEPT_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=KEPT_SCHEMA)


def _id_of(file: InputFile, document: Document) -> str:
    own = document.values.get("id")
    return f"{file.sha256[:32]}:{document.position}" if own is None else str(own)
