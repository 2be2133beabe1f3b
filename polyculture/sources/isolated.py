"""The child process that parses foreign Parquet or Arrow files: a crash here ends this process, not the run.

Run by path, as a script, so that it imports pyarrow and nothing of ours. Its argument is its address space in bytes;
each line of its standard input is a request, as JSON; it ends with its parent, which closes that. Its standard output
is a row of frames for each request, each
`kind (1 byte), length (8 bytes, big endian), payload`:

- `S`: the schema, JSON `{"columns": [[path, is_open], ...], "fault"}`; the answer to a request for the schema alone.
- `B`: a record batch as an Arrow IPC stream. The schema's metadata `too_big` lists rows that lost a string, and
  `unkept` pairs `[path, type]` of columns whose values have no plain form: each stands as a boolean, true where a
  value is.
- `E`: the end with a fault, JSON `{"reason", "detail"}`.  `F`: the end of the file, JSON `{"rows", "is_marked",
  "behind"}`.
"""

import json
import os
import resource
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import compute

TARGET_BYTES = 8 * 2**20
MAX_ROWS = 1024
UUID_BYTES = 16
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class SchemaError(Exception):
    """The file has no usable text column."""


@dataclass(frozen=True)
class Request:
    """A request of the parent.

    Attributes:
        format: parquet, arrow or arrow_stream.
        path: the file.
        columns: column names or dotted paths.
        text: the one that supplies the text.
        is_chat: the text may be a list of messages.
        max_text_bytes: longer strings are left out and their rows listed.
        is_about_schema: only the schema is asked for.
    """

    format: str
    path: str
    columns: tuple[str, ...]
    text: str
    is_chat: bool
    max_text_bytes: int
    is_about_schema: bool = False


def send(kind: bytes, payload: bytes) -> None:
    """Write one frame."""
    out = sys.stdout.buffer
    out.write(kind + len(payload).to_bytes(8, "big"))
    out.write(payload)
    out.flush()


def column_of(path: str, names: list[str]) -> str | None:
    """The top-level column that a name or dotted path starts from."""
    if path in names:
        return path
    first = path.partition(".")[0]
    return first if first in names else None


def is_text_type(kind: Any) -> bool:
    """True if a column of this Arrow type can hold text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    view_tests = (pa.types.is_string_view, pa.types.is_binary_view)
    return any(test(kind) for test in tests + view_tests)


def is_plain_type(kind: Any) -> bool:
    """True if values of this type become strings, numbers, booleans, null, lists and dictionaries in Python."""
    types = pa.types
    if types.is_dictionary(kind):
        return is_plain_type(kind.value_type)
    if types.is_struct(kind):
        return has_distinct_names(kind) and all(is_plain_type(field.type) for field in kind)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return is_plain_type(kind.value_type)
    if types.is_map(kind):
        return is_plain_type(kind.key_type) and is_plain_type(kind.item_type)
    simple = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null, is_text_type)
    return any(test(kind) for test in simple)


def has_distinct_names(kind: Any) -> bool:
    """True if no two fields of a struct have the same name, so that a dictionary can hold them."""
    return len({field.name for field in kind}) == int(kind.num_fields)


def check_schema(schema: Any, request: Request) -> list[str]:
    """The top-level columns to read. Raises SchemaError if no text can come of them."""
    names = list(schema.names)
    text = column_of(request.text, names)
    shown = ", ".join(f"{field.name}: {field.type}" for field in schema)
    if text is None:
        raise SchemaError(f"no column for text ({request.text}: string); the file has {shown}")
    kind = schema.field(text).type if names.count(text) == 1 else None
    if kind is None:
        raise SchemaError(f"the column {text} occurs {names.count(text)} times; the file has {shown}")
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    is_path = text != request.text
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (is_text_type(kind) or (is_path and pa.types.is_struct(kind)) or (is_list and request.is_chat)):
        hint = " (messages? give the source a chat_template)" if is_list and not is_path else ""
        raise SchemaError(f"{request.text} is {kind}, wanted string{hint}; the file has {shown}")
    wanted = {column_of(path, names) for path in request.columns}
    return [name for name in names if name in wanted and names.count(name) == 1]


def parquet_batches(request: Request) -> Iterator[Any]:
    """Record batches of a Parquet file, page checksums verified where the file has them."""
    from pyarrow import parquet  # noqa: PLC0415 - an Arrow file does without its import time

    file = parquet.ParquetFile(
        request.path, page_checksum_verification=True, buffer_size=2**20, pre_buffer=False, memory_map=False
    )
    columns = check_schema(file.schema_arrow, request)
    for group in range(file.num_row_groups):
        data = file.metadata.row_group(group)
        chunks = (data.column(i) for i in range(data.num_columns))
        size = sum(c.total_uncompressed_size for c in chunks if c.path_in_schema.split(".")[0] in columns)
        rows = max(1, min(MAX_ROWS, TARGET_BYTES * data.num_rows // max(size, 1)))
        yield from file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def arrow_batches(request: Request, handle: BinaryIO) -> Iterator[Any]:
    """Record batches of an Arrow IPC file or stream."""
    is_file = request.format == "arrow"
    opener = pa.ipc.open_file if is_file else pa.ipc.open_stream
    with opener(handle) as reader:
        schema = reader.schema
    columns = check_schema(schema, request)
    options = pa.ipc.IpcReadOptions(included_fields=[schema.names.index(name) for name in columns], use_threads=False)
    handle.seek(0)
    with opener(handle, options=options) as reader:
        if is_file:
            yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
        else:
            yield from reader


def clean_column(column: Any, path: tuple[str, ...], unkept: list[tuple[tuple[str, ...], str]]) -> Any:
    """A column that the parent can turn into plain values: no extensions, views, dates or invalid UTF-8.

    Args:
        column: the column.
        path: its name, behind those of the structs that it stands in.
        unkept: gets path and type of what has no plain form.
    """
    written_as, column = str(column.type), unwrapped(column)
    kind = column.type
    if pa.types.is_struct(kind) and kind.num_fields and has_distinct_names(kind):
        inside = [clean_column(column.field(i), (*path, kind.field(i).name), unkept) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(inside, names=[field.name for field in kind], mask=column.is_null())
    plain = plain_column(column)
    if plain is None:
        unkept.append((path, written_as))
        return column.is_valid()
    return plain


def unwrapped(column: Any) -> Any:
    """A column without extension types, dictionaries and fixed widths."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return unwrapped(column.storage)
    if pa.types.is_dictionary(kind):
        if is_text_type(kind):
            column = pa.DictionaryArray.from_arrays(column.indices, column.dictionary.cast(pa.large_binary()))
        column.validate(full=True)
        return unwrapped(column.dictionary_decode())
    if pa.types.is_fixed_size_binary(kind):
        return uuid_texts(column) if kind.byte_width == UUID_BYTES else column.cast(pa.large_binary())
    return column


