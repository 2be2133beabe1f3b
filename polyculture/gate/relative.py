"""Bounds relative to the reference or to the last run that was GO: the ratio of two numbers, with its interval."""

from dataclasses import dataclass

from polyculture.statistics.ratio import ratio
from schemas.config import CurationConfig
from schemas.gate_config import Expectation
from schemas.measures import COUNTS, Lens, Metric, RelativeTo, Stage
from schemas.profile import Containment, Estimate, LastGo, Profile, ScopeProfile

OF_WHAT = {
    RelativeTo.REFERENCE: "the reference's",
    RelativeTo.LAST_GO: "the last GO run's",
    RelativeTo.CEILING: "its ceiling",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence that expectations are judged by.

    Attributes:
        config: expectations, sources and reference.
        profile: the numbers of the run.
        last_go: those of the last run that was GO, None if none is named.
        unchosen: sources and kinds that a top-up could choose from and did not; nothing is asked of them.
    """

    config: CurationConfig
    profile: Profile
    last_go: LastGo | None = None
    unchosen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Observed:
    """The number that a bound is compared with.

    Attributes:
        estimate: a number or a ratio of two; None if it could not be had.
        words: the numbers behind a ratio; where there is no estimate, the reason.
    """

    estimate: Estimate | None
    words: str = ""


def per_document(numbers: ScopeProfile, metric: Metric) -> Estimate:
    """A number that does not grow with the corpus: counts are divided by the documents, fractions are as they are.

    H1 of a corpus in which every document is a species is N, so H1 / N, its evenness per document in (0, 1], is what
    sources of different sizes can be compared by. H0 / N is the distinct fraction.
    """
    estimate: Estimate = getattr(numbers, metric.value)
    if metric not in COUNTS:
        return estimate
    size = numbers.documents
    return Estimate(value=estimate.value / size, low=estimate.low / size, high=estimate.high / size)


def observe(expectation: Expectation, numbers: ScopeProfile, evidence: Evidence) -> Observed:
    """The number of a scope that an expectation bounds, or its ratio to what the bound is relative to."""
    metric = expectation.metric
    own: Estimate = getattr(numbers, metric.value)
    if expectation.relative_to is None:
        return Observed(own)
    if expectation.relative_to is RelativeTo.LAST_GO:
        last, why = _of_last_go(expectation, numbers, evidence)
        return _compared(own, getattr(last, metric.value), "") if last is not None else Observed(None, why)
    base = _of_reference(numbers, evidence.profile)
    if base is None:
        return Observed(None, f"the reference has no numbers through the {numbers.lens.value} lens")
    where = "" if base.stage is numbers.stage else f" at stage {base.stage.value}, as the mixture holds none of it"
    unit = " per document" if metric in COUNTS else ""
    return _compared(per_document(numbers, metric), per_document(base, metric), unit + where)


def observe_pair(expectation: Expectation, pair: Containment, evidence: Evidence) -> Observed:
    """The containment of a pair, or its ratio to the same of the last GO run."""
    if expectation.relative_to is None:
        return Observed(pair.containment)
    why = _foreign(expectation, evidence)
    base = evidence.last_go.containment(pair) if evidence.last_go is not None else None
    if why or base is None:
        return Observed(None, why or "the last GO run did not measure this pair")
    return _compared(pair.containment, base, "")


def _compared(own: Estimate, base: Estimate, what: str) -> Observed:
    found = ratio(own, base)
    numbers = f"{own.value:.4g} against {base.value:.4g}{what}"
    if found is None:
        return Observed(None, f"{numbers}: an interval reaches 0, so the ratio is not known")
    return Observed(found, numbers)


def _of_reference(numbers: ScopeProfile, profile: Profile) -> ScopeProfile | None:
    """The pooled reference at the same stage; a reference that is kept out of the mixture, as it is before it."""
    found = profile.reference(numbers.stage, numbers.lens, numbers.weighting)
    if found is None and numbers.stage is Stage.MIXTURE:
        return profile.reference(Stage.DISTINCT, numbers.lens, numbers.weighting)
    return found


def _of_last_go(expectation: Expectation, numbers: ScopeProfile, evidence: Evidence) -> tuple[ScopeProfile | None, str]:
    why = _foreign(expectation, evidence)
    if why or evidence.last_go is None:
        return None, why
    found = evidence.last_go.scope(numbers.stage, numbers.lens, numbers.scope, numbers.weighting)
    return found, "" if found else f"the last GO run, {evidence.last_go.name}, did not measure it"


def _foreign(expectation: Expectation, evidence: Evidence) -> str:
    """Say why the numbers of the last GO run are not the same quantity as this run's; empty if they are."""
    last, profile = evidence.last_go, evidence.profile
    if last is None:
        return "no last GO run is named; set gate.last_go, or give --last-go to `polyculture gate`"
    if expectation.lens is Lens.NEAR and last.threshold != profile.threshold:
        return (
            f"the last GO run was measured with the threshold {last.threshold:g}, this one with {profile.threshold:g}"
        )
    if expectation.metric is Metric.SCALE_SURPRISE and last.trial_fraction != profile.trial_fraction:
        return (
            f"the last GO run's trial is {last.trial_fraction:g} of the corpus, this one's {profile.trial_fraction:g}"
        )
    return ""
