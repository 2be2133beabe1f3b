"""Records to documents: the configured columns, checked types. Nothing is ever converted to text by `str()`."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

import orjson

from polyculture.sources.chat import HINT, render_chat
from polyculture.sources.json_line import LineFault, json_type, nesting_fault, parse_line
from polyculture.sources.record import Record, Rejection, Unkept
from polyculture.storage.messages import safe_detail
from polyculture.text.canonical import canonical_text
from schemas.documents import DOCUMENT_FIELDS, EMBEDDING, MAPPABLE_FIELDS
from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig, SourceConfig

MAX_ID_BYTES = 512
INT64 = 2**63
EXACT_FLOAT = 2**53  # a float below it that is whole stands for one integer
_WORD = re.compile(r"[^\W_]")
Converter = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document, before identity and statistics are added.

    Attributes:
        values: mappable field -> value of its column's type. `id` (the record's own, or None) and `text` are always
            there; any other field that is absent is null.
        position: the record slot's number in its file, from 0; slots that were set aside count.
        byte_offset: the same as in Record.
        sha256: the same as in Record.
    """

    values: dict[str, object]
    position: int
    byte_offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A source's `fields`, worked out once.

    Attributes:
        columns: our field -> column or dotted path, for all fields that this source can have.
        fields: field that each column or path supplies, `text` aside: column -> (field, converter), ...
        paths: the keys of `fields` that are dotted.
        limits: bounds on a text, and on the JSON values of mapped columns.
        asked: fields that the configuration maps, text aside.
        is_split: text files are split at blank lines.
        chat_template: template of a message, where texts are lists of messages.
    """

    columns: Mapping[str, str]
    fields: Mapping[str, tuple[tuple[str, Converter], ...]]
    paths: tuple[str, ...]
    limits: LimitsConfig
    asked: tuple[str, ...] = ()
    is_split: bool = False
    chat_template: str | None = None

    @property
    def is_chat(self) -> bool:
        """True if texts may be lists of messages."""
        return self.chat_template is not None


@dataclass(slots=True)
class Tally:
    """Count of what became of the values of a file's records, text aside.

    Attributes:
        records: records with a text.
        given: records that gave a value to a field, by field.
        empty: records that had a field's column without a value in it, by field.
        lost: values that became null, by field and the type found.
        nul: U+0000 characters removed from texts.
        silent: messages of chats without content.
    """

    records: int = 0
    given: Counter[str] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    nul: int = 0
    silent: int = 0

    def warnings(self, plan: FieldPlan) -> Iterator[str]:
        """Sentences on what was removed or lost, and on mapped columns that gave nothing."""
        if self.nul:
            yield f"{self.nul} U+0000 removed from texts"
        if self.silent:
            yield f"{self.silent} messages of chats have no content (tool calls?) and are empty in the text"
        for (name, found), count in sorted(self.lost.items()):
            became = "the record's number" if name == "id" else "null"
            yield f"{count} values of {name} (column `{safe_detail(plan.columns[name])}`) became {became}: " + (
                f"found {safe_detail(found)}, wanted {_WANTED.get(name, _STRING)}"
            )
        without = {name for name, _ in self.lost} | set(self.given)
        for name in sorted({*plan.asked, *(["id"] if self.empty["id"] else [])} - without):
            if self.records:
                column = safe_detail(plan.columns[name])
                yield f"{name} (column `{column}`) is absent, null or empty in all {self.records} records"


def plan_fields(source: SourceConfig, limits: LimitsConfig) -> FieldPlan:
    """Assign columns to fields: as configured, else the column of the field's own name.

    A field that says nothing about the source's kind is only read where the configuration asks for it.
    """
    kinds = {field.name: field.kinds for field in DOCUMENT_FIELDS}
    columns = {
        name: source.fields.get(name, name)
        for name in MAPPABLE_FIELDS
        if name in source.fields or (name != EMBEDDING and source.kind in kinds.get(name, {source.kind}))
    }
    fields: dict[str, tuple[tuple[str, Converter], ...]] = {}
    for name, column in columns.items():
        if name != "text":
            fields[column] = (*fields.get(column, ()), (name, _CONVERTERS.get(name, _to_string)))
    asked = tuple(name for name in source.fields if name != "text")
    paths = tuple(column for column in fields if "." in column)
    is_split = source.text_records == "blank_lines"
    return FieldPlan(columns, fields, paths, limits, asked, is_split, source.chat_template)


def to_document(record: Record, position: int, plan: FieldPlan, tally: Tally) -> Document | Rejection:
    """Check one record.

    Args:
        record: the record that a reader yielded.
        position: its slot number in the file.
        plan: result of `plan_fields`.
        tally: counts what cost no document: values of a wrong type, which become null, and U+0000 in texts.

    Returns:
        The document, or why there is none. O(size of the record).
    """
    values = record.values
    text = _text_of(values, plan, tally)
    if type(text) is not str:
        if not isinstance(text, bytes):
            return _no_text(record, text)
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            return _reject(record, QuarantineReason.INVALID_UTF8, f"{error.reason} at byte {error.start} of the text")
    fault = _text_fault(text, plan.limits.max_document_bytes)
    if fault is not None:
        return _reject(record, *fault)
    if "\0" in text:
        tally.nul += text.count("\0")
        text = text.replace("\0", "")
    tally.records += 1
    checked: dict[str, object] = {"id": None, "text": text}
    for column in plan.fields:
        if column not in values and column not in plan.paths:
            continue
        value = find_value(values, column)
        nested = nesting_fault(value, plan.limits)
        if nested is not None:
            return _reject(record, nested.reason, f"in the column {column}: {nested.detail}")
        _convert(value, plan.fields[column], checked, tally)
    fault = _field_fault(checked, plan.limits.max_document_bytes)
    if fault is not None:
        return _reject(record, *fault)
    return Document(checked, position, record.byte_offset, record.sha256)


def _text_of(values: Mapping[str, object], plan: FieldPlan, tally: Tally) -> object:
    """The value of the text's column, messages of a chat rendered; a LineFault if they cannot be."""
    text = find_value(values, plan.columns["text"])
    if type(text) is not list or plan.chat_template is None:
        return text
    rendered = render_chat(text, plan.chat_template)
    if isinstance(rendered, LineFault):
        return rendered
    tally.silent += rendered[1]
    return rendered[0]


