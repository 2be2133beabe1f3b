"""Parquet and Arrow files through a child process: the parent's side."""

import hashlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import pyarrow as pa

from polyculture.sources.record import Reading, Record, Rejection, Slot, Unkept
from polyculture.sources.stream import RATIO_FREE_BYTES
from schemas.quarantined import QuarantineReason

PIPE_BYTES = 2**20
FRAME_HEADER_BYTES = 9


class ChildError(Exception):
    """The child did not deliver the file whole.

    Attributes:
        reason: reason for the quarantine.
    """

    def __init__(self, reason: QuarantineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


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
    """The columns of a Parquet or Arrow file; None if they cannot be read. One child process, no data."""
    try:
        for kind, payload in _frames(reading, format_name, is_about_schema=True):
            if kind == b"S":
                found = json.loads(payload)
                return ColumnarSchema(dict(found["columns"]), found["fault"])
    except ChildError:
        return None
    return None


def read_columnar(reading: Reading, format_name: str) -> Iterator[Slot]:
    """The rows of a Parquet or Arrow file, in order; see Reader. `byte_offset` is the row's number.

    Only the wanted columns are read. The child may use `max_parser_bytes` of address space and be silent for
    `max_parser_seconds`; whatever happens to it costs the rest of this file.
    """
    row = 0
    try:
        for batch in _batches(reading, format_name):
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


def _batches(reading: Reading, format_name: str) -> Iterator[pa.RecordBatch]:
    """Checked record batches from the child. Raises ChildError."""
    limits, size, total = reading.limits, reading.file.size_bytes, 0
    for kind, payload in _frames(reading, format_name):
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


def _frames(reading: Reading, format_name: str, *, is_about_schema: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """Frames from the child until its last; ends the child in any case. Raises ChildError."""
    limits = reading.limits
    request = {
        "format": format_name,
        "path": str(reading.file.path.resolve()),
        "columns": sorted(set(reading.columns.values())),
        "text": reading.columns["text"],
        "is_chat": reading.is_chat,
        "max_text_bytes": limits.max_document_bytes,
        "max_bytes": limits.max_parser_bytes,
        "is_about_schema": is_about_schema,
    }
    # -P keeps this folder off the child's import path: it holds an `html.py`.
    command = [sys.executable, "-P", str(Path(__file__).with_name("isolated.py")), json.dumps(request)]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=null, stdout=subprocess.PIPE, stderr=null, bufsize=0) as child:
        try:
            pipe = _Pipe(cast("BinaryIO", child.stdout).fileno(), limits.max_parser_seconds)
            while True:
                header = pipe.read(FRAME_HEADER_BYTES)
                kind, length = header[:1], int.from_bytes(header[1:], "big")
                if kind not in (b"S", b"B", b"E", b"F") or length > limits.max_parser_bytes:
                    raise ChildError(QuarantineReason.PARSER_CRASH, f"{format_name}: garbage from the child")
                yield kind, pipe.read(length)
                if kind != b"B":
                    return
        except EOFError:
            child.kill()
            detail = f"{format_name}: the parser died (exit {child.wait()})"
            raise ChildError(QuarantineReason.PARSER_CRASH, detail) from None
        finally:
            child.kill()


class _Pipe:
    """Reads from a descriptor with a limit on silence."""

    def __init__(self, descriptor: int, max_seconds: int) -> None:
        self._descriptor = descriptor
        self._max_seconds = max_seconds

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes. Raises EOFError at the end and ChildError after too long a silence."""
        data = bytearray()
        while len(data) < count:
            if not select.select([self._descriptor], [], [], self._max_seconds)[0]:
                detail = f"the parser was silent for {self._max_seconds} s (limits.max_parser_seconds)"
                raise ChildError(QuarantineReason.TIMEOUT, detail)
            part = os.read(self._descriptor, min(PIPE_BYTES, count - len(data)))
            if not part:
                raise EOFError
            data += part
        return bytes(data)
