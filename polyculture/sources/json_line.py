"""One line of JSON Lines: an object, or the reason why not."""

import json
import re
from dataclasses import dataclass

import orjson

from schemas.quarantined import QuarantineReason
from schemas.source_config import LimitsConfig

# A quote that no backslash precedes, then a colon: the end of a key (or the start of a string like ":x").
_KEY_END = re.compile(rb'"(?<!\\")[ \t\r]*:')
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class LineFault:
    """The reason why a line is no record."""

    reason: QuarantineReason
    detail: str


class _DuplicateKeyError(ValueError):
    """A key occurs twice in one object."""


def parse_line(line: bytes, limits: LimitsConfig) -> dict[str, object] | LineFault:
    """Parse one line, strictly by RFC 8259, with bounds on depth and keys and without repeated keys.

    Args:
        line: bytes without the newline.
        limits: `max_json_depth` and `max_json_keys` are used.

    Returns:
        The object, or why there is none. O(len(line)); about 200 MB a second.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _explain(line, error)
    if type(value) is not dict:
        return LineFault(QuarantineReason.NOT_OBJECT, f"wanted an object, got {_json_type(value)}")
    keys = len(value)
    if keys > limits.max_json_keys:
        return _too_many(keys, limits)
    for item in value.values():
        if type(item) is dict or type(item) is list:
            counted = _count_nested(value, limits)
            if isinstance(counted, LineFault):
                return counted
            keys = counted
            break
    # If no more keys were written than were kept, none is repeated. What looks like the end of a key may be a string's
    # start, so that the slow parser decides; only a key that ends in a backslash could hide from the count.
    if len(_KEY_END.findall(line)) > keys or "\\" in "".join(value):
        return _check_repeated(line, value)
    return value


def _count_nested(value: dict[str, object], limits: LimitsConfig) -> int | LineFault:
    """Keys in all objects of `value`, walked level by level without recursion; -1 if one has a backslash."""
    keys = 0
    has_backslash = False
    level: list[object] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > limits.max_json_depth:
            return LineFault(QuarantineReason.TOO_DEEP, f"nested deeper than {limits.max_json_depth}")
        below: list[object] = []
        for container in level:
            if type(container) is dict:
                if len(container) > limits.max_json_keys:
                    return _too_many(len(container), limits)
                keys += len(container)
                has_backslash = has_backslash or "\\" in "".join(container)
                below.extend(item for item in container.values() if type(item) is dict or type(item) is list)
            elif type(container) is list:
                below.extend(item for item in container if type(item) is dict or type(item) is list)
        level = below
    return -1 if has_backslash else keys


def _too_many(keys: int, limits: LimitsConfig) -> LineFault:
    return LineFault(QuarantineReason.TOO_MANY_KEYS, f"an object with {keys} keys, at most {limits.max_json_keys}")


def _check_repeated(line: bytes, value: dict[str, object]) -> dict[str, object] | LineFault:
    def refuse_repeated(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)

    try:
        json.loads(line, object_pairs_hook=refuse_repeated, parse_int=len, parse_float=len)
    except _DuplicateKeyError as error:
        return LineFault(QuarantineReason.DUPLICATE_KEY, f"the key {str(error)[:80]!r} occurs twice in one object")
    except RecursionError:  # only where max_json_depth was raised beyond what the interpreter's stack allows
        return LineFault(QuarantineReason.TOO_DEEP, "nested too deeply to be checked for repeated keys")
    return value


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


def _json_type(value: object) -> str:
    names = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
    return names.get(type(value), "null")