def _convert(
    value: object, fields: tuple[tuple[str, Converter], ...], checked: dict[str, object], tally: Tally
) -> None:
    """Put one column's value into the fields that it supplies."""
    is_empty = value is None or value == ""
    for name, convert in fields:
        if is_empty:
            tally.empty[name] += 1
            continue
        converted = convert(value)
        if converted is None:
            tally.lost[name, _type_found(value)] += 1
        else:
            tally.given[name] += 1
            checked[name] = converted


def _type_found(value: object) -> str:
    """The type of a value that a field cannot hold, for people."""
    if isinstance(value, Unkept):
        return value.kind
    if isinstance(value, LineFault):
        return f"JSON that is not acceptable ({value.reason})"
    if isinstance(value, bytes):
        return "binary"
    if isinstance(value, Decimal | float):
        return "a number that is not whole" if math.isfinite(value) else "NaN or infinity"
    if isinstance(value, datetime | date):
        return "a date"
    return "half a surrogate pair" if type(value) is str and not _is_encodable(value) else json_type(value)


def find_value(values: Mapping[str, object], column: str) -> object:
    """A column's value; a dotted path goes into objects and into strings that hold a JSON object.

    None if it is absent; a LineFault if JSON in a string is not acceptable.
    """
    if "." not in column or column in values:
        return values.get(column)
    value: object = values
    for part in column.split("."):
        if type(value) is str and len(value) > 2 and value.lstrip()[:1] == "{":  # `{}` is common and holds nothing
            value = parse_line(value.encode("utf-8", "surrogatepass"))
            if isinstance(value, LineFault):
                return None if value.reason is QuarantineReason.BAD_JSON else value
        if type(value) is not dict:
            return None
        value = value.get(part)
    return value


def _reject(record: Record, reason: QuarantineReason, detail: str) -> Rejection:
    return Rejection(reason, safe_detail(detail), record.byte_offset, record.sha256)


def _no_text(record: Record, text: object) -> Rejection:
    if isinstance(text, LineFault):
        return _reject(record, text.reason, f"in what holds the text: {text.detail}")
    if text is None:
        keys = ", ".join(sorted(map(str, record.values))[:20])
        return _reject(record, QuarantineReason.TEXT_MISSING, f"no text; the record has {keys or 'no keys'}")
    return _reject(
        record, QuarantineReason.TEXT_WRONG_TYPE, f"text is {type(text).__name__}, wanted a string{_chat_hint(text)}"
    )