def plain_column(column: Any) -> Any:
    """A flat column as strings, numbers or lists; None if its type has no such form."""
    if pa.types.is_temporal(column.type):
        try:
            written = column.cast(pa.string())
        except pa.ArrowException:  # a time zone that this machine does not know, an interval
            return None
        return compute.replace_substring(written, pattern=" ", replacement="T", max_replacements=1)
    if is_text_type(column.type):
        column = column.cast(pa.large_binary())
        column.validate(full=True)
        try:
            return column.cast(pa.large_string())
        except pa.ArrowInvalid:
            return column  # some value is no UTF-8: the parent finds out which
    if not is_plain_type(column.type):
        return None
    column.validate(full=True)
    return column


def uuid_texts(column: Any) -> Any:
    """Values of 16 bytes in the form that UUIDs are written in."""
    column.validate(full=True)
    return pa.array(
        [None if value is None else str(uuid.UUID(bytes=value)) for value in column.to_pylist()], pa.string()
    )


def pieces(batch: Any, max_text_bytes: int) -> Iterator[Any]:
    """A batch in slices of at most about TARGET_BYTES, with strings over the limit left out and their rows listed."""
    limit = pa.scalar(max_text_bytes, pa.int64())
    waiting = [batch.slice(i, MAX_ROWS) for i in range(0, batch.num_rows, MAX_ROWS)][::-1]
    while waiting:
        part = waiting.pop()
        if part.num_rows > 1 and _estimate(part) > TARGET_BYTES:
            half = part.num_rows // 2
            waiting += [part.slice(half), part.slice(0, half)]
            continue
        unkept: list[tuple[tuple[str, ...], str]] = []
        columns = [
            clean_column(column, (name,), unkept) for name, column in zip(part.schema.names, part.columns, strict=True)
        ]
        too_big: set[int] = set()
        for at, column in enumerate(columns):
            if is_text_type(column.type):
                lengths = compute.binary_length(column)
                if (compute.max(lengths).as_py() or 0) > max_text_bytes:
                    is_long = compute.fill_null(compute.greater(lengths, limit), False)
                    too_big.update(compute.indices_nonzero(is_long).to_pylist())
                    columns[at] = compute.if_else(is_long, pa.scalar(None, column.type), column)
        fields = [pa.field(name, column.type) for name, column in zip(part.schema.names, columns, strict=True)]
        metadata = {"too_big": json.dumps(sorted(too_big)), "unkept": json.dumps(unkept)}
        yield pa.record_batch(columns, schema=pa.schema(fields, metadata=metadata))


