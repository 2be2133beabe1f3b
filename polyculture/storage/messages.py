"""Text of others inside messages and Markdown: nothing in it is control, markup or a link."""

import re
from collections.abc import Sequence


def escaped(text: str) -> str:
    """`text` with control, format and bidirectional characters and lone surrogates escaped, line breaks too."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def legible(path: str | bytes) -> str:
    """Path as UTF-8 has it; bytes that are none are escaped."""
    raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")


def brief(text: str, most: int) -> str:
    """The escaped text, at most `most` characters of it; an ellipsis more where it is cut."""
    whole = escaped(text[: most + 1])
    return whole if len(whole) <= most else f"{whole[:most]}…"


def safe_detail(text: str, limit: int = 200) -> str:
    """`text` cut to `limit` characters, with control, format and bidirectional characters escaped."""
    return escaped(text[:limit])[:limit]


def first_few(words: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`; `a, b` where there are no more."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def plain(text: str, limit: int = 500) -> str:
    """Text that Markdown shows as it is: nothing in it becomes a link, an image, a table cell or HTML."""
    safe = safe_detail(text, limit)
    escaped = re.sub(r"[!-+/:-@\[-^`{-~]", lambda found: f"&#{ord(found[0])};", safe)
    # A zero-width space keeps bare addresses from becoming links.
    return escaped.replace("&#58;&#47;&#47;", "&#58;\u200b&#47;&#47;").replace("www.", "www\u200b.")


def row(cells: list[str]) -> str:
    """A row of a table; the cells are escaped."""
    return "| " + " | ".join(map(plain, cells)) + " |"
