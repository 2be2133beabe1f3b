"""Records to documents: the configured columns, checked types. Nothing is ever converted to text by `str()`."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import orjson

from polyculture.sources.json_line import LineFault, parse_line
from polyculture.sources.record import Record, Rejection
from polyculture.storage.messages import safe_detail
from polyculture.text.canonical import canonical_text
from schemas.documents import DOCUMENT_FIELDS, EMBEDDING, MAPPABLE_FIELDS
from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig, SourceConfig

MAX_ID_BYTES = 512
INT64 = 2**63
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
        limits: bounds on a text, and on JSON inside strings.
    """

    columns: Mapping[str, str]
    fields: Mapping[str, tuple[tuple[str, Converter], ...]]
    paths: tuple[str, ...]
    limits: LimitsConfig


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
    return FieldPlan(columns, fields, tuple(c for c in fields if "." in c), limits)


def to_document(record: Record, position: int, plan: FieldPlan, lost: Counter[str]) -> Document | Rejection:
    """Check one record.

    Args:
        record: the record that a reader yielded.
        position: its slot number in the file.
        plan: result of `plan_fields`.
        lost: counts what cost no document: provenance values of a wrong type, by field, which become null; and
            under `U+0000`, such characters removed from texts.

    Returns:
        The document, or why there is none. O(size of the record).
    """
    values = record.values
    text = _find(values, plan.columns["text"], plan.limits)
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
        lost["U+0000"] += text.count("\0")
        text = text.replace("\0", "")
    checked: dict[str, object] = {"id": None, "text": text}
    for column in plan.fields.keys() & values.keys():
        _convert(values[column], plan.fields[column], checked, lost)
    for column in plan.paths:
        if column not in values:
            _convert(_find(values, column, plan.limits), plan.fields[column], checked, lost)
    fault = _field_fault(checked, plan.limits.max_document_bytes)
    if fault is not None:
        return _reject(record, *fault)
    return Document(checked, position, record.byte_offset, record.sha256)


def _convert(
    value: object, fields: tuple[tuple[str, Converter], ...], checked: dict[str, object], lost: Counter[str]
) -> None:
    """Put one column's value into the fields that it supplies."""
    if value is None or value == "":
        return
    for field, convert in fields:
        converted = convert(value)
        if converted is None:
            lost[field] += 1
        else:
            checked[field] = converted


def _find(values: Mapping[str, object], column: str, limits: LimitsConfig) -> object:
    """A column's value; a dotted path goes into objects and into strings that hold a JSON object.

    None if it is absent; a LineFault if JSON in a string is not acceptable.
    """
    if "." not in column or column in values:
        return values.get(column)
    value: object = values
    for part in column.split("."):
        if type(value) is str and len(value) > 2 and value.lstrip()[:1] == "{":  # `{}` is common and holds nothing
            value = parse_line(value.encode("utf-8", "surrogatepass"), limits)
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
        return _reject(record, text.reason, f"in the string that holds the text: {text.detail}")
    if text is None:
        keys = ", ".join(sorted(map(str, record.values))[:20])
        return _reject(record, QuarantineReason.TEXT_MISSING, f"no text; the record has {keys or 'no keys'}")
    return _reject(record, QuarantineReason.TEXT_WRONG_TYPE, f"text is {type(text).__name__}, wanted a string")


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
    """Strings and integers; dates as ISO 8601."""
    if type(value) is str:
        return value if _is_encodable(value) else None
    if type(value) is int:
        return str(value)
    return value.isoformat() if isinstance(value, (datetime, date)) else None


def _to_id(value: object) -> str | None:
    """The record's own id; one over 512 bytes is replaced by its digest. Never used as a path."""
    own = str(value) if type(value) is int else value
    if type(own) is not str or not _is_encodable(own):
        return None
    if len(own) * 4 <= MAX_ID_BYTES or len(own.encode()) <= MAX_ID_BYTES:
        return own
    return "sha256:" + sha256(own.encode()).hexdigest()


def _to_number(value: object) -> float | None:
    if type(value) is not int and type(value) is not float:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _to_integer(value: object) -> int | None:
    """Integers of 64 bits; a float counts if it is whole, as columns with nulls come."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and -INT64 <= value < INT64 else None


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
