"""Numbers of a scope's embeddings as a whole, as the gate reads them: a number, or its ratio to one."""

from polyculture.gate.relative import Evidence, Observed
from polyculture.measure.vectors.vector_profile import numbers_of
from polyculture.statistics.ratio import ratio
from schemas.gate_config import Expectation
from schemas.measures import Metric, RelativeTo, Stage
from schemas.numbers import Estimate
from schemas.vectors import VectorProfile


def observe_vectors(expectation: Expectation, vector: VectorProfile | None, evidence: Evidence) -> Observed:
    """The number of a scope that an expectation bounds, or its ratio to what the bound is relative to.

    Args:
        expectation: an expectation in the lens `semantic`.
        vector: the vector profile of the scope; None if nothing of it is there.
        evidence: evidence of the run.

    Returns:
        The number, and in words what it was made of and by which encoder; or why there is none.
    """
    if evidence.profile.encoder is None:
        return Observed(None, "embeddings were not measured; write `measure: {semantic: {}}` and run again")
    if vector is None:
        return Observed(None, "none of its documents is there")
    if vector.scores is None:
        return Observed(None, vector.why_unmeasured)
    own = numbers_of(vector).get(expectation.metric)
    if own is None:
        return Observed(None, "too few documents of the reference, or beside it; 100 and 50 are needed")
    found = _OBSERVERS[expectation.relative_to](expectation.metric, own, vector, evidence)
    encoder = evidence.profile.encoder
    background = f", background {encoder.background[:8]}" if encoder.background else ""
    made = f"encoder {encoder.name} {encoder.revision[:8]}{background}, {encoder.dimensions} dimensions"
    return found if found.estimate is None else Observed(found.estimate, f"{found.words}; {made}")


def _absolute(metric: Metric, own: Estimate, vector: VectorProfile, evidence: Evidence) -> Observed:
    del evidence
    scores = vector.scores
    trial = {Metric.RKE: scores.rke_of_trial, Metric.VENDI_SCORE: scores.vendi_score_of_trial} if scores else {}
    seen = trial.get(metric)
    return Observed(own, "no trial shows it" if seen is None else f"a trial would have shown {seen:.4g}")


def _of_ceiling(metric: Metric, own: Estimate, vector: VectorProfile, evidence: Evidence) -> Observed:
    del evidence
    coverage = vector.coverage
    if coverage is None:
        return Observed(None, "there is no reference with documents enough")
    part = coverage.coverage if metric is Metric.COVERAGE else coverage.rare_cell_recall
    if part.ceiling.value <= 0:
        return Observed(None, "the reference does not cover itself")
    words = f"{own.value:.3f} against a ceiling of {part.ceiling.value:.3f}, {coverage.points:,} points"
    return Observed(part.relative, words)


def _of_reference(metric: Metric, own: Estimate, vector: VectorProfile, evidence: Evidence) -> Observed:
    base = evidence.profile.vector_reference(vector.stage)
    if base is None and vector.stage is Stage.MIXTURE:
        base = evidence.profile.vector_reference(Stage.DISTINCT)
    if base is None or base.scores is None:
        why = f": {base.why_unmeasured}" if base is not None else ""
        return Observed(None, f"the reference has no embeddings to compare with{why}")
    if metric is not Metric.RKE:
        return _compared(own, base.scores.vendi_score, "")
    documents = min(vector.documents, base.documents)  # of a small scope RKE is small, whatever it holds
    mine, theirs = vector.rke_at(documents), base.rke_at(documents)
    if mine is None or theirs is None:
        return Observed(None, "one document has no pairs")
    return _compared(_counted(mine), _counted(theirs), f" at {documents:,} documents")


def _of_last_go(metric: Metric, own: Estimate, vector: VectorProfile, evidence: Evidence) -> Observed:
    last = evidence.last_go
    if last is None:
        return Observed(None, "no last GO run is named; set gate.last_go, or give --last-go to `polyculture gate`")
    encoder = evidence.profile.encoder
    if encoder is None or not encoder.is_comparable(last.encoder):
        return Observed(None, "the last GO run was measured with another encoder or background, or with none")
    base = last.vector(vector.stage, vector.scope)
    before = numbers_of(base).get(metric) if base is not None else None
    if before is None:
        return Observed(None, f"the last GO run, {last.name}, did not measure it")
    return _compared(own, before, "")


def _counted(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value)


def _compared(own: Estimate, base: Estimate, what: str) -> Observed:
    found = ratio(own, base)
    words = f"{own.value:.4g} against {base.value:.4g}{what}"
    return Observed(found, words) if found else Observed(None, f"{words}: an interval reaches 0")


_OBSERVERS = {
    None: _absolute,
    RelativeTo.CEILING: _of_ceiling,
    RelativeTo.REFERENCE: _of_reference,
    RelativeTo.LAST_GO: _of_last_go,
}
