"""From files to partitions: documents with their language, tokens, canonical text and keys, and what was set aside."""

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from polyculture.compute.watchdog import MOST_ENDS, OverdueError, Watchdog
from polyculture.corpus.sorted_runs import SortedRuns
from polyculture.sources.documents import Document
from polyculture.sources.files import check_unchanged, gather_files
from polyculture.sources.parser_process import parser_kept
from polyculture.sources.read import read_file
from polyculture.sources.record import TIME_LIMIT, FileNotes, Filtered, InputFile, Rejection
from polyculture.storage.commit import writing
from polyculture.storage.files import ParquetRows, parquet_rows_to
from polyculture.text.canonical import canonical_text
from polyculture.text.exact import exact_keys
from polyculture.text.language import UNKNOWN, Language, Why, language_of
from polyculture.text.tokenizer import TokenCounter
from schemas.accounts import FileAccount
from schemas.documents import DOCUMENT_SCHEMA, EMBEDDING
from schemas.quarantined import QUARANTINED_SCHEMA, QuarantineReason
from schemas.source_config import LimitsConfig, SourceConfig

PARTITION_BYTES = 256 * 2**20
BATCH_DOCUMENTS = 1000
BATCH_CHARACTERS = 16 * 2**20
FIRST_WORDS = "L\u00e4dt, was einmal geladen wird"  # so that no document is charged for what loads with the first
MOST_GROWTH = 4  # bytes of a canonical text per byte of the text

# A partition holds, beside the document, what the later steps need and the shards do not.
PARTITION_SCHEMA = pa.schema(
    [
        *DOCUMENT_SCHEMA,
        pa.field("canonical", pa.large_string(), nullable=False),
        pa.field(
            "characters", pa.int64(), nullable=False
        ),  # code points of the canonical text: padding with invisible ones makes no text longer
        pa.field("text_bytes", pa.int64(), nullable=False),  # of the text in UTF-8
        pa.field(
            "key", pa.binary(16), nullable=False
        ),  # BLAKE2b-128 of canonical text and layout: collisions cannot be made
        pa.field("identified", pa.string(), nullable=False),  # language of the text, whatever the record says of it
        pa.field("told", pa.string(), nullable=False),  # how, or why not: a value of `polyculture.text.language.Why`
        pa.field("has_own_id", pa.bool_(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),  # record slot in the file
        pa.field("byte_offset", pa.int64(), nullable=False),
        pa.field("record_sha256", pa.string(), nullable=False),
        pa.field("file_sha256", pa.string(), nullable=False),
        pa.field(EMBEDDING, pa.list_(pa.float32())),
    ]
)


@dataclass(frozen=True, slots=True)
class Partition:
    """Some files of one source that one worker reads into one pair of files."""

    source: SourceConfig
    number: int
    files: tuple[InputFile, ...]

    @property
    def name(self) -> str:
        """Stem of the partition's files."""
        return f"{self.source.name}-{self.number:05d}"


def partition_files(source: SourceConfig, files: Sequence[InputFile]) -> list[Partition]:
    """Cut a source's files, in order, into partitions of about 256 MiB of input."""
    return [Partition(source, number, group) for number, group in enumerate(gather_files(files, PARTITION_BYTES))]


@dataclass(frozen=True, slots=True)
class _Told:
    """A document with what its text tells.

    Attributes:
        document: the document.
        canonical: its canonical text.
        language: its language.
        tokens: their number.
    """

    document: Document
    canonical: str
    language: Language
    tokens: int


@dataclass(slots=True)
class _Tally:
    """Slots of one file so far, and the rejections to write."""

    file: InputFile
    notes: FileNotes = field(default_factory=FileNotes)
    documents: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)

    def account(self) -> FileAccount:
        """The file's account, once it has been read."""
        return FileAccount(
            name=self.file.name,
            sha256=self.file.sha256,
            bytes=self.file.size_bytes,
            format=self.notes.format,
            slots=self.documents + self.quarantined.total() + self.filtered.total(),
            documents=self.documents,
            quarantined=dict(sorted(self.quarantined.items())),
            filtered=dict(sorted(self.filtered.items())),
            skipped=dict(sorted(self.notes.skipped.items())),
            warnings=self.notes.warnings,
            is_tail_lost=self.notes.is_tail_lost,
            lost_bytes=self.notes.lost_bytes,
            is_changed=not check_unchanged(self.file),
            loss=self.notes.loss,
            members=dict(sorted(self.notes.members.items())),
            left_out=self.notes.left_out,
        )


