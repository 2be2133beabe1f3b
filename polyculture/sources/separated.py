"""Comma- or tab-separated values with a header: one record a row, which a quoted value may carry over many lines."""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from polyculture.sources.charset import find_bom
from polyculture.sources.csv_shape import Dialect, find_dialect
from polyculture.sources.mostly_bad import until_mostly_bad
from polyculture.sources.record import Reading, Record, Rejection, Slot, extensions_of
from polyculture.storage.messages import safe_detail
from schemas.documents import EMBEDDING
from schemas.quarantined import QuarantineReason

SAMPLE_BYTES = 2**16
SKIP_BYTES = 2**20
# Fields of the schema that are numbers: the only values that are taken out of their text.
_NUMBERS = ("hours", "cost", "sample_index", "generation_depth", EMBEDDING)
_NUMBER = re.compile(r"\s*[-\[\d]")


class _RowError(Exception):
    """A row that cannot be read."""

    def __init__(self, reason: QuarantineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_separated(reading: Reading) -> Iterator[Slot]:
    """The rows of a file of separated values, in order; see Reader. The first row names the columns.

    Dialect: see `find_dialect`. A row that is longer or shorter than the header, that breaks the rules of quoting, or
    is over `max_line_bytes`, costs itself: reading goes on with the line after its first one. Blank lines are no slots.
    About 30 MB a second where records have many lines; memory is bounded by `max_line_bytes`.
    """
    head = reading.stream.reader.peek(SAMPLE_BYTES)[:SAMPLE_BYTES]
    bom = find_bom(head)
    if bom is not None and bom[1] != "utf-8":
        detail = f"separated values in {bom[1]}: convert them to UTF-8"
        yield reading.lose_tail(QuarantineReason.UNSUPPORTED_CHARSET, detail, 0, reading.file.size_bytes)
        return
    sample = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip("\r\n")
    dialect = find_dialect(sample, extensions_of(reading.file.name))
    shown = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}[dialect.delimiter]
    hint = f"read as UTF-8 with {shown} between values and quotes {dialect.quoting}: is it another format?"
    verdict = "rows do not fit the header"
    rows = _Rows(reading, dialect).slots()
    yield from until_mostly_bad(reading, rows, verdict, hint, QuarantineReason.BAD_ROW)


@dataclass(slots=True)
class _Lines:
    """The lines of the file, of which some can be given back."""

    reading: Reading
    waiting: list[bytes] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)  # of the row that is being read
    taken_bytes: int = 0
    offset: int = 0  # where the row starts
    is_undecodable: bool = False

    def __iter__(self) -> Iterator[str]:
        """Decoded lines of the row; bytes that are no UTF-8 come as surrogates, and the row is marked."""
        most = self.reading.limits.max_line_bytes
        while True:
            line = self.waiting.pop() if self.waiting else self.reading.stream.reader.readline(most + 1)
            if not line:
                return
            self.taken.append(line)
            self.taken_bytes += len(line)
            if self.taken_bytes > most + 1 or (self.taken_bytes == most + 1 and line[-1] != 10):
                detail = f"a row of more than {most} bytes (limits.max_line_bytes), or a quote that nothing closes"
                raise _RowError(QuarantineReason.TOO_LONG_LINE, detail)
            if self.offset == 0 and len(self.taken) == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self.is_undecodable = True
                yield line.decode("utf-8", "surrogateescape")

    def next_row(self) -> None:
        """Forget the lines of a row."""
        self.offset += self.taken_bytes
        self.taken, self.taken_bytes, self.is_undecodable = [], 0, False

    def give_back(self) -> None:
        """Keep the first line of the row, the rest of it read to its end, and give the others back."""
        first = self.taken[0]
        self.waiting += reversed(self.taken[1:])
        self.taken, self.taken_bytes = [first], len(first)
        if first[-1] != 10 and not self.waiting:
            while part := self.reading.stream.reader.readline(SKIP_BYTES):
                self.taken_bytes += len(part)
                if part[-1] == 10:
                    return


