"""What the ledger holds of embeddings beside matrices: counts, the reference's split, and scores of a trial."""

from schemas.measures import Stage
from schemas.profile import Estimate, Numbers


class SourceVectors(Numbers):
    """Embeddings of one source at a stage.

    Attributes:
        documents: occurrences that are measured.
        unmeasured: occurrences without an embedding: no text, or a language that the encoder does not cover.
        sampled: measured documents in each of the nested samples of the nearest-neighbour curve.
        cells: measured occurrences in each cell of the reference.
    """

    stage: Stage
    source: str
    documents: int
    unmeasured: int
    sampled: list[int]
    cells: list[int] = []


class Share(Numbers):
    """A share of the reference's points that a corpus covers.

    Attributes:
        share: itself, 0..1.
        ceiling: what the other half of the reference covers: no corpus of its kind can be expected to cover more.
        relative: share / ceiling.
    """

    share: Estimate
    ceiling: Estimate
    relative: Estimate


class CoverageMeasured(Numbers):
    """A scope, without the reference's own documents, against the reference.

    Attributes:
        points: points of the reference, and as many documents of the scope and of the other half.
        coverage: share of points whose ball of nearest neighbours holds a document (Naeem et al. 2020).
        rare_cell_recall: the same of the points in the rarer half of the reference's cells.
    """

    stage: Stage
    scope: str
    points: int
    coverage: Share
    rare_cell_recall: Share


class TrialScores(Numbers):
    """What a trial's documents themselves show, as if they were all: the naive values.

    Attributes:
        documents: of the trial.
        vendi_score, rbf_vendi_score: of order 1.
    """

    stage: Stage
    scope: str
    documents: int
    vendi_score: float
    rbf_vendi_score: float


class VectorsHeader(Numbers):
    """What the matrices and probes of embeddings stand for.

    Attributes:
        stages: in the order of `copies` of a moment.
        taus: cosines of `pairs` of a probe, ascending.
        fractions: of the nested samples.
        bandwidth, frequencies: of the Gaussian kernel's random features.
        trial_fraction: of `trials`.
        reference: sources that `coverage` is about, pooled.
        reference_cells: documents of the reference in each of its cells.
    """

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
