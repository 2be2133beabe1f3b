"""The destination of a run, as the operator writes it: a path, or a URL without a secret in it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from polyculture.errors import ConfigError

SCHEMES = ("s3", "gs", "az", "file")
_LIKE_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<slashes>/*)(?P<rest>.*)", re.DOTALL)
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked destination.

    Attributes:
        scheme: s3, gs, az or file.
        url: its URL, safe to show.
        folder: the folder, of a file destination.
    """

    scheme: str
    url: str
    folder: Path | None = None


def parse_destination(written: str) -> Destination:
    """Check a path or URL. Messages never repeat a URL that may hold a secret.

    Raises:
        ConfigError: another scheme, a user or password, a query or fragment, no bucket, or a path with `..`.
    """
    if "\0" in written or not written.strip():
        raise ConfigError("the destination is empty or holds U+0000; give a folder or a URL")
    _refuse_typo(written)
    if "://" not in written:
        return Destination("file", written, Path(written))
    try:
        parts = urlsplit(written)
        has_user = "@" in parts.netloc
    except ValueError as error:
        raise ConfigError("the destination is not a URL; write it as s3://bucket/folder") from error
    if has_user or parts.username or parts.password:
        raise ConfigError(
            "the destination holds a user or password; take it out, and give credentials by the environment or "
            "--credentials-block"
        )
    if parts.query or parts.fragment or "?" in written or "#" in written:
        raise ConfigError("the destination holds a `?` or `#`, where secrets stand; give bucket and folder only")
    if parts.scheme not in SCHEMES:
        raise ConfigError(f"destination: the scheme {parts.scheme[:20]!r} is not written to; use {', '.join(SCHEMES)}")
    if ".." in unquote(parts.path).split("/") or any(not c.isprintable() for c in unquote(written)):
        raise ConfigError("the destination's path holds `..` or control characters; write it out")
    if parts.scheme == "file":
        if parts.netloc:
            raise ConfigError("a file destination names no host; write file:///folder")
        return Destination("file", written, Path(unquote(parts.path)))
    if not _PLACE.fullmatch(parts.netloc):
        raise ConfigError(f"destination: no bucket; write it as {parts.scheme}://bucket/folder")
    return Destination(parts.scheme, written.rstrip("/"))


def _refuse_typo(written: str) -> None:
    """Refuse what is nearly a URL, such as `s3:/bucket` and `S3://bucket`: as a path it would be a local folder."""
    found = _LIKE_URL.fullmatch(written)
    if found is None:
        return
    scheme, slashes, rest = found["scheme"].lower(), found["slashes"], found["rest"]
    is_known = scheme in SCHEMES
    least = 3 if scheme == "file" else 2
    if is_known and (len(slashes) < least and not (scheme == "file" and len(slashes) == 2 and rest)):
        problem = "is not a URL"
    elif is_known and found["scheme"] != scheme:
        problem = "has its scheme in capitals"
    elif not is_known and len(slashes) == 1:
        raise ConfigError(f"destination: the scheme {scheme[:20]!r} is not written to; use {', '.join(SCHEMES)}")
    else:
        return
    is_safe = rest and not set(rest) & set("@?#") and rest.isprintable()
    right = f"{scheme}:{'/' * least}{rest if is_safe else 'bucket/folder'}"
    raise ConfigError(f"the destination {problem}; write it as {right}, or ./NAME for a folder of that name")
