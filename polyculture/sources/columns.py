"""A look at the head of a source's files before a run: a column that does not exist is found in seconds, not hours."""

from collections.abc import Mapping, Sequence
from itertools import islice

from polyculture.errors import ConfigError
from polyculture.sources.columnar import read_schema
from polyculture.sources.decoders import DamageError
from polyculture.sources.documents import find_value, plan_fields
from polyculture.sources.readers import READERS
from polyculture.sources.record import FileNotes, InputFile, Reading, Record
from polyculture.sources.sniff import HEAD_BYTES, Refused, recognise
from polyculture.sources.stream import ByteStream, Codec, FirstPass, Problem
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig, SourceConfig

MOST_FILES = 8  # of a source, where the first ones do not have a column
MOST_RECORDS = 100  # of a file: a key may be missing from some records
MOST_BYTES = 4 * 2**20  # decompressed, of a file
MOST_NAMES = 30  # columns that a message lists
SCHEMA_FORMATS = frozenset({"parquet", "arrow", "arrow_stream"})
FIXED_FORMATS = frozenset({"warc", "html", "text"})  # their columns are the reader's, whatever the file holds


class HeadStream(ByteStream):
    """The first bytes of a file, decompressed without a pass over the whole file."""

    def _examine(self, size: int, limits: LimitsConfig) -> FirstPass:
        self._handle.seek(0)
        kept: list[bytes] = []
        held, is_whole = 0, True
        try:
            for piece in self._pieces(size, limits):
                kept.append(piece)
                held += len(piece)
                if held >= MOST_BYTES:
                    is_whole = False
                    break
        except DamageError:
            is_whole = False
        problem = None if is_whole else Problem(QuarantineReason.TRUNCATED_INPUT, "only the head was read", 0)
        return FirstPass(held, problem, [], kept)


class _Seen:
    """The columns of the files that were looked at so far.

    Attributes:
        missing: fields that no file has shown a column for yet.
        names: columns that were seen, in their order.
        has_own_columns: at least one file has columns of its own.
        fault: why no text can come of the last file, if its schema says so.
    """

    def __init__(self, missing: Mapping[str, str]) -> None:
        self.missing = dict(missing)
        self.names: dict[str, None] = {}
        self.has_own_columns = False
        self.fault: str | None = None


def check_columns(source: SourceConfig, files: Sequence[InputFile], limits: LimitsConfig) -> None:
    """Refuse a source whose text column, or a mapped column of a file with a schema, does not exist.

    Looks at the schema of a Parquet or Arrow file, and at the first 100 records of any other. If the first file lacks a
    column, up to seven more are asked. What cannot be read says nothing here: its loss is the run's to count.

    Args:
        source: its `fields` are what is looked for.
        files: its files, in order.
        limits: bounds.

    Raises:
        ConfigError: a column does not exist; the message lists those that do.
    """
    plan = plan_fields(source, limits)
    seen = _Seen({name: plan.columns[name] for name in ("text", *plan.asked)})
    for file in files[:MOST_FILES]:
        try:
            with HeadStream.open(file.path, limits) as stream:
                _look(
                    Reading(
                        file, stream, plan.columns, limits, FileNotes(), is_split=plan.is_split, is_chat=plan.is_chat
                    ),
                    seen,
                )
        except (OSError, MemoryError, RecursionError, DamageError):
            continue
        if not seen.missing and seen.fault is None:
            return
    if seen.names and (seen.has_own_columns or len(files) <= MOST_FILES):
        _refuse(source, seen)


def _look(reading: Reading, seen: _Seen) -> None:
    """Note the columns of one file."""
    head = reading.stream.reader.peek(HEAD_BYTES)[:HEAD_BYTES]
    found = recognise(reading.file.name, head, reading.stream.codec is not Codec.PLAIN)
    if isinstance(found, Refused) or found == "empty":
        return
    if found in SCHEMA_FORMATS:
        _look_at_schema(reading, found, seen)
        return
    is_own = found not in FIXED_FORMATS
    slots = (slot.values for slot in READERS[found](reading) if isinstance(slot, Record))
    records = list(islice(slots, MOST_RECORDS if is_own else 1))
    if not records:
        return
    seen.names |= dict.fromkeys(name for values in records for name in values)
    seen.has_own_columns |= is_own
    seen.fault = None
    for name, column in list(seen.missing.items()):
        # Records need not have a key that is rarely used: only a text that none has is certain to be a mistake.
        if name != "text" or any(column in values or find_value(values, column) is not None for values in records):
            del seen.missing[name]


def _look_at_schema(reading: Reading, format_name: str, seen: _Seen) -> None:
    schema = read_schema(reading, format_name)
    if schema is None:
        return
    seen.has_own_columns = True
    seen.names |= dict.fromkeys(schema.columns)
    for name, column in list(seen.missing.items()):
        parts = column.split(".")
        inside = (".".join(parts[:length]) for length in range(1, len(parts)))
        if column in schema.columns or any(schema.columns.get(path, False) for path in inside):
            del seen.missing[name]
    seen.fault = None if "text" in seen.missing else schema.fault


def _refuse(source: SourceConfig, seen: _Seen) -> None:
    """Raise for what is missing."""
    if not seen.missing:
        raise ConfigError(f"source {source.name}: {safe_detail(seen.fault or '', 500)}")
    name, column = next(iter(seen.missing.items()))
    shown = [safe_detail(found) for found in islice(seen.names, MOST_NAMES)]
    more = len(seen.names) - len(shown)
    there = ", ".join(shown) + (f" and {more} more" if more else "")
    key = f"correct `fields.{name}`" if name in source.fields else f"name the column under `fields`: {{{name}: COLUMN}}"
    problem = f"column `{safe_detail(column)}` does not exist; there are: {there}; {key}"
    raise ConfigError(f"source {source.name}: {problem}")