def _estimate(part: Any) -> int:
    """Bytes of a slice once dictionaries are decoded."""
    total = 0
    for column in part.columns:
        if not (pa.types.is_dictionary(column.type) and is_text_type(column.type)):
            total += int(column.nbytes)
        else:
            values = column.dictionary.cast(pa.large_binary())
            total += compute.sum(compute.binary_length(values).take(column.indices)).as_py() or 0
    return total


def describe(request: Request) -> None:
    """Send the schema, and what is wrong with it."""
    if request.format == "parquet":
        from pyarrow import parquet  # noqa: PLC0415 - an Arrow file does without its import time

        schema = parquet.read_schema(request.path, memory_map=False)
    else:
        opener = pa.ipc.open_file if request.format == "arrow" else pa.ipc.open_stream
        with Path(request.path).open("rb") as handle, opener(handle) as reader:
            schema = reader.schema
    fault = None
    try:
        check_schema(schema, request)
    except SchemaError as error:
        fault = str(error)
    columns = [(path, is_open) for field in schema for path, is_open in paths_of(field.name, field.type)]
    send(b"S", json.dumps({"columns": columns, "fault": fault}).encode())


def paths_of(path: str, kind: Any) -> Iterator[tuple[str, bool]]:
    """A column and, if it is a struct, what is inside; each with whether more may be inside than the schema says."""
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    yield path, not pa.types.is_struct(kind)
    if pa.types.is_struct(kind):
        for field in kind:
            yield from paths_of(f"{path}.{field.name}", field.type)


def convert(request: Request) -> None:
    """Send every batch, then the end."""
    rows = 0
    is_marked = True
    with Path(request.path).open("rb") as handle:
        batches = parquet_batches(request) if request.format == "parquet" else arrow_batches(request, handle)
        for batch in batches:
            batch.validate()
            for piece in pieces(batch, request.max_text_bytes):
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, piece.schema) as writer:
                    writer.write_batch(piece)
                rows += piece.num_rows
                send(b"B", sink.getvalue())
    behind = 0
    if request.format != "parquet":
        with Path(request.path).open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            handle.seek(max(0, size - 8))
            is_marked = request.format == "arrow" or handle.read() == END_OF_STREAM
            behind = bytes_behind(handle, size, request.format == "arrow")
    send(b"F", json.dumps({"rows": rows, "is_marked": is_marked, "behind": behind}).encode())


def bytes_behind(handle: BinaryIO, size: int, is_file: bool) -> int:
    """Bytes that follow the first end of stream and are not the file's footer: another file joined on, or junk."""
    end = size
    if is_file:  # 8 bytes of magic and padding, a stream, the footer, its length and the magic again
        handle.seek(size - 10)
        end -= 10 + int.from_bytes(handle.read(4), "little")
    handle.seek(8 if is_file else 0)
    messages = pa.ipc.MessageReader.open_stream(handle)
    try:
        while True:
            messages.read_next_message()
    except StopIteration:
        return max(0, end - handle.tell())
    except (pa.ArrowException, OSError):  # an old writer's file has no end of stream before its footer
        return 0


def reason_of(error: BaseException) -> str:
    """The quarantine reason for what pyarrow raised."""
    message = str(error).lower()
    if isinstance(error, SchemaError) or "encrypt" in message or "decrypt" in message:
        return "schema_mismatch"
    if "crc" in message or "checksum" in message:
        return "checksum_mismatch"
    is_about_data = isinstance(error, (pa.ArrowException, OSError)) and not isinstance(error, MemoryError)
    return "decompress_error" if is_about_data and "worker thread" not in message else "parser_crash"


def main(arguments: list[str]) -> None:
    """Answer requests, one after another, until there are no more."""
    asked, hard = int(arguments[0]), resource.getrlimit(resource.RLIMIT_AS)[1]
    most = asked if hard == resource.RLIM_INFINITY else min(asked, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        try:
            answer(json.loads(line))
        except BrokenPipeError:
            os._exit(1)


def answer(written: dict[str, Any]) -> None:
    """Parse the file named in the request; every Python exception becomes an `E` frame."""
    request = Request(**{**written, "columns": tuple(written["columns"])})
    try:
        pa.set_cpu_count(1)
        (describe if request.is_about_schema else convert)(request)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever pyarrow raises is about the file and goes to the parent
        detail = f"{request.format}: {str(error) or type(error).__name__}"
        send(b"E", json.dumps({"reason": reason_of(error), "detail": detail}).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
