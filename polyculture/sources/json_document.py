"""JSON that is one value over the whole file: an array of objects, or an object that holds one array of them.

The array is never held whole: each element's end is found first, and the element is parsed as a line of JSON Lines is.
"""

import codecs
import hashlib
from collections.abc import Iterator, Mapping

import orjson

from polyculture.sources.charset import find_bom
from polyculture.sources.json_line import LineFault, parse_line
from polyculture.sources.json_scan import CutError, JsonWindow, StructureError
from polyculture.sources.mostly_bad import until_mostly_bad
from polyculture.sources.record import Reading, Record, Rejection, Slot
from polyculture.sources.stream import Codec
from polyculture.storage.messages import safe_detail
from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig

MOST_KEYS_NAMED = 5
EARLY_ELEMENTS = 10  # of which one must be a record, where an object could be a record itself
_HINT = "an array of objects is wanted, or one object a line (jq -c .)"
_SEVERAL_LINES = "one JSON object over several lines: another format, or JSON over several lines?"


def read_json(reading: Reading, start: bytes = b"") -> Iterator[Slot]:
    """The objects of a JSON array, at the top or under one key of an object, in order; see Reader.

    An element over `max_line_bytes` is passed over in bounded memory; one that is no object, or no valid JSON, costs
    itself. Where the brackets do not add up the rest of the file is lost, from there on.

    Args:
        reading: the file.
        start: bytes that were taken from the stream before.
    """
    bom = find_bom(start[:4] or reading.stream.reader.peek(4)[:4])
    if bom is not None and bom[1] != "utf-8":
        detail = f"JSON in {bom[1]}: convert it to UTF-8"
        yield reading.lose_tail(QuarantineReason.UNSUPPORTED_CHARSET, detail, 0, reading.file.size_bytes)
        return
    reason = QuarantineReason.NOT_OBJECT
    verdict = "elements of the array are no objects"
    yield from until_mostly_bad(reading, _JsonDocument(reading, start).slots(), verdict, _HINT, reason)


def has_column(value: Mapping[str, object], column: str) -> bool:
    """True if an object has the key that a name or dotted path starts from."""
    return column in value or column.partition(".")[0] in value


def holds_records_of(start: bytes, column: str, limits: LimitsConfig) -> bool:
    """True if the beginning of an object without `column` leads to an array of objects of which an early one has it."""
    window = JsonWindow(lambda _: b"", start.removeprefix(codecs.BOM_UTF8))
    window.peek()
    window.skip(1)
    try:
        while window.peek() == b'"':
            key = _written(window.value(len(start))[0])
            if window.peek() != b":" or has_column({key: None}, column):
                return False
            window.skip(1)
            is_array = window.peek() == b"["
            window.skip(int(is_array))
            if is_array and window.peek() == b"{":
                return _begins_with(window, column, limits)
            window.pass_over(int(is_array))
            if window.peek() != b",":
                return False
            window.skip(1)
    except (CutError, StructureError):
        pass
    return False


def _begins_with(window: JsonWindow, column: str, limits: LimitsConfig) -> bool:
    """True if one of the first elements of an array is an object with `column`."""
    for _ in range(EARLY_ELEMENTS):
        first = parse_line(window.value(limits.max_line_bytes)[0])
        if not isinstance(first, LineFault) and has_column(first, column):
            return True
        if window.peek() != b",":
            return False
        window.skip(1)
        window.peek()
    return False


