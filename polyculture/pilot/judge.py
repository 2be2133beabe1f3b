"""The rule of near-duplicates and the configuration's expectations against a corpus that does not exist yet."""

from collections.abc import Iterator, Sequence

from polyculture.gate.expectations import bound_words
from polyculture.pilot.forecast import PilotExpectation, PilotMetric, forecast, forecast_neighbours
from polyculture.pilot.near import judge_near, near_bounds
from polyculture.pilot.sample import PilotSample
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.gate_config import Expectation
from schemas.measures import Lens, Metric, Stage
from schemas.pilot import PilotCheck
from schemas.verdict import Outcome

METRICS = {
    Metric.DISTINCT_FRACTION: PilotMetric.DISTINCT_FRACTION,
    Metric.DUPLICATE_PAIRS: PilotMetric.DUPLICATE_PAIRS,
    Metric.HILL_2: PilotMetric.HILL_2,
}
Judged = tuple[Outcome, float, float, int | None]  # outcome, low, high, documents needed


def judge_pilot(config: CurationConfig, samples: Sequence[PilotSample]) -> tuple[list[PilotCheck], list[str]]:
    """Judge the rule `near`, which a pilot can forecast, and every expectation that it can be judged by.

    Returns:
        A check for each bound and scope, and the expectations that were left out, in sentences.
    """
    checks: list[PilotCheck] = []
    unjudged: list[str] = []
    for expectation in [*_near_rule(config), *config.gate.expectations]:
        what = f"{expectation.lens.value} {expectation.metric.value} {bound_words(expectation)}"
        if expectation.metric not in METRICS:
            unjudged.append(f"{what}: a pilot does not forecast it")
        elif expectation.stage not in (None, Stage.INPUT):
            unjudged.append(f"{what}: it is about the stage {expectation.stage.value}, and a pilot is judged as read")
        else:
            checks += _checks(expectation, config, samples)
    return checks, unjudged


def _near_rule(config: CurationConfig) -> Iterator[Expectation]:
    """The rule of near-duplicates: all together decide, and sources are named."""
    rule = config.gate.rules.near
    if rule is not None:
        asked = Expectation(lens=Lens.NEAR, metric=Metric.DISTINCT_FRACTION, scope="all", at_least=rule.at_least)
        yield asked.model_copy(update={"severity": rule.severity})
        yield asked.model_copy(update={"scope": "each_source", "severity": "warn"})


def _checks(expectation: Expectation, config: CurationConfig, samples: Sequence[PilotSample]) -> Iterator[PilotCheck]:
    of_lens = {sample.scope: sample for sample in samples if sample.lens is expectation.lens}
    for scope in _scopes(expectation.scope, config):
        sample = of_lens.get(scope)
        if sample is None:
            why = f"{scope}: the pilot has fewer than two documents that the {expectation.lens.value} lens can compare"
            yield _check(expectation, scope, None, why)
        else:
            judged = judge_sample(expectation, sample)
            yield _check(expectation, scope, judged, _words(expectation, sample, judged))


def _scopes(scope: str, config: CurationConfig) -> list[str]:
    if scope == "each_source":
        return sorted(source.name for source in config.sources)
    if scope == "each_kind":
        kinds = {source.kind for source in config.sources}
        return [kind.value for kind in Kind if kind in kinds]
    return [scope]


def judge_sample(expectation: Expectation, sample: PilotSample) -> Judged:
    """Outcome, interval of the metric at N, and the pilot that may settle an UNKNOWN."""
    asked = PilotExpectation(METRICS[expectation.metric], expectation.at_least, expectation.at_most)
    if asked.metric is PilotMetric.DISTINCT_FRACTION and not sample.is_partition:
        bounds = near_bounds(sample.data, sample.target_documents)
        outcome, needed = judge_near(sample.data, sample.target_documents, asked)
        return outcome, bounds.low, bounds.high, needed
    if sample.is_partition:
        found = forecast(sample.data, sample.target_documents, asked, sample.largest_species)
    else:
        found = forecast_neighbours(sample.data, sample.target_documents, asked)
    outcome = found.outcome or Outcome.UNKNOWN
    if asked.metric is PilotMetric.DISTINCT_FRACTION and found.distinct_fraction is not None:
        return outcome, found.distinct_fraction.low, found.distinct_fraction.high, found.needed_documents
    estimate = found.pairs if asked.metric is PilotMetric.DUPLICATE_PAIRS else found.hill_2
    return outcome, estimate.low, estimate.high, found.needed_documents


def _check(expectation: Expectation, scope: str, judged: Judged | None, message: str) -> PilotCheck:
    outcome, low, high, needed = judged or (Outcome.UNKNOWN, None, None, None)
    return PilotCheck(
        lens=expectation.lens,
        metric=expectation.metric,
        scope=scope,
        severity=expectation.severity,
        outcome=outcome,
        low=low,
        high=high,
        bound=bound_words(expectation),
        needed_documents=needed,
        message=message,
    )


def _words(expectation: Expectation, sample: PilotSample, judged: Judged) -> str:
    _, low, high, needed = judged
    places = ".3f" if expectation.metric is Metric.DISTINCT_FRACTION else ",.4g"
    text = (
        f"{sample.scope}: {expectation.lens.value} {expectation.metric.value} of {sample.target_documents:,} documents "
        f"will be {low:{places}} to {high:{places}}, by a pilot of {sample.documents:,}"
    )
    if needed is None:
        return text
    if needed >= sample.target_documents:
        return f"{text}; no pilot smaller than the corpus is sure to settle it"
    return f"{text}; a pilot of some {needed:,} may settle it"
