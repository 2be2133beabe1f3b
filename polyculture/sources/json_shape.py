"""JSON Lines or one JSON value over the whole file, told by the beginning of the text."""

import re

import orjson

_STRINGS = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
_ARRAY = re.compile(r'\[\s*(?:\{\s*["}]|\]\s*$)')
_CLOSED_STRINGS = re.compile(rf'(?:[^"\\]++|{_STRINGS})*+')
_STRING = re.compile(_STRINGS)
_NOT_BRACKETS = re.compile(r"[^{}\[\]]+")
# What may stand at the start of the next line, by what ends this one and the bracket that is open there.
_AFTER = {"[": '[{"-0123456789tfn]', "{": '"}'}


def is_one_json_value(text: str) -> bool:
    """True for an array of objects, or an object that goes on over several lines.

    A line that is a whole value and has others behind it is JSON Lines, whatever the value is; so is a line that is
    broken, unless it breaks off where JSON over several lines does.

    Args:
        text: the beginning of a file, from its first character that is no white space.
    """
    line, newline, rest = text.partition("\n")
    if _ARRAY.match(text):
        return not (newline and rest.strip() and _is_whole(line))
    return text.startswith("{") and _goes_on(line.rstrip(), rest.lstrip())


def _is_whole(line: str) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _goes_on(line: str, rest: str) -> bool:
    """True if the line breaks off between two tokens, and the next one begins as it must."""
    if not rest or line[-1:] not in {"{", "[", ",", ":"} or not _CLOSED_STRINGS.fullmatch(line):
        return False
    open_brackets: list[str] = []
    for bracket in _NOT_BRACKETS.sub("", _STRING.sub("", line)):
        if bracket in "{[":
            open_brackets.append(bracket)
        elif not open_brackets or open_brackets.pop() + bracket not in ("{}", "[]"):
            return False
    if not open_brackets:
        return False
    return rest[0] in (_AFTER["["] if line[-1] == ":" else _AFTER[open_brackets[-1]])
