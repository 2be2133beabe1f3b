"""The mixture plan: how much of each source the shards hold, and what the budget lacks."""

from typing import Literal

from pydantic import Field

from schemas.documents import Kind
from schemas.profile import Estimate
from schemas.strict import Fraction, Strict
from schemas.worth import Worth


class SourcePlan(Strict):
    """One source's part of the mixture, over all phases.

    Attributes:
        asked_rate: epochs that the configuration asks for, before scaling.
        asked_fraction: share of the mixture's tokens that is asked for, 0..1, by `shares` or a file of them; None where
            epochs or nothing is asked for.
        token_fraction: share of the mixture's tokens that the source has, 0..1; None in a plan of a version that did
            not say.
        rate: epochs after scaling and limits.
        whole_copies: times that every document is written.
        threshold: a document whose inclusion hash, in [0, 1), is below it is written once more.
        available_documents: distinct documents that the source has.
        available_tokens: their tokens.
        tokens: tokens that the shards will hold, repeats included; never over the plan's target for the source.
        limit: limit that kept the rate below or above what scaling asked for, if any did: `max_epochs`, `max_fraction`,
            `min_fraction`, or one of the last two `of` a kind.
        effective_tokens: fresh tokens that would train as well, by the law of repetition: the source's part of the
            plan's, or by its epochs alone in a plan made before the ledger.
        last_epoch: fresh tokens that a token of the last epoch (of the part of one that is taken) is worth, 0..1; None
            where nothing is taken, or the plan is of a version that did not say.
    """

    name: str
    kind: Kind
    asked_rate: float = Field(ge=0)
    rate: float = Field(ge=0)
    whole_copies: int = Field(ge=0)
    threshold: float = Field(ge=0, le=1)
    available_documents: int = Field(ge=0)
    available_tokens: int = Field(ge=0)
    tokens: int = Field(ge=0)
    limit: str | None
    effective_tokens: float = Field(0.0, ge=0)
    last_epoch: float | None = None
    asked_fraction: Fraction | None = None
    token_fraction: Fraction | None = None

    @property
    def epochs(self) -> float:
        """Epochs that the shards hold, rounding to whole documents included."""
        return self.tokens / self.available_tokens if self.available_tokens else 0.0


class PhaseSource(Strict):
    """One source's part of one phase: rows first_row to first_row + rows - 1 of the source's stream.

    The stream of a source is its documents in the order of their inclusion hashes, again and again. A phase begins
    where the phase before stopped, so that it takes first what no phase before has used.

    Attributes:
        rows: documents written, repeats included.
        tokens: theirs.
        asked_fraction, token_fraction: asked and delivered share of the phase's tokens, as in `SourcePlan`.
        new_documents: documents in these rows that no phase before holds, counted once.
    """

    name: str
    asked_rate: float = Field(ge=0)
    rate: float = Field(ge=0)
    first_row: int = Field(ge=0)
    rows: int = Field(ge=0)
    tokens: int = Field(ge=0)
    new_documents: int = Field(ge=0)
    limit: str | None
    asked_fraction: Fraction | None = None
    token_fraction: Fraction | None = None


class PhasePlan(Strict):
    """One phase of training; `mixture.phases` of the configuration lists them. Without it there is one, `train`.

    Conservation: over all phases, written = kept + repeated; within a phase, rows = new documents + repeated.

    Attributes:
        name: name of the phase, and of its shards.
        rates_from: `fixed`, `shares`, `auto`, or the digest of a file of weights.
        scale: the one factor that its rates were multiplied by; of shares, the part of the budget in which they hold.
        distinct_fraction, hill_1: those of the phase alone through the near lens, as the ledger foresees them; None if
            the plan was made before the ledger.
        worth: what the phase alone is worth, as the ledger foresees it; None likewise.
    """

    name: str
    rates_from: str
    budget_tokens: int | None
    scale: float = Field(ge=0)
    tokens: int = Field(ge=0)
    lacking_tokens: int = Field(ge=0)
    sources: list[PhaseSource]
    distinct_fraction: Estimate | None = None
    hill_1: Estimate | None = None
    worth: Worth | None = None

    @property
    def rows(self) -> int:
        """Documents written."""
        return sum(source.rows for source in self.sources)


class ModelScale(Strict):
    """The mixture beside the size of a model.

    Attributes:
        parameters: parameters of the model.
        tokens_per_parameter: tokens of the mixture per parameter, repeats included.
        effective_tokens_per_parameter: the same by the law of repetition.
        compute_optimal_tokens: about 20 per parameter (Hoffmann et al. 2022, arXiv:2203.15556).
        regime: `under-trained` below half of that, `over-trained` above twice.
    """

    parameters: int
    tokens_per_parameter: float
    effective_tokens_per_parameter: float
    compute_optimal_tokens: int
    regime: Literal["under-trained", "compute-optimal", "over-trained"]


class MixturePlan(Strict):
    """The mixture.

    Attributes:
        budget_tokens: the configured budget, of all phases together, or None.
        scale: the one factor that all rates were multiplied by; None if phases have their own.
        tokens: tokens that the shards will hold.
        lacking_tokens: budget less what the limits and the supply let the mixture reach; 0 without a budget. What is
            merely rounded off because documents are not cut is not lacking.
        effective_tokens: fresh tokens that would train as well: by the lens that sees most copies, or by epochs alone
            in a plan made before the ledger, which is the most that they can be worth.
        worth: what all phases together are worth, as the ledger foresees it; None if the plan was made before it.
        data_sha256: digest of the inputs and of what decides which documents are distinct; rates made for other data
            are refused.
        phases: phases in the order of training.
        warnings: sentences on where the budget needs text more than once, or more than there is.
        notes: other sentences on the plan.
    """

    format: Literal["polyculture-mixture-1"] = "polyculture-mixture-1"
    budget_tokens: int | None
    scale: float | None = Field(ge=0)
    tokens: int = Field(ge=0)
    lacking_tokens: int = Field(ge=0)
    sources: list[SourcePlan]
    effective_tokens: float = Field(0.0, ge=0)
    worth: Worth | None = None
    data_sha256: str | None = None
    phases: list[PhasePlan] = Field(default_factory=list)
    model: ModelScale | None = None
    warnings: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