def ingest_partition(
    partition: Partition, limits: LimitsConfig, tokenizer: Path | None, folder: Path, seed: int
) -> tuple[list[FileAccount], list[Path]]:
    """Read a partition's files into `NAME.arrow` (documents) and `NAME.quarantined.parquet` under `folder`.

    A document that takes longer than `limits.max_document_seconds` at any step, or whose canonical text is more than
    four times as long as its text, is set aside. The documents stand in sorted runs (`polyculture.corpus.sorted_runs`).
    Memory is bounded by three times a run, whatever the size of the files.

    Args:
        partition: what to read.
        limits: bounds on the input.
        tokenizer: a tokenizer.json, or None for the embedded one.
        folder: where to write.
        seed: of the mixture, which the order in a run follows.

    Returns:
        An account per file, and the files written.
    """
    counter = TokenCounter(tokenizer)
    language_of(canonical_text(FIRST_WORDS))
    accounts: list[FileAccount] = []
    documents_path = folder / f"{partition.name}.arrow"
    read = 0
    quarantined_path = folder / f"{partition.name}.quarantined.parquet"
    with (
        Watchdog(limits.max_document_seconds, watch_path(folder, partition)) as watchdog,
        parser_kept(),
        parquet_rows_to(quarantined_path, QUARANTINED_SCHEMA) as rejected,
        writing(documents_path) as stream,
        pa.ipc.new_file(stream, PARTITION_SCHEMA) as writer,
        SortedRuns(writer, seed) as runs,
        progress_path(folder, partition).open("wb", buffering=0) as progress,
    ):
        for file in partition.files:
            tally = _Tally(file)
            slots = _slots(tally, partition.source, limits, counter, watchdog)
            for batch in _batches(_accepted(tally, partition.source, slots, rejected)):
                runs.add(_record_batch(batch, partition.source, file))
                read += len(batch)
                with suppress(OSError):  # what is only shown stops nothing; the next write says what is wrong
                    os.pwrite(progress.fileno(), read.to_bytes(8, "little"), 0)
            accounts.append(tally.account())
    return accounts, [documents_path, quarantined_path]


def progress_path(folder: Path, partition: Partition) -> Path:
    """Where a worker keeps the number of documents that it has read of a partition so far."""
    return folder / f"{partition.name}.progress"


def documents_read(folder: Path, partition: Partition) -> int:
    """Documents read of a partition so far, by whichever process reads it."""
    try:
        return int.from_bytes(progress_path(folder, partition).read_bytes(), "little")
    except FileNotFoundError:
        return 0


def watch_path(folder: Path, partition: Partition) -> Path:
    """Beginning of the paths of the notes that a partition's watchdog leaves."""
    return folder / partition.name


def _slots(
    tally: _Tally, source: SourceConfig, limits: LimitsConfig, counter: TokenCounter, watchdog: Watchdog
) -> Iterator[_Told | Rejection | Filtered]:
    """The file's slots, those with a document told; a file that hangs again and again is given up."""
    for slot in read_file(tally.file, source, limits, tally.notes, watchdog):
        found = _told(slot, counter, watchdog) if isinstance(slot, Document) else slot
        yield found
        if watchdog.is_spent:
            watchdog.is_spent = False
            tally.notes.is_tail_lost = True
            tally.notes.lost_bytes += tally.file.size_bytes
            detail = f"given up: {MOST_ENDS} documents ended the process that read them ({TIME_LIMIT})"
            yield Rejection(QuarantineReason.TIMEOUT, detail, slot.byte_offset, tally.file.sha256, is_tail=True)
            return


