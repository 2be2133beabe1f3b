"""The long tables of a profile, whole, as Parquet: of many sources `report.json` holds a part of them."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet

from polyculture.storage.files import PARQUET
from schemas.numbers import Estimate
from schemas.profile import Profile

CONTAINMENTS, SCOPES, TRIALS = "containments.parquet", "scopes.parquet", "trials.parquet"
NUMBERS = ("distinct_fraction", "duplicate_fraction", "duplicate_pairs", "hill_0", "hill_1", "hill_2", "scale_surprise")
_PLACE = (("stage", pa.string()), ("lens", pa.string()))
_SCOPE = (*_PLACE, ("weighting", pa.string()), ("scope", pa.string()))


def _three(name: str) -> tuple[tuple[str, pa.DataType], ...]:
    """Columns of an estimate: the number, and the ends of its 95 % interval."""
    return (name, pa.float64()), (f"{name}_low", pa.float64()), (f"{name}_high", pa.float64())


SCHEMAS = {
    CONTAINMENTS: pa.schema([*_PLACE, ("of", pa.string()), ("within", pa.string()), *_three("containment")]),
    SCOPES: pa.schema(
        [
            *_SCOPE,
            ("kind", pa.string()),
            *((name, pa.int64()) for name in ("documents", "tokens", "probes")),
            *(column for name in NUMBERS for column in _three(name)),
        ]
    ),
    TRIALS: pa.schema([*_SCOPE, ("fraction", pa.float64()), *_three("distinct_fraction")]),
}


def profile_tables(profile: Profile) -> dict[str, bytes]:
    """Every containment, scope and trial of a profile, in its order.

    Returns:
        File name -> Parquet of one of SCHEMAS. O(rows).
    """
    rows = {CONTAINMENTS: _containments(profile), SCOPES: _scopes(profile), TRIALS: _trials(profile)}
    return {name: _parquet(schema, rows[name]) for name, schema in SCHEMAS.items()}


def _containments(profile: Profile) -> Iterator[tuple[object, ...]]:
    for pair in profile.containments:
        yield pair.stage.value, pair.lens.value, pair.of, pair.within, *_numbers(pair.containment)


def _scopes(profile: Profile) -> Iterator[tuple[object, ...]]:
    for scope in profile.scopes:
        numbers = (number for name in NUMBERS for number in _numbers(getattr(scope, name)))
        counts = scope.documents, scope.tokens, scope.probes
        kind = scope.kind.value if scope.kind else None
        yield scope.stage.value, scope.lens.value, scope.weighting.value, scope.scope, kind, *counts, *numbers


def _trials(profile: Profile) -> Iterator[tuple[object, ...]]:
    for scope in profile.scopes:
        for trial in scope.trials:
            place = scope.stage.value, scope.lens.value, scope.weighting.value, scope.scope
            yield *place, trial.fraction, *_numbers(trial.distinct_fraction)


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _parquet(schema: pa.Schema, rows: Iterable[tuple[object, ...]]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, **PARQUET)
    return bytes(sink.getvalue())
