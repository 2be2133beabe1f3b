"""Takedown lists: one entry a line, by document id, URL, host or digest of the text."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from polyculture.errors import ConfigError
from schemas.manifest import TakedownList

MAX_LINE_CHARACTERS = 65_536
AROUND_URL = " \t\r\n<>"  # stands around URLs, and is no part of them
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Names of the documents to take out.

    Attributes:
        ids: document_ids; `ID` also takes `ID#2`, `ID#3` and so on, the repeats of its record, whoever named them so.
        urls: normalised, see `normal_url`.
        hosts: lower case; each takes its subdomains too.
        digests: SHA-256 in hexadecimal of a text in UTF-8, as stored or canonical.
        lists: the files that the entries stand in.
    """

    ids: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    lists: tuple[TakedownList, ...] = ()

    @property
    def entries(self) -> frozenset[str]:
        """Every entry of the lists as it is named in accounts: `host example.org`."""
        named = (("id", self.ids), ("url", self.urls), ("host", self.hosts), ("sha256", self.digests))
        return frozenset(f"{word} {value}" for word, values in named for value in values)

    def __bool__(self) -> bool:
        return bool(self.entries)


@dataclass(slots=True)
class _Sets:
    ids: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)


def normal_url(url: str) -> str:
    """A URL with scheme and host in lower case, without fragment, default port or user; anything else as it is."""
    url = url.strip(AROUND_URL)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    if not parts.scheme or not parts.hostname:
        return url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_default = port is None or (parts.scheme, port) in {("http", 80), ("https", 443)}
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{'' if is_default else f':{port}'}{path}{query}"


def _digest(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise ValueError("a SHA-256 has 64 hexadecimal digits")
    return value.lower()


def _host(value: str) -> str:
    host = value.lower().rstrip(".")
    if not _HOST.fullmatch(host):
        raise ValueError("a host is a name such as example.org, without scheme, port or path")
    return host


def _url(value: str) -> str:
    if "://" not in value:
        raise ValueError("a URL begins with its scheme, such as https://")
    return normal_url(value)


# word of a line -> (where its values go, how they are checked)
_WORDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "id": ("ids", str),
    "url": ("urls", _url),
    "host": ("hosts", _host),
    "sha256": ("digests", _digest),
}


def read_exclusions(paths: Mapping[str, Path]) -> Exclusions:
    """Read takedown lists.

    A line is `id ID`, `url URL`, `host HOST` or `sha256 DIGEST`; empty lines and lines that begin with `#` say
    nothing. A line that says something else is an error: an entry that is not understood would leave in what somebody
    wants out.

    Args:
        paths: the lists, by the name that accounts call them by; UTF-8.

    Raises:
        ConfigError: a list cannot be read, or a line is not an entry; names the line and what is wrong.
    """
    found, lists = _Sets(), []
    for name, path in paths.items():
        with _opened(path) as stream:
            raw = stream.read()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(f"exclude: {path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
        for number, line in enumerate(text.split("\n"), 1):
            _add(found, f"{path}:{number}", line.strip(" \t\r"))
        lists.append(TakedownList(name=name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw)))
    return Exclusions(
        ids=frozenset(found.ids),
        urls=frozenset(found.urls),
        hosts=frozenset(found.hosts),
        digests=frozenset(found.digests),
        lists=tuple(lists),
    )


def require_readable(paths: Iterable[Path]) -> None:
    """Refuse takedown lists that are not there or cannot be read; their lines are not looked at.

    Raises:
        ConfigError: it names the list.
    """
    for path in paths:
        with _opened(path) as stream:
            stream.read(1)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise ConfigError(f"exclude: {path}: cannot be read: {error.strerror}; name an existing file") from error


def _add(found: _Sets, place: str, line: str) -> None:
    if not line or line.startswith("#"):
        return
    if len(line) > MAX_LINE_CHARACTERS:
        raise ConfigError(f"exclude: {place}: longer than {MAX_LINE_CHARACTERS:,} characters; one entry a line")
    word, _, value = line.partition(" ")
    value = value.strip()
    if word not in _WORDS or not value:
        raise ConfigError(
            f"exclude: {place}: {line[:60]!r} is no entry; write `id ID`, `url URL`, `host HOST` or `sha256 DIGEST`"
        )
    name, check = _WORDS[word]
    try:
        getattr(found, name).add(check(value))
    except ValueError as error:
        raise ConfigError(f"exclude: {place}: {line[:60]!r}: {error}") from error
