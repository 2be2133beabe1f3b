"""Turn counted blocks into lexical measures with intervals, and into ratios of synthetic to human text."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from scipy.special import stdtrit

from polyculture.measure.lexical.measures import LEXICAL_MEASURES, LexicalCounts
from polyculture.statistics.ratio import ratio
from schemas.documents import Kind
from schemas.lexical import LEXICAL_COUNTS, LEXICAL_SCHEMA, LexicalScope, LexicalValue
from schemas.measures import Stage
from schemas.profile import Estimate

LEXICAL_FILE = "lexical.parquet"
# What a share is a share of: with no spread between blocks, an event that was never seen may still be this rare.
_OUT_OF = {
    "distinct_1": "words",
    "distinct_2": "pairs",
    "distinct_3": "triples",
    "distinct_4": "quadruples",
    "self_repetition": "quadruples",
    "template_share": "documents",
}
_LIMITS = {"compression_ratio": np.inf}  # of all others: 1


def lexical_profile(rows: pa.Table) -> list[LexicalScope]:
    """Measures of every stage and scope, and ratios of each synthetic source.

    Args:
        rows: LEXICAL.

    Returns:
        A scope for each stage and scope in the rows, in their order.
    """
    records = rows.to_pylist()
    grouped = groupby(records, key=lambda r: (r["stage"], r["is_pool"], r["scope"], r["language"]))
    every = [(is_pool, _scope(list(found))) for (_, is_pool, _, _), found in grouped]
    pools = {(scope.stage, scope.language): scope for is_pool, scope in every if is_pool}
    scopes = [scope for is_pool, scope in every if not is_pool]
    return [_compared(scope, pools) for scope in scopes]


def _scope(rows: list[dict[str, Any]]) -> LexicalScope:
    first = rows[0]
    blocks = [LexicalCounts(**{name: row[name] for name in LEXICAL_COUNTS}) for row in rows]
    return LexicalScope(
        stage=Stage(first["stage"]),
        scope=first["scope"],
        kind=Kind(first["kind"]) if first["kind"] else None,
        language=first["language"],
        block_words=first["block_words"],
        block_bytes=first["block_bytes"],
        block_documents=first["block_documents"],
        measures={name: mean_over_blocks(name, blocks) for name in LEXICAL_MEASURES},
    )


def mean_over_blocks(name: str, blocks: Sequence[LexicalCounts]) -> LexicalValue | None:
    """A measure's mean over blocks of one size, with Student's 95 % interval of that mean.

    What it estimates is the mean over all blocks that documents of the scope, in random order, can fill. Where no
    block differs from another and the measure is a share of n things, the interval is widened by 3 / n (the rule of
    three; Hanley & Lippman-Hand, JAMA 1983).

    Args:
        name: a name in LEXICAL_MEASURES.
        blocks: counts of each.

    Returns:
        The value; None without a block.
    """
    measured = [value for value in map(LEXICAL_MEASURES[name], blocks) if value is not None]
    if not measured:
        return None
    mean = float(np.mean(measured))
    if len(measured) < 2:
        return LexicalValue(value=mean, low=None, high=None, blocks=1)
    half = float(stdtrit(len(measured) - 1, 0.975) * np.std(measured, ddof=1) / np.sqrt(len(measured)))
    if half == 0 and name in _OUT_OF:
        half = 3 / sum(getattr(block, _OUT_OF[name]) for block in blocks)
    high = min(mean + half, _LIMITS.get(name, 1.0))
    return LexicalValue(value=mean, low=max(0.0, mean - half), high=high, blocks=len(measured))


def _compared(scope: LexicalScope, pools: dict[tuple[Stage, str | None], LexicalScope]) -> LexicalScope:
    """A synthetic source beside human text of its language; other scopes as they are."""
    if scope.kind is not Kind.SYNTHETIC or scope.scope == Kind.SYNTHETIC.value:
        return scope
    pool = pools.get((scope.stage, scope.language))
    if scope.language is None:
        return scope.model_copy(update={"uncompared": "no one language is that of most of its documents"})
    if pool is None:
        why = f"no web or expert source is mainly in its language, {scope.language}"
        return scope.model_copy(update={"uncompared": why})
    if not any(scope.measures.values()):
        return scope.model_copy(update={"uncompared": "it is too small for one block"})
    if not any(pool.measures.values()):
        why = f"the web and expert sources in its language, {scope.language}, are too small for one block"
        return scope.model_copy(update={"uncompared": why})
    ratios = {name: _ratio(scope.measures[name], pool.measures[name]) for name in LEXICAL_MEASURES}
    return scope.model_copy(update={"human": pool.measures, "ratios": ratios})


def _ratio(ours: LexicalValue | None, theirs: LexicalValue | None) -> LexicalValue | None:
    if ours is None or theirs is None or theirs.value <= 0:
        return None
    low, high = _ends(ours, theirs)
    return LexicalValue(value=ours.value / theirs.value, low=low, high=high, blocks=min(ours.blocks, theirs.blocks))


def _ends(ours: LexicalValue, theirs: LexicalValue) -> tuple[float | None, float | None]:
    """Ends of a ratio's interval. Where an end is 0, the widest that the two intervals allow; None if that has no end.

    None as well where there was one block only.
    """
    if ours.low is None or ours.high is None or theirs.low is None or theirs.high is None:
        return None, None
    found = ratio(
        Estimate(value=ours.value, low=ours.low, high=ours.high),
        Estimate(value=theirs.value, low=theirs.low, high=theirs.high),
    )
    if found is not None:
        return found.low, found.high
    return (ours.low / theirs.high, ours.high / theirs.low) if theirs.low > 0 else (None, None)


def read_lexical(folder: Path) -> pa.Table | None:
    """LEXICAL rows of a ledger; None if it holds none, as one of an earlier version does.

    Raises:
        OSError: the file cannot be read.
        ValueError: it does not hold what it should.
    """
    path = folder / LEXICAL_FILE
    if not path.is_file():
        return None
    table = pa.parquet.read_table(path)
    if table.schema.names != LEXICAL_SCHEMA.names:
        raise ValueError(f"{LEXICAL_FILE} has the columns {table.schema.names}, expected {LEXICAL_SCHEMA.names}")
    return table.cast(LEXICAL_SCHEMA)
