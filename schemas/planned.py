"""A planned mixture: what was asked of it, what it is, and the run whose evidence it was worked out from."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.accounts import FileDigest
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.profile import Estimate
from schemas.strict import Fraction, Rate, Sha256, Strict
from schemas.worth import Worth

# What a run's ledger can be planned for; `polyculture.mixture.plan.plan_mixture.OBJECTIVES` has a function for each.
OBJECTIVE_METRICS = ("hill_1", "hill_1_of_copies", "hill_2", "distinct_fraction")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ObjectiveTerm(Strict):
    """One number that the mixture is chosen for.

    Attributes:
        metric: a key of `OBJECTIVES`, or spread.
        lens: through which it is seen; spread has none of its own.
        weight: its weight in the sum.
    """

    metric: str
    lens: Lens
    weight: Positive = 1.0


class FractionRange(Strict):
    """Least and largest share of the mixture's tokens."""

    min_fraction: Fraction = 0.0
    max_fraction: Fraction = 1.0


class SourceRange(FractionRange):
    """Limits on a source; its largest rate, if it is not that of all."""

    max_epochs: Rate | None = None


class PlanRequest(Strict):
    """The objectives of a mixture, and the limits that it has to keep within.

    Attributes:
        objectives: one term or more; their weighted sum is maximised.
        budget_tokens: tokens of the mixture, met exactly.
        max_epochs: largest rate of every source.
        prior_rates: rates by source that the frontier starts from; 1 where absent.
        kinds, sources: limits on shares of tokens; of sources also on epochs.
        seed: seed of the random starts, where the objective is not concave.
    """

    objectives: tuple[ObjectiveTerm, ...] = Field(min_length=1)
    budget_tokens: int = Field(gt=0)
    max_epochs: Rate = Field(4.0, gt=0)
    prior_rates: dict[str, Rate] = Field(default_factory=dict)
    kinds: dict[Kind, FractionRange] = Field(default_factory=dict)
    sources: dict[str, SourceRange] = Field(default_factory=dict)
    seed: int = Field(0, ge=0)


class TermValue(Strict):
    """A term of the objective, in its own unit: nats for an entropy or the logarithm of a Hill number.

    Attributes:
        exact: value by the exact law of copies, where `value` is a concave form that may lie above it.
    """

    name: str
    value: float
    exact: float | None = None


class PlannedSource(Strict):
    """One source at a choice: epochs of its distinct documents, and its share of the mixture's tokens."""

    name: str
    kind: Kind
    rate: float
    tokens: float
    token_fraction: float


class Choice(Strict):
    """One mixture on the way from the prior rates to the best.

    Attributes:
        objective: its value.
        terms: value of each of its terms.
        distinct_fraction, hill_1: those of the mixture, through the lens of the first term.
        moved_fraction: share of the mixture's tokens that come from other sources than at the prior rates, 0..1.
        binding: limits that hold it where it is, in words.
    """

    sources: list[PlannedSource]
    objective: float
    terms: list[TermValue]
    distinct_fraction: Estimate
    hill_1: Estimate
    moved_fraction: float
    binding: list[str]


class PlannedMixture(Strict):
    """The answer.

    Attributes:
        request: the request, defaults included.
        objective: its name, in words.
        certainty: `global`: no mixture within the limits is better by more than the bound's margin, as the probes
            estimate the objective. `local`: the best of several starts.
        bound: no mixture within the limits has more of the objective.
        starts: number of starts that were tried.
        best: the mixture.
        frontier: mixtures from the feasible one nearest to the prior rates to the best one.
        worth: what the best mixture is worth, as the ledger foresees it; None where no lens of worth was measured.
    """

    request: PlanRequest
    objective: str
    certainty: Literal["global", "local"]
    bound: float
    starts: int
    best: Choice
    frontier: list[Choice]
    worth: Worth | None = None


class PlanFile(Strict):
    """A planned mixture bound to its evidence: another manifest or ledger, and it is not theirs.

    Attributes:
        run: name of the run.
        manifest_sha256: digest of its manifest.
        data_sha256: digest of the data that it was made from; a run of other data refuses these rates.
        ledger: the files that the numbers follow from.
        planned: the answer.
    """

    format: Literal["polyculture-plan-1"] = "polyculture-plan-1"
    run: str
    manifest_sha256: Sha256
    data_sha256: Sha256
    ledger: list[FileDigest]
    planned: PlannedMixture
