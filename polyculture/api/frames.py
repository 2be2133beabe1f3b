"""Tables of a run's numbers: one row per number, with its 95 % interval."""

import polars as pl

from polyculture.measure.vectors.vector_profile import numbers_of
from schemas.measures import Space, Weighting
from schemas.numbers import Diversity, Estimate
from schemas.profile import Profile, ScopeProfile
from schemas.what_if import WhatIf

DIVERSITY = tuple(Diversity.model_fields)
_NUMBER = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_SCOPE = {"stage": pl.String, "lens": pl.String, "weighting": pl.String, "scope": pl.String, "kind": pl.String}
PROFILE_COLUMNS = _SCOPE | {"metric": pl.String} | _NUMBER
CURVE_COLUMNS = _SCOPE | {"fraction": pl.Float64} | _NUMBER
EXAMPLE_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "stage": pl.String,
    "lens": pl.String,
    "documents": pl.Int64,
    "tokens": pl.Int64,
    "sources": pl.List(pl.Struct({"source": pl.String, "documents": pl.Int64})),
    "document_id": pl.String,
    "snippet": pl.String,
}
_OWN = {"own_value": pl.Float64, "own_low": pl.Float64, "own_high": pl.Float64}
COMPARED_COLUMNS = {"lens": pl.String, "metric": pl.String} | _NUMBER | _OWN
Row = tuple[object, ...]


def profile_frame(profile: Profile) -> pl.DataFrame:
    """All numbers of a profile; those of the pooled reference have the scope `reference`.

    Returns:
        Columns PROFILE_COLUMNS: the metrics of `Diversity` and `scale_surprise` for each lens, and those of embeddings
        as a whole for the lens `semantic`. What was counted has equal ends.
    """
    rows: list[Row] = []
    for scope in (*profile.scopes, *profile.references):
        at = _place(scope)
        rows += [(*at, metric, *_ends(getattr(scope, metric))) for metric in (*DIVERSITY, "scale_surprise")]
    for vector in (*profile.vectors, *profile.vector_references):
        kind = vector.kind.value if vector.kind else None
        at = (vector.stage.value, Space.SEMANTIC.value, Weighting.DOCUMENTS.value, vector.scope, kind)
        rows += [(*at, metric.value, *_ends(estimate)) for metric, estimate in numbers_of(vector).items()]
    return pl.DataFrame(rows, PROFILE_COLUMNS, orient="row")


def curve_frame(profile: Profile) -> pl.DataFrame:
    """Distinct fractions that trials of each size would have seen.

    Returns:
        Columns CURVE_COLUMNS; `fraction` is the trial's share of the documents, and 1 is the full corpus.
    """
    rows = [
        (*_place(scope), trial.fraction, *_ends(trial.distinct_fraction))
        for scope in (*profile.scopes, *profile.references)
        for trial in scope.trials
    ]
    return pl.DataFrame(rows, CURVE_COLUMNS, orient="row")


def examples_frame(profile: Profile, lens: str | None) -> pl.DataFrame:
    """The largest species, the largest first within a stage and lens.

    Returns:
        Columns EXAMPLE_COLUMNS; `document_id` and `snippet` are of one member.
    """
    found = [species for species in profile.heavy if lens is None or species.lens.value == lens]
    rows = [
        (s.stage.value, s.lens.value, s.documents, s.tokens, _by_source(s.sources), s.example, s.snippet) for s in found
    ]
    frame = pl.DataFrame(rows, EXAMPLE_COLUMNS, orient="row")
    return frame.sort("stage", "lens", "documents", descending=[False, False, True], maintain_order=True)


def compared_frame(mixture: WhatIf, own: WhatIf) -> pl.DataFrame:
    """The numbers of a mixture beside those of the run's own, lens by lens.

    Returns:
        Columns COMPARED_COLUMNS; the own ones are null where the lens says nothing about the own mixture.
    """
    rows: list[Row] = []
    for lens in mixture.lenses:
        beside = own.lens(lens.lens)
        for metric in DIVERSITY:
            mine = _ends(getattr(beside, metric)) if beside else (None, None, None)
            rows.append((lens.lens.value, metric, *_ends(getattr(lens, metric)), *mine))
    return pl.DataFrame(rows, COMPARED_COLUMNS, orient="row")


def _by_source(documents: dict[str, int]) -> list[dict[str, object]]:
    return [{"source": name, "documents": count} for name, count in documents.items()]


def _place(scope: ScopeProfile) -> Row:
    kind = scope.kind.value if scope.kind else None
    return scope.stage.value, scope.lens.value, scope.weighting.value, scope.scope, kind


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
