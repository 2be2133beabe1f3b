"""One line of JSON Lines: an object, or the reason why not."""

import json
import re
from dataclasses import dataclass

import orjson

from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig

PARSED_DEPTH = 200  # what the standard library's parser, which recurses, is given; deeper lines are walked
# A quote that no backslash precedes, then a colon: the end of a key (or the start of a string like ":x").
_KEY_END = re.compile(rb'"(?<!\\")[ \t\r]*:')
_TOKEN = re.compile(rb'(?P<key>"(?:[^"\\]|\\.)*")[ \t\r\n]*:|"(?:[^"\\]|\\.)*"|[{}]')
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class LineFault:
    """The reason why a line is no record."""

    reason: QuarantineReason
    detail: str


class _DuplicateKeyError(ValueError):
    """A key occurs twice in one object."""


def parse_line(line: bytes) -> dict[str, object] | LineFault:
    """Parse one line, strictly by RFC 8259 and without repeated keys.

    Depth is bounded by orjson (1,024), memory by the length of the line; see `nesting_fault` for tighter bounds.

    Args:
        line: bytes without the newline.

    Returns:
        The object, or why there is none. O(len(line)); about 200 MB a second.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _explain(line, error)
    if type(value) is not dict:
        return LineFault(QuarantineReason.NOT_OBJECT, f"wanted an object, got {json_type(value)}")
    shape = _Shape(len(value), 1, "\\" in "".join(value))
    if any(type(item) is dict or type(item) is list for item in value.values()):
        shape = _shape_of(value)
    # If no more keys were written than were kept, none is repeated. What looks like the end of a key may be a string's
    # start, so that the slow parser decides; only a key that ends in a backslash could hide from the count.
    if shape.has_backslash or len(_KEY_END.findall(line)) > shape.keys:
        repeated = _find_repeated(line) if shape.depth <= PARSED_DEPTH else _walk_for_repeated(line)
        if repeated is not None:
            return LineFault(QuarantineReason.DUPLICATE_KEY, f"the key {repeated[:80]!r} occurs twice in one object")
    return value


def nesting_fault(value: object, limits: LimitsConfig) -> LineFault | None:
    """Name the bound on depth or keys that a value is over; None if it is over none. O(containers)."""
    if type(value) is not dict and type(value) is not list:
        return None
    shape = _shape_of(value)
    if shape.depth > limits.max_json_depth:
        detail = f"nested {shape.depth} deep, at most {limits.max_json_depth} (limits.max_json_depth)"
        return LineFault(QuarantineReason.TOO_DEEP, detail)
    if shape.most_keys > limits.max_json_keys:
        detail = f"an object with {shape.most_keys} keys, at most {limits.max_json_keys} (limits.max_json_keys)"
        return LineFault(QuarantineReason.TOO_MANY_KEYS, detail)
    return None


@dataclass(slots=True)
class _Shape:
    """The shape of a JSON value: keys in all its objects, depth, whether a key has a backslash, most keys of one."""

    keys: int = 0
    depth: int = 0
    has_backslash: bool = False
    most_keys: int = 0


def _shape_of(value: dict[str, object] | list[object]) -> _Shape:
    """Walk level by level, without recursion."""
    shape = _Shape()
    level: list[object] = [value]
    while level:
        shape.depth += 1
        below: list[object] = []
        for container in level:
            if type(container) is dict:
                shape.keys += len(container)
                shape.most_keys = max(shape.most_keys, len(container))
                shape.has_backslash = shape.has_backslash or "\\" in "".join(map(str, container))
                below.extend(item for item in container.values() if type(item) is dict or type(item) is list)
            elif type(container) is list:
                below.extend(item for item in container if type(item) is dict or type(item) is list)
        level = below
    return shape


def _find_repeated(line: bytes) -> str | None:
    """The first key that occurs twice in one object; None if there is none."""

    def refuse_repeated(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)

    try:
        json.loads(line, object_pairs_hook=refuse_repeated, parse_int=len, parse_float=len)
    except _DuplicateKeyError as error:
        return str(error)
    return None


def _walk_for_repeated(line: bytes) -> str | None:
    """`_find_repeated` for valid JSON of any depth, without recursion and more slowly."""
    open_objects: list[set[str]] = []
    for token in _TOKEN.finditer(line):
        if token[0] == b"{":
            open_objects.append(set())
        elif token[0] == b"}":
            open_objects.pop()
        elif token["key"] is not None:
            key = str(orjson.loads(token["key"]))
            if key in open_objects[-1]:
                return key
            open_objects[-1].add(key)
    return None


def _explain(line: bytes, error: orjson.JSONDecodeError) -> LineFault:
    """The reason why `line` could not be parsed. Only bad lines come here, so that speed does not matter."""
    detail = f"{error.msg}: column {error.colno}"
    if "depth limit" in error.msg or "ecursion" in error.msg:
        return LineFault(QuarantineReason.TOO_DEEP, detail)
    try:
        line.decode()
    except UnicodeDecodeError as wrong:
        return LineFault(QuarantineReason.INVALID_UTF8, f"{wrong.reason} at byte {wrong.start} of the line")
    control = _CONTROL.search(line)
    if control:
        found = f"raw control byte {control[0][0]:#04x} at byte {control.start()}"
        return LineFault(QuarantineReason.NUL_OR_CONTROL, found)
    if _SURROGATE.search(line) and _has_lone_surrogate(line):
        return LineFault(QuarantineReason.LONE_SURROGATE, detail)
    return LineFault(QuarantineReason.BAD_JSON, detail)


def _has_lone_surrogate(line: bytes) -> bool:
    """True if a half surrogate pair is the only thing wrong: the standard library accepts it, orjson does not."""
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def json_type(value: object) -> str:
    """A value's type in JSON's words, with its article."""
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "a boolean",
    }
    return names.get(type(value), "null")
