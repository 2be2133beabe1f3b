"""A pilot's forecast of a corpus that does not exist yet in full."""

from typing import Literal

from schemas.measures import Lens, Metric
from schemas.profile import Estimate
from schemas.strict import Severity, Strict
from schemas.verdict import Outcome


class Range(Strict):
    """All values that the pilot does not rule out; there is no best one."""

    low: float
    high: float


class PilotForecast(Strict):
    """A corpus of `target_documents`, through one lens, in one scope.

    Attributes:
        lens, scope: its lens and scope; scopes are all, kinds and sources.
        documents: documents of the pilot.
        counted_documents: those of them whose species were counted; less where a pilot is too large for its
            neighbours to be counted whole.
        target_documents: N of this scope: its share of the whole is the pilot's.
        naive_distinct_fraction: species per document of the pilot, which says nothing by itself.
        distinct_fraction: distinct fraction of the corpus.
        extrapolated: classical estimates of it by name, where the corpus is at most twice the pilot.
        duplicate_pairs, hill_2: those of the corpus.
        words: meaning of the numbers, in sentences.
    """

    lens: Lens
    scope: str
    documents: int
    counted_documents: int
    target_documents: int
    naive_distinct_fraction: float
    distinct_fraction: Range
    extrapolated: dict[str, float]
    duplicate_pairs: Estimate
    hill_2: Estimate
    words: list[str]


class PilotCheck(Strict):
    """One expectation of the configuration in one scope, judged for the corpus.

    Attributes:
        severity: a `warn` never decides.
        low, high: interval of the metric at N; None if there is no evidence.
        needed_documents: size of a pilot in this scope that may settle an UNKNOWN.
        message: one sentence for a person.
    """

    lens: Lens
    metric: Metric
    scope: str
    severity: Severity
    outcome: Outcome
    low: float | None
    high: float | None
    bound: str
    needed_documents: int | None
    message: str


class PilotReport(Strict):
    """`pilot.json`.

    Attributes:
        name: name of the configuration.
        identity_sha256: digest of configuration, inputs, code and models.
        documents: documents of the pilot.
        target_documents: N.
        largest_species: documents that no species of the corpus exceeds, if that was said.
        forecasts: every lens and scope.
        checks: every expectation that a pilot can be judged by.
        unjudged: the others, in sentences.
        outcome: fail if a check failed, else unknown if one is unsettled or there is none, else pass.
    """

    format: Literal["polyculture-pilot-1"] = "polyculture-pilot-1"
    name: str
    identity_sha256: str
    documents: int
    target_documents: int
    largest_species: int | None
    forecasts: list[PilotForecast]
    checks: list[PilotCheck]
    unjudged: list[str]
    outcome: Outcome
