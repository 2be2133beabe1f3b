"""Documents that takedown lists name by id, URL, host or digest of the text."""

import hashlib
from collections.abc import Callable, Iterator

import polars as pl
import pyarrow as pa

from polyculture.filters.entries import AROUND_URL, Exclusions, normal_url, read_exclusions
from polyculture.filters.filter import Asked, Contribution, Filter, Verdicts, strings
from polyculture.text.canonical import canonical_text

EXCLUDE = "exclude"  # as `filtered` counts them
COLUMNS = ("document_id", "url", "text")
_MOST_LABELS = 127  # a host has 253 characters at most
_HOST_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)"


def match(table: pa.Table, exclusions: Exclusions) -> Verdicts:
    """Find what must not be in.

    Args:
        table: n documents, with COLUMNS; ids may be settled or not.
        exclusions: the lists.

    Returns:
        For each document the first entry that names it, as `Exclusions.entries` has it: ids before URLs, hosts and
        digests, a host before its parents. Texts are read only if a digest is listed, about 3 microseconds each.
    """
    details = pl.repeat(None, table.num_rows, dtype=pl.String, eager=True)
    used = set[str]()
    for word, listed, names_of in (
        ("id", exclusions.ids, _ids),
        ("url", exclusions.urls, _urls),
        ("host", exclusions.hosts, _hosts),
        ("sha256", exclusions.digests, _digests),
    ):
        if not listed:
            continue
        wanted = pl.Series(sorted(listed), dtype=pl.String).implode()
        for names in names_of(table):
            entries = pl.select(pl.when(names.is_in(wanted)).then(pl.lit(f"{word} ") + names)).to_series()
            used |= set(entries.drop_nulls().unique())
            details = pl.select(pl.coalesce(details, entries)).to_series()
    return Verdicts(details, frozenset(used))


def _ids(table: pa.Table) -> Iterator[pl.Series]:
    """Ids, then those of the records that they repeat."""
    settled = strings(table, "document_id")
    yield settled
    yield settled.str.replace(r"#\d+$", "")


def _urls(table: pa.Table) -> Iterator[pl.Series]:
    yield _normalised(strings(table, "url"), normal_url)


def _normalised(values: pl.Series, normal: Callable[[str], str]) -> pl.Series:
    """Each value normalised."""
    return pl.Series(values.name, [None if value is None else normal(value) for value in values], dtype=pl.String)


def _hosts(table: pa.Table) -> Iterator[pl.Series]:
    """Hosts, then their parents: a host is taken by its own name and by those of its parents."""
    url = strings(table, "url").str.strip_chars(AROUND_URL)
    host = url.str.extract(_HOST_PATTERN, 1).str.to_lowercase().str.strip_chars_end(".")
    yield host
    for _ in range(_MOST_LABELS):
        host = host.str.extract(r"^[^.]+\.(.+)$", 1)
        if host.null_count() == len(host):
            return
        yield host


def _digests(table: pa.Table) -> Iterator[pl.Series]:
    texts = strings(table, "text")
    for form in (str, canonical_text):
        yield pl.Series([hashlib.sha256(form(text).encode()).hexdigest() for text in texts], dtype=pl.String)


def _read(asked: Asked) -> Exclusions | None:
    """Read the lists; None if there are none, or no entry in them."""
    return read_exclusions({name: asked.base / name for name in asked.config.exclude}) or None


def _contribute(exclusions: Exclusions) -> Contribution:
    return Contribution(exclusions.lists, exclusions.entries)


LISTS = Filter(match, COLUMNS, _read, _contribute)