class _JsonDocument:
    """One pass over the file."""

    def __init__(self, reading: Reading, start: bytes) -> None:
        self._reading = reading
        self._window = JsonWindow(reading.stream.reader.read, start)
        self._record_at = 0  # where what is being read began
        self._value_at = 0  # where the value of the last key begins

    def slots(self) -> Iterator[Slot]:
        """Every element; what cannot be read is one rejection at the end."""
        window, reading = self._window, self._reading
        try:
            if window.peek() == codecs.BOM_UTF8[:1]:
                window.skip(len(codecs.BOM_UTF8))
            if window.peek() == b"[":
                window.skip(1)
                yield from self._elements()
            else:
                yield from self._object()
            self._record_at = window.offset
            self._check_end()
        except CutError:
            tail = reading.lost_tail(self._record_at)
            if tail is None:
                detail = "the file ends before its JSON does: a cut file? Fetch it again"
                tail = self._lose(QuarantineReason.TRUNCATED_INPUT, detail)
            yield tail
            return
        except StructureError as error:
            yield self._lose(QuarantineReason.BAD_JSON, f"{error}, at byte {window.offset}")
            return
        tail = reading.lost_tail(window.offset)
        if tail is not None:
            yield tail

    def _lose(self, reason: QuarantineReason, detail: str) -> Rejection:
        size = self._reading.file.size_bytes
        is_plain = self._reading.stream.codec is Codec.PLAIN
        return self._reading.lose_tail(reason, detail, self._record_at, size - self._record_at if is_plain else size)

    def _check_end(self) -> None:
        following = self._window.peek()
        if following:
            shown = "another JSON value" if following in b"[{" else "something"
            raise StructureError(f"{shown} follows the end of the first one: write one object a line")

    def _elements(self) -> Iterator[Slot]:
        """The elements of an array, from behind its opening bracket to behind its closing one."""
        window = self._window
        self._record_at = window.offset
        is_first = True
        while True:
            following = window.peek()
            if following == b"]" and not is_first:
                self._reading.notes.warnings.append("a comma stands before the end of the array")
            if following == b"]":
                window.skip(1)
                return
            self._record_at = window.offset
            yield self._element()
            is_first = False
            self._record_at = window.offset
            following = window.peek()
            if not following:
                raise CutError
            if following not in b",]":
                raise StructureError("neither a comma nor the end of the array follows an element")
            window.skip(1)
            if following == b"]":
                return
            self._record_at = window.offset

    def _element(self) -> Slot:
        limits = self._reading.limits
        if not self._window.peek():
            raise CutError
        start = self._window.offset
        body, length = self._window.value(limits.max_line_bytes)
        digest = hashlib.sha256(body).hexdigest()
        if length > limits.max_line_bytes:
            detail = f"an element of {length} bytes, at most {limits.max_line_bytes} (limits.max_line_bytes)"
            return Rejection(QuarantineReason.TOO_LONG_LINE, detail, start, digest)
        value = parse_line(body)
        if isinstance(value, LineFault):
            return Rejection(value.reason, safe_detail(value.detail), start, digest)
        return Record(value, start, digest)

    def _object(self) -> Iterator[Slot]:
        """The elements of the one array of objects that the object holds."""
        window, beside, held = self._window, list[str](), None
        for key in self._keys():
            is_records = False
            if window.peek() == b"[":
                window.skip(1)
                is_records = window.peek() == b"{"
            if is_records and held is not None:
                self._record_at = window.offset
                raise StructureError(f"a second array of objects, under {key!r} beside {held!r}: split the file")
            if is_records:
                held = key
                yield from self._elements()
                self._record_at = window.offset
                continue
            beside.append(key)
            window.pass_over(depth=int(window.offset > self._value_at))
        if held is None:
            self._record_at = 0
            self._reading.notes.warnings.append(f"{_SEVERAL_LINES} {_HINT}")
            raise StructureError(f"{_SEVERAL_LINES} {_HINT}")
        if beside:
            shown = ", ".join(beside[:MOST_KEYS_NAMED]) + (", ..." if len(beside) > MOST_KEYS_NAMED else "")
            said = f"the records are those under {held!r}; left out beside them: {shown}"
            self._reading.notes.warnings.append(safe_detail(said))

    def _keys(self) -> Iterator[str]:
        """The keys of the object, each with the window at the start of its value."""
        window = self._window
        window.skip(1)
        while (following := window.peek()) != b"}":
            if not following:
                raise CutError
            if following != b'"':
                raise StructureError("no key where one is wanted")
            key, length = window.value(self._reading.limits.max_line_bytes)
            if length > len(key) or window.peek() != b":":
                raise StructureError("no colon follows a key")
            window.skip(1)
            if not window.peek():
                raise CutError
            self._value_at = window.offset
            yield _written(key)
            following = window.peek()
            if following not in (b",", b"}"):
                if not following:
                    raise CutError
                raise StructureError("neither a comma nor the end of the object follows a value")
            if following == b",":
                window.skip(1)
        window.skip(1)


def _written(key: bytes) -> str:
    try:
        return str(orjson.loads(key))
    except orjson.JSONDecodeError as error:
        raise StructureError(f"a key that is no JSON string ({error.msg})") from error
