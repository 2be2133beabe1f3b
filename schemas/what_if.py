"""The answer to a what-if: what a mixture that nobody has made would hold, as the probes estimate it."""

from schemas.documents import Kind
from schemas.ledger import EncoderUsed, Weighting
from schemas.measures import Lens, Stage
from schemas.numbers import Diversity, Estimate
from schemas.profile import Trial
from schemas.strict import Strict
from schemas.worth import Worth


class WhatIfSource(Strict):
    """One source's part of the mixture.

    Attributes:
        documents, tokens: distinct ones that it has to give.
        is_rate_given: False if nobody named the source, so that its rate is 1.
        rate: epochs of its distinct documents.
        mixture_tokens: rate x tokens.
        token_fraction: share of the mixture's tokens, 0..1.
        effective_tokens: tokens of fresh text that would train as well, by the law of repetition (Muennighoff et al.
            2023): a source's part of `WhatIf.effective_tokens`, so that what two sources share counts half in each.
        last_epoch: fresh tokens that one token of its last epoch (of the part of one that is taken) is worth to the
            mixture, by the same lens, 0..1; None at rate 0.
    """

    name: str
    kind: Kind
    documents: int
    tokens: int
    is_rate_given: bool
    rate: float
    mixture_tokens: float
    token_fraction: float
    effective_tokens: float
    last_epoch: float | None = None


class SourceMargin(Strict):
    """The marginal gain of more of one source in a mixture.

    Attributes:
        hill_1: slope by the source's rate: effective documents per further epoch.
        distinct_fraction: slope by the source's rate.
        hill_1_per_million_tokens: the first, per million further tokens instead: what sources of different sizes are
            compared by.
    """

    source: str
    hill_1: float
    distinct_fraction: float
    hill_1_per_million_tokens: float


class MixtureEstimate(Diversity):
    """Diversity of a mixture.

    Attributes:
        documents: expected occurrences in the mixture that the lens says something about.
        effective_fraction: mean worth of an occurrence beside fresh text, 0..1: E[h(c)] by the law of repetition
            (Muennighoff et al. 2023), c the copies of what it says in the mixture, however they came there.
    """

    documents: float
    effective_fraction: Estimate


class LensWhatIf(MixtureEstimate):
    """Diversity of the mixture through one lens.

    Attributes:
        trials: distinct fraction that trials mixed afresh at a fraction of the rates would see.
        samples: the same of a plain sample of the stream of this mixture, with its repeats, at fractions below 1.
        margins: marginal gain of each source that the lens says something about, at rate 0 too.
    """

    lens: Lens
    trials: list[Trial]
    samples: list[Trial]
    margins: list[SourceMargin]


class VectorsWhatIf(Strict):
    """Vector measures of the mixture: expected values, from the second moments of all documents.

    Attributes:
        documents, unmeasured: expected occurrences with and without an embedding.
        rke, vendi_score: cosine kernel, of orders 2 and 1; None if nothing is measured.
    """

    documents: float
    unmeasured: float
    rke: float | None
    vendi_score: float | None


class WhatIf(Strict):
    """A mixture.

    Attributes:
        stage: stage that its rates are epochs of.
        weighting: weighting of the means in `lenses`.
        documents, tokens: expected counts of the mixture.
        effective_tokens: what the mixture is worth through the lens that sees most copies, copies within sources and
            among them counted like epochs; by the epochs alone where no lens of worth was measured.
        worth: the same with intervals, by lens, and the tokens by repeat count; None where no such lens was measured.
        kinds: share of the mixture's tokens per kind.
        unmeasured: lenses that say nothing about any document of the mixture.
        vectors: None if embeddings were not measured.
        encoder: the encoder that made the embeddings.
    """

    stage: Stage
    weighting: Weighting
    documents: float
    tokens: float
    effective_tokens: float
    sources: list[WhatIfSource]
    kinds: dict[Kind, float]
    lenses: list[LensWhatIf]
    unmeasured: list[Lens]
    vectors: VectorsWhatIf | None = None
    encoder: EncoderUsed | None = None
    worth: Worth | None = None

    def lens(self, lens: Lens) -> LensWhatIf | None:
        """The numbers of one lens, or None if it says nothing."""
        return next((found for found in self.lenses if found.lens is lens), None)


class WhatIfAnswer(Strict):
    """Output of `polyculture what-if` for machines.

    Attributes:
        run: name of the run.
        manifest_sha256: digest of its manifest.
        mixture: the mixture at the rates that were asked for.
        own: the mixture at the rates of the run's own plan.
    """

    run: str
    manifest_sha256: str
    mixture: WhatIf
    own: WhatIf