def _chat_hint(text: object) -> str:
    is_chat = type(text) is list and text and isinstance(text[0], dict) and "role" in text[0]
    return f"; {HINT}" if is_chat else ""


def _text_fault(text: str, max_document_bytes: int) -> tuple[QuarantineReason, str] | None:
    """The reason why this string cannot be a document's text; None if it can."""
    try:
        length = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as error:
        return QuarantineReason.LONE_SURROGATE, f"half a surrogate pair at character {error.start}"
    if length > max_document_bytes:
        detail = f"a text of {length} bytes, at most {max_document_bytes} (limits.max_document_bytes)"
        return QuarantineReason.DOC_TOO_BIG, detail
    # Nearly every text has a letter early on; only the others pay for the full definition of emptiness.
    if not _WORD.search(text) and not canonical_text(text.replace("\0", "")):
        return QuarantineReason.TEXT_EMPTY, f"{len(text)} characters, none of them visible"
    return None


def _field_fault(checked: Mapping[str, object], max_document_bytes: int) -> tuple[QuarantineReason, str] | None:
    """Name another field that is longer than a text may be; None if none is."""
    for name, value in checked.items():
        if type(value) is str and len(value) * 4 > max_document_bytes and name != "text":
            length = len(value.encode())
            if length > max_document_bytes:
                detail = f"{name} of {length} bytes, at most {max_document_bytes} (limits.max_document_bytes)"
                return QuarantineReason.DOC_TOO_BIG, detail
    return None


def _to_string(value: object) -> str | None:
    """Strings, also as bytes of UTF-8; whole numbers of any type without a fraction; dates as ISO 8601."""
    if type(value) is str:
        return value if _is_encodable(value) else None
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    whole = _whole(value)
    return None if whole is None else str(whole)


def _whole(value: object) -> int | None:
    """The integer that a number stands for, also as a float or decimal, as columns with nulls come; None if none."""
    if type(value) is int:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= EXACT_FLOAT else None
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else None
    return None


def _to_id(value: object) -> str | None:
    """The record's own id; one over 512 bytes is replaced by its digest. Never used as a path."""
    own = _to_string(value)
    if own is None or len(own) * 4 <= MAX_ID_BYTES or len(own.encode()) <= MAX_ID_BYTES:
        return own
    return "sha256:" + sha256(own.encode()).hexdigest()


def _to_number(value: object) -> float | None:
    if type(value) is not int and type(value) is not float and not isinstance(value, Decimal):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _to_integer(value: object) -> int | None:
    """Integers of 64 bits; a float or decimal counts if it is whole."""
    whole = _whole(value)
    return whole if whole is not None and -INT64 <= whole < INT64 else None


def _to_json(value: object) -> str | None:
    """Sampling parameters: an object as JSON with sorted keys, a string as it is."""
    if type(value) is not dict:
        return _to_string(value) if type(value) is str else None
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # a value that JSON does not have, such as bytes
        return None


def _to_vector(value: object) -> list[float] | None:
    """An embedding: finite numbers, of which one is not zero."""
    if type(value) is not list or not all(type(x) is float or type(x) is int for x in value):
        return None
    try:
        vector = [float(x) for x in value]
    except OverflowError:
        return None
    return vector if any(vector) and all(map(math.isfinite, vector)) else None


def _is_encodable(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_CONVERTERS: Mapping[str, Converter] = {
    "id": _to_id,
    "hours": _to_number,
    "cost": _to_number,
    "sample_index": _to_integer,
    "generation_depth": _to_integer,
    "sampling_parameters": _to_json,
    EMBEDDING: _to_vector,
}

_STRING = "a string or a whole number"
_NUMBER, _INTEGER = "a finite number", "a whole number of 64 bits"
_WANTED: Mapping[str, str] = {
    "hours": _NUMBER,
    "cost": _NUMBER,
    "sample_index": _INTEGER,
    "generation_depth": _INTEGER,
    "sampling_parameters": "an object or a string",
    EMBEDDING: "a list of finite numbers, not all zero",
}
