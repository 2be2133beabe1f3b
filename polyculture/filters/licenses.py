"""Documents under a licence that is not allowed, or under none."""

import polars as pl
import pyarrow as pa

from polyculture.filters.filter import Asked, Filter, Verdicts, strings


def _allowed(asked: Asked) -> frozenset[str] | None:
    """The only licences allowed; None allows all, and documents that state none."""
    return None if asked.config.licenses is None else frozenset(asked.config.licenses)


def _decide(table: pa.Table, allowed: frozenset[str]) -> Verdicts:
    """Take out what states another licence, or none."""
    stated = strings(table, "license")
    stays = stated.is_in(pl.Series(sorted(allowed), dtype=pl.String).implode()).fill_null(value=False)
    words = pl.when(stated.is_null()).then(pl.lit("no license")).otherwise(pl.lit("license ") + stated)
    return Verdicts(pl.select(detail=pl.when(~stays).then(words)).to_series())


LICENSES = Filter(_decide, ("license",), _allowed)
