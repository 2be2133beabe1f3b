"""Embeddings: what the ledger holds beside matrices, and what a profile says of a scope."""

from pydantic import Field

from schemas.documents import Kind
from schemas.measures import Stage
from schemas.numbers import Estimate
from schemas.strict import Strict

RINGS = 3  # how far the curve looks around a probe: its source, its kind, everything


class SourceVectors(Strict):
    """Embeddings of one source at a stage.

    Attributes:
        documents: occurrences that are measured.
        unmeasured: occurrences without an embedding that says anything (`EncoderUsed.reasons`).
        sampled: measured documents in each of the nested samples of the nearest-neighbour curve.
        cells: measured occurrences in each cell of the reference.
    """

    stage: Stage
    source: str
    documents: int
    unmeasured: int
    sampled: list[int]
    cells: list[int] = Field(default_factory=list)


class ReferenceShare(Strict):
    """A share of the reference's points that a corpus covers.

    Attributes:
        share: itself, 0..1.
        ceiling: share that the other half of the reference covers: no corpus of its kind can be expected to cover more.
        relative: share / ceiling.
    """

    share: Estimate
    ceiling: Estimate
    relative: Estimate


class CoverageMeasured(Strict):
    """A scope, without the reference's own documents, against the reference.

    Attributes:
        points: points of the reference, and as many documents of the scope and of the other half.
        coverage: share of points whose ball of nearest neighbours holds a document (Naeem et al. 2020).
        rare_cell_recall: the same of the points in the rarer half of the reference's cells.
        density: share of points around which all documents of the scope lie at least a fourth as dense as the other
            half does; of the scope `all` only.
    """

    stage: Stage
    scope: str
    points: int
    coverage: ReferenceShare
    rare_cell_recall: ReferenceShare
    density: ReferenceShare | None = None


class TrialScores(Strict):
    """The naive values of a trial: what its documents show, as if they were all.

    Attributes:
        documents: documents of the trial.
        vendi_score, rbf_vendi_score: Vendi scores of order 1.
    """

    stage: Stage
    scope: str
    documents: int
    vendi_score: float
    rbf_vendi_score: float


class VectorsHeader(Strict):
    """The header of the vectors, which says what their matrices and probes stand for.

    Attributes:
        names: names of the sources, in the order of `kernel_means` of a probe.
        stages: stages in the order of `copies` of a moment.
        taus: cosines of `pairs` of a probe, ascending.
        fractions: fractions of the nested samples.
        bandwidth, frequencies: parameters of the Gaussian kernel's random features.
        trial_fraction: fraction of `trials`.
        reference: sources that `coverage` is about, pooled.
        reference_cells: documents of the reference in each of its cells.
    """

    names: list[str]
    stages: list[Stage]
    taus: list[float]
    fractions: list[float]
    bandwidth: float
    frequencies: int
    trial_fraction: float
    reference: list[str]
    reference_cells: list[int]
    sources: list[SourceVectors]
    coverage: list[CoverageMeasured]
    trials: list[TrialScores]


class VectorCurvePoint(Strict):
    """One sample size of the nearest-neighbour curve, at the cosine that gates.

    Attributes:
        documents: n, the sample's size.
        observed: share of the scope's documents with a neighbour in the sample.
        isotropic: forecast from the sample of a hundredth, if neighbours were spread evenly; None if that is too
            small.
        nearest: median cosine of the nearest neighbour.
        alarm: the whole corpus has more than twice the foretold share, and surely more.
    """

    documents: int
    observed: Estimate
    isotropic: Estimate | None
    nearest: float | None
    alarm: bool


class VectorScores(Strict):
    """Effective numbers of documents by the spectrum of their similarities. What was counted has no interval.

    Attributes:
        rke: RKE, of order 2, cosine kernel, at the scope's own size (Jalali et al. 2023): a count over all documents.
        rke_of_trial: the same at the size of a trial of the gate's fraction.
        rke_of_probes: the same number from the probes against the whole corpus: how well a sample knows it.
        rows_of_half: probes that carry half of the mean kernel; below 30 it comes from a tight cluster, and the
            interval of `rke_of_probes` is not to be judged by.
        vendi_score, vendi_score_inf: cosine kernel, of orders 1 and infinity (Friedman & Dieng 2023); at most the
            encoder's dimensions, and nearly blind to redundancy.
        rbf_vendi_score, rbf_vendi_score_2, rbf_vendi_score_inf: Gaussian kernel by random features; order 1 is at
            most twice their frequencies, and below the kernel's own.
        vendi_score_of_trial, rbf_vendi_score_of_trial: those of a trial's documents alone; None without any.
    """

    rke: Estimate
    rke_of_trial: float
    rke_of_probes: Estimate | None
    rows_of_half: int | None
    vendi_score: Estimate
    vendi_score_inf: float
    vendi_score_of_trial: float | None
    rbf_vendi_score: float
    rbf_vendi_score_2: float
    rbf_vendi_score_inf: float
    rbf_vendi_score_of_trial: float | None

    @property
    def is_known_by_probes(self) -> bool:
        """True if `rke_of_probes` may be judged by its interval."""
        return self.rows_of_half is not None and self.rows_of_half >= LEAST_ROWS


LEAST_ROWS = 30  # that carry half of the mean kernel


class VectorProfile(Strict):
    """The vector profile of one scope at one stage.

    Attributes:
        documents: occurrences that are measured.
        unmeasured: occurrences that are not (`EncoderUsed.reasons`).
        why_unmeasured: reason why there are no scores; empty if there are.
        scores: None where too few documents, or less than half of them, are measured: such a scope is unmeasured, and
            never varied.
        coverage: None without a reference, or with too few documents.
        empty_cells: cells of the reference that hold no document of the scope.
        curve: nearest neighbours against sample size; empty without scores.
    """

    stage: Stage
    scope: str
    kind: Kind | None
    documents: int
    unmeasured: int
    why_unmeasured: str = ""
    scores: VectorScores | None = None
    coverage: CoverageMeasured | None = None
    empty_cells: int | None = None
    curve: list[VectorCurvePoint] = Field(default_factory=list)

    @property
    def mean_kernel(self) -> float | None:
        """U, the mean of k**2 over pairs of different occurrences; None if it is not measured."""
        if self.scores is None or self.documents < 2:
            return None
        return max(0.0, (1 / self.scores.rke.value - 1 / self.documents) / (1 - 1 / self.documents))

    def rke_at(self, documents: int) -> float | None:
        """RKE of so many documents of the scope: what scopes of different sizes are compared by."""
        mean = self.mean_kernel
        return None if mean is None else 1 / (1 / documents + (1 - 1 / documents) * mean)
