"""Which documents of a table the takedown lists and the allowed licences take out."""

import hashlib
from collections.abc import Callable
from functools import reduce

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from polyculture.filters.entries import AROUND_URL, Exclusions, normal_url
from polyculture.text.canonical import canonical_text

LICENSE, EXCLUDE = "license", "exclude"
RULES = {1: LICENSE, 2: EXCLUDE}  # as `filtered` counts them; a takedown is named where both hold
COLUMNS = ("document_id", "url", "license", "text")
_MOST_LABELS = 127  # a host has 253 characters at most
_HOST_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)"


def match(table: pa.Table, exclusions: Exclusions) -> tuple[NDArray[np.uint8], set[str]]:
    """Find what must not be in.

    Args:
        table: n documents, with COLUMNS; ids may be settled or not.
        exclusions: the lists and licences.

    Returns:
        (n,) keys of RULES, 0 for a document that stays; and the entries that took something out, as
        `Exclusions.entries` names them. Texts are read only if a digest is listed, about 3 microseconds each.
    """
    rules = np.zeros(len(table), np.uint8)
    if exclusions.licenses is not None:
        allowed = pl.Series(sorted(exclusions.licenses), dtype=pl.String)
        license_of = _strings(table, "license")
        rules[~license_of.is_in(allowed.implode()).fill_null(value=False).to_numpy()] = 1
    matched: set[str] = set()
    for word, listed, find in (
        ("id", exclusions.ids, _ids),
        ("url", exclusions.urls, _urls),
        ("host", exclusions.hosts, _hosts),
        ("sha256", exclusions.digests, _digests),
    ):
        if listed:
            for entry, hits in find(table, listed):
                rules[hits] = 2
                matched.add(f"{word} {entry}")
    return rules, matched


Hits = list[tuple[str, NDArray[np.int64]]]


def _strings(table: pa.Table, name: str) -> pl.Series:
    return pl.Series(name, pl.from_arrow(table[name].cast(pa.large_string())), dtype=pl.String)


def _grouped(values: pl.Series, listed: frozenset[str]) -> Hits:
    """Rows of each listed value."""
    wanted = pl.Series(sorted(listed), dtype=pl.String)
    rows = pl.DataFrame({"value": values}).with_row_index("row").filter(pl.col("value").is_in(wanted.implode()))
    return [(str(key[0]), part["row"].to_numpy().astype(np.int64)) for key, part in rows.group_by("value")]


def _ids(table: pa.Table, listed: frozenset[str]) -> Hits:
    settled = _strings(table, "document_id")
    record = settled.str.replace(r"#\d+$", "")
    return _grouped(settled, listed) + [hit for hit in _grouped(record, listed) if len(hit[1])]


def _urls(table: pa.Table, listed: frozenset[str]) -> Hits:
    return _grouped(_normalised(_strings(table, "url"), normal_url), listed)


def _normalised(values: pl.Series, normal: Callable[[str], str]) -> pl.Series:
    """Each value normalised."""
    return pl.Series(values.name, [None if value is None else normal(value) for value in values], dtype=pl.String)


def _hosts(table: pa.Table, listed: frozenset[str]) -> Hits:
    """A host is taken by its own name and by those of its parents."""
    url = _strings(table, "url").str.strip_chars(AROUND_URL)
    host = url.str.extract(_HOST_PATTERN, 1).str.to_lowercase().str.strip_chars_end(".")
    hits = _grouped(host, listed)
    parent = host
    for _ in range(_MOST_LABELS):
        parent = parent.str.extract(r"^[^.]+\.(.+)$", 1)
        if parent.null_count() == len(parent):
            break
        hits += _grouped(parent, listed)
    return hits


def _digests(table: pa.Table, listed: frozenset[str]) -> Hits:
    texts = _strings(table, "text")
    stored = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    canonical = [hashlib.sha256(canonical_text(text).encode()).hexdigest() for text in texts]
    return reduce(list.__add__, (_grouped(pl.Series(found, dtype=pl.String), listed) for found in (stored, canonical)))
