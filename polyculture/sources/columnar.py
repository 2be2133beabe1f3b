"""Parquet and Arrow files through a child process: the parent's side."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

from polyculture.sources.parser_process import ChildError, Parser, parsed
from polyculture.sources.record import Reading, Record, Rejection, Slot, Unkept
from polyculture.sources.stream import RATIO_FREE_BYTES
from schemas.quarantined import QuarantineReason


@dataclass(frozen=True, slots=True)
class ColumnarSchema:
    """The columns of a Parquet or Arrow file.

    Attributes:
        columns: path of every column and struct field -> whether there may be more inside than the schema says, as in
            strings that hold JSON.
        fault: why no text can come of the file; None if it can.
    """

    columns: dict[str, bool]
    fault: str | None


def read_schema(reading: Reading, format_name: str) -> ColumnarSchema | None:
    """The columns of a Parquet or Arrow file; None if they cannot be read. A child process reads them, and no data."""
    request = _request(reading, format_name, is_about_schema=True)

    def read(parser: Parser) -> Iterator[ColumnarSchema]:
        for kind, payload in parser.frames(request, reading.limits.max_parser_seconds):
            if kind == b"S":
                found = json.loads(payload)
                yield ColumnarSchema(dict(found["columns"]), found["fault"])

    try:
        return next(parsed(read, reading.limits.max_parser_bytes), None)
    except ChildError:
        return None


def read_columnar(reading: Reading, format_name: str) -> Iterator[Slot]:
    """The rows of a Parquet or Arrow file, in order; see Reader. `byte_offset` is the row's number.

    Only the wanted columns are read. The child may use `max_parser_bytes` of address space and be silent for
    `max_parser_seconds`; whatever happens to it costs the rest of this file.
    """
    row = 0
    try:
        batches = parsed(lambda parser: _batches(parser, reading, format_name), reading.limits.max_parser_bytes)
        for batch in batches:
            for slot in _rows(batch, row):
                yield slot
                row += 1
    except ChildError as fault:
        yield reading.lose_tail(fault.reason, str(fault), row, reading.file.size_bytes)


def _rows(batch: pa.RecordBatch, first: int) -> Iterator[Slot]:
    metadata = batch.schema.metadata or {}
    too_big = set(json.loads(metadata.get(b"too_big", b"[]")))
    unkept = json.loads(metadata.get(b"unkept", b"[]"))
    for index, values in enumerate(batch.to_pylist()):
        for path, kind in unkept:
            _mark(values, path, Unkept(kind))
        raw = orjson.dumps(values, default=_for_digest, option=orjson.OPT_NON_STR_KEYS)
        digest = hashlib.sha256(raw).hexdigest()
        if index in too_big:
            detail = "a text or another field over limits.max_document_bytes"
            yield Rejection(QuarantineReason.DOC_TOO_BIG, detail, first + index, digest)
        else:
            yield Record(values, first + index, digest)


def _mark(values: dict[str, Any], path: list[str], unkept: Unkept) -> None:
    """Put `unkept` where a value stood that the child could not send, and None where there was none."""
    *outer, name = path
    inside: dict[str, Any] | None = values
    for part in outer:
        inside = inside[part] if inside is not None else None
    if inside is not None:
        inside[name] = unkept if inside[name] else None


def _for_digest(value: object) -> str:
    """Form of a value, for a digest, that JSON does not have: bytes, decimals, and what the child did not send."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal | Unkept):
        return str(value)
    raise TypeError(f"unexpected {type(value).__name__}")


def _batches(parser: Parser, reading: Reading, format_name: str) -> Iterator[pa.RecordBatch]:
    """Checked record batches from a child. Raises ChildError."""
    limits, size, total = reading.limits, reading.file.size_bytes, 0
    for kind, payload in parser.frames(_request(reading, format_name), limits.max_parser_seconds):
        if kind == b"B":
            total += len(payload)
            if total > RATIO_FREE_BYTES and total > limits.max_expansion * size:
                detail = f"{format_name}: expands more than {limits.max_expansion} times (limits.max_expansion)"
                raise ChildError(QuarantineReason.BOMB_RATIO, detail)
            if total > limits.max_file_bytes:
                detail = f"{format_name}: more than {limits.max_file_bytes} bytes (limits.max_file_bytes)"
                raise ChildError(QuarantineReason.BOMB_SIZE, detail)
            try:
                with pa.ipc.open_stream(payload) as reader:
                    batch = reader.read_next_batch()
                batch.validate(full=True)
            except (pa.ArrowException, OSError) as error:
                raise ChildError(QuarantineReason.PARSER_CRASH, f"{format_name}: bad data from the child") from error
            yield batch
        else:
            end = json.loads(payload)
            if kind == b"E":
                raise ChildError(QuarantineReason(end["reason"]), end["detail"])
            if not end["is_marked"]:
                detail = f"{format_name}: no end-of-stream marker; the file may be cut between two batches"
                raise ChildError(QuarantineReason.TRUNCATED_INPUT, detail)
            if end["behind"]:
                detail = f"{format_name}: {end['behind']} bytes follow the end of the data; joined files? Split them"
                raise ChildError(QuarantineReason.DECOMPRESS_ERROR, detail)
            return


def _request(reading: Reading, format_name: str, *, is_about_schema: bool = False) -> dict[str, object]:
    """What a child is asked for; see `polyculture.sources.isolated`."""
    return {
        "format": format_name,
        "path": str(reading.file.path.resolve()),
        "columns": sorted(set(reading.columns.values())),
        "text": reading.columns["text"],
        "is_chat": reading.is_chat,
        "max_text_bytes": reading.limits.max_document_bytes,
        "is_about_schema": is_about_schema,
    }