def _told(document: Document, counter: TokenCounter, watchdog: Watchdog) -> _Told | Rejection:
    text = str(document.values["text"])
    try:
        told = watchdog.run(_tell, document, text, counter)
    except OverdueError as error:
        detail = f"{error} to fold it, tell its language and count its tokens ({TIME_LIMIT})"
        return Rejection(QuarantineReason.TIMEOUT, detail, document.byte_offset, document.sha256)
    grown = len(told.canonical.encode()), len(text.encode())
    if grown[0] > MOST_GROWTH * grown[1]:
        detail = f"a text of {grown[1]} bytes whose canonical form has {grown[0]}, at most {MOST_GROWTH} times as many"
        return Rejection(QuarantineReason.DOC_TOO_BIG, detail, document.byte_offset, document.sha256)
    return told


def _tell(document: Document, text: str, counter: TokenCounter) -> _Told:
    return _Told(document, canonical_text(text), language_of(text), counter.count([text])[0])


def _accepted(
    tally: _Tally, source: SourceConfig, slots: Iterator[_Told | Rejection | Filtered], rejected: ParquetRows
) -> Iterator[_Told]:
    """The file's documents; tallies everything else on the way."""
    for slot in slots:
        if isinstance(slot, Rejection):
            tally.quarantined[slot.reason] += 1
            rejected.append(quarantine_row(source.name, tally.file.name, slot))
        elif isinstance(slot, Filtered):
            tally.filtered[slot.rule] += 1
        else:
            tally.documents += 1
            yield slot


def quarantine_row(source: str, file: str, rejection: Rejection) -> dict[str, object]:
    """A row of `quarantined/`."""
    return {
        "source": source,
        "file": file,
        "byte_offset": rejection.byte_offset,
        "sha256": rejection.sha256,
        "reason": QuarantineReason(rejection.reason).value,
        "detail": rejection.detail,
    }


def _batches(documents: Iterator[_Told]) -> Iterator[list[_Told]]:
    """Lists of at most 1,000 documents and about 16 million characters of all their strings."""
    batch: list[_Told] = []
    characters = 0
    for told in documents:
        batch.append(told)
        characters += sum(len(value) for value in told.document.values.values() if type(value) is str)
        if len(batch) >= BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _record_batch(batch: list[_Told], source: SourceConfig, file: InputFile) -> pa.RecordBatch:
    documents = [told.document for told in batch]
    texts = [str(document.values["text"]) for document in documents]
    canonical, languages = [told.canonical for told in batch], [told.language for told in batch]
    columns: dict[str, object] = {
        name: [document.values.get(name) for document in documents] for name in DOCUMENT_SCHEMA.names
    }
    columns |= {
        "document_id": [_document_id(document, source, file) for document in documents],
        "source": itertools.repeat(source.name, len(batch)),
        "kind": itertools.repeat(source.kind.value, len(batch)),
        "language": [
            document.values.get("language") or source.language or _code(language)
            for document, language in zip(documents, languages, strict=True)
        ],
        "identified": [language.code for language in languages],
        "told": [language.why.value for language in languages],
        "license": [document.values.get("license") or source.license for document in documents],
        "tokens": [told.tokens for told in batch],
        "canonical": canonical,
        "characters": [len(text) for text in canonical],
        "text_bytes": [len(text.encode()) for text in texts],
        "key": exact_keys(texts, canonical),
        "has_own_id": [document.values.get("id") is not None for document in documents],
        "file": itertools.repeat(file.name, len(batch)),
        "position": [document.position for document in documents],
        "byte_offset": [document.byte_offset for document in documents],
        "record_sha256": [document.sha256 for document in documents],
        "file_sha256": itertools.repeat(file.sha256, len(batch)),
        EMBEDDING: [document.values.get(EMBEDDING) for document in documents],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in PARTITION_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=PARTITION_SCHEMA)


def _code(language: Language) -> str:
    """The code of a language; unknown for a kind of text, which is none."""
    return UNKNOWN if language.why is Why.KIND else language.code


def _document_id(document: Document, source: SourceConfig, file: InputFile) -> str:
    """The id before repeats are told apart: `source:own id`, else `source@file digest:position`."""
    own = document.values.get("id")
    return f"{source.name}:{own}" if own is not None else f"{source.name}@{file.sha256[:32]}:{document.position}"