class _Rows:
    """One pass over the rows."""

    def __init__(self, reading: Reading, dialect: Dialect) -> None:
        self._reading = reading
        self._dialect = dialect
        self._lines = _Lines(reading)
        self._header: list[str] = []
        self._numbers = {reading.columns[name] for name in _NUMBERS if name in reading.columns}

    def slots(self) -> Iterator[Slot]:
        """Every row behind the header; what is wrong with the header costs the file."""
        lines, reading = self._lines, self._reading
        rows = self._dialect.rows(iter(lines))
        while True:
            try:
                row = next(rows)
            except StopIteration:
                break
            except (csv.Error, _RowError) as error:
                if self._is_end(error):
                    break
                fault = self._fault(error)
                digest = hashlib.sha256(lines.taken[0]).hexdigest()
                lines.give_back()
                yield Rejection(fault.reason, safe_detail(str(fault)), lines.offset, digest)
                lines.next_row()
                rows = self._dialect.rows(iter(lines))
                continue
            if reading.stream.problem is not None and lines.taken and lines.taken[-1][-1:] != b"\n":
                break  # the beginning of a record whose end is lost
            if row and self._header:
                yield self._slot(row)
            elif row:
                problem = self._take_header(row)
                if problem is not None:
                    detail = f"{problem}; the file has {', '.join(self._header)}"
                    yield reading.lose_tail(QuarantineReason.SCHEMA_MISMATCH, detail, 0, reading.file.size_bytes)
                    return
            lines.next_row()
        tail = reading.lost_tail(lines.offset)
        if tail is not None:
            yield tail
        elif lines.taken:
            detail = "the file ends inside a quoted value: a cut file, or a quote that nothing closes"
            yield reading.lose_tail(QuarantineReason.TRUNCATED_INPUT, detail, lines.offset, lines.taken_bytes)

    def _is_end(self, error: Exception) -> bool:
        """True if the file ends inside a quoted value, and what it holds are no rows of their own."""
        if "unexpected end of data" not in str(error):
            return False
        return self._reading.stream.problem is not None or not self._are_rows(self._lines.taken[1:])

    def _are_rows(self, lines: list[bytes]) -> bool:
        """True if most lines are as long as the header by themselves: the quote before them was none."""
        if len(self._header) < 2:
            return False
        rows = fitting = 0
        for line in lines:
            try:
                row = next(self._dialect.rows(iter([line.decode("utf-8", "replace")])), [])
            except csv.Error:
                row = [""]
            rows += bool(row)
            fitting += len(row) == len(self._header)
        return fitting * 2 > rows

    @staticmethod
    def _fault(error: Exception) -> _RowError:
        if isinstance(error, _RowError):
            return error
        if "unexpected end of data" in str(error):
            return _RowError(QuarantineReason.BAD_ROW, "a quote that nothing closes")
        if "new-line character" in str(error):
            return _RowError(QuarantineReason.BAD_ROW, "a carriage return without a newline inside a row")
        return _RowError(QuarantineReason.BAD_ROW, f"{error}: a quote inside a quoted value that is not doubled")

    def _take_header(self, row: list[str]) -> str | None:
        """Take the names of the columns; returns what is wrong with them."""
        self._header = [name.strip() for name in row]
        wanted = {name: self._column_of(name) for name in self._reading.columns.values()}
        text = self._reading.columns["text"]
        if wanted[text] is None:
            return f"no column for text ({text})"
        repeated = sorted(name for name in filter(None, wanted.values()) if self._header.count(name) > 1)
        return f"the column {repeated[0]} occurs {self._header.count(repeated[0])} times" if repeated else None

    def _column_of(self, name: str) -> str | None:
        first = name if name in self._header else name.partition(".")[0]
        return first if first in self._header else None

    def _slot(self, row: list[str]) -> Slot:
        lines = self._lines
        raw = lines.taken[0] if len(lines.taken) == 1 else b"".join(lines.taken)
        digest = hashlib.sha256(raw).hexdigest()
        fault = None
        if b"\0" in raw:
            fault = QuarantineReason.NUL_OR_CONTROL, f"raw U+0000 at byte {raw.index(0)} of the row"
        elif lines.is_undecodable:
            fault = QuarantineReason.INVALID_UTF8, "the row is no UTF-8"
        elif len(row) != len(self._header):
            fault = QuarantineReason.BAD_ROW, f"a row of {len(row)} values, the header has {len(self._header)}"
        if fault is not None:
            return Rejection(*fault, lines.offset, digest)
        values: dict[str, object] = dict(zip(self._header, row, strict=True))
        for name in self._numbers & values.keys():
            values[name] = _number(str(values[name]))
        return Record(values, lines.offset, digest)


def _number(written: str) -> object:
    """The number, or the list of numbers, that a value spells; the value itself if it spells none."""
    if not _NUMBER.match(written):
        return written
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        return written
