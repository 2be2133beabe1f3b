"""The words for what is measured: stage, lens, weighting, metric."""

from enum import StrEnum

TRIAL_FRACTIONS = (0.001, 0.01, 0.1)  # sizes of the small runs whose view of the corpus is shown beside the full one


class Stage(StrEnum):
    """The subject of a number: the corpus as read, after removal, or as written to the shards."""

    INPUT = "input"
    DISTINCT = "distinct"
    MIXTURE = "mixture"


class Lens(StrEnum):
    """The sense in which two documents are one species.

    exact: equal canonical texts. near: enough shingles in common. template: equal skeletons, numbers and names masked;
    opening: skeletons that begin alike. seed: synthetic documents made from the same prompt or seed document.
    semantic_80, _90, _95: embeddings with a cosine of at least .80, .90, .95, if `measure.semantic` is there.
    """

    EXACT = "exact"
    NEAR = "near"
    TEMPLATE = "template"
    OPENING = "opening"
    SEED = "seed"
    SEMANTIC_80 = "semantic_80"
    SEMANTIC_90 = "semantic_90"
    SEMANTIC_95 = "semantic_95"


class Space(StrEnum):
    """A space in which documents are points: measures of them together need no tau, and are no lens of species."""

    SEMANTIC = "semantic"


class Weighting(StrEnum):
    """The weight that probes were drawn in proportion to, and that a mean over them is a mean of."""

    DOCUMENTS = "documents"
    TOKENS = "tokens"


class Metric(StrEnum):
    """Metrics that an expectation may bound."""

    DISTINCT_FRACTION = "distinct_fraction"
    DUPLICATE_FRACTION = "duplicate_fraction"
    DUPLICATE_PAIRS = "duplicate_pairs"
    HILL_0 = "hill_0"
    HILL_1 = "hill_1"
    HILL_2 = "hill_2"
    SCALE_SURPRISE = "scale_surprise"
    CONTAINMENT = "containment"
    RKE = "rke"
    VENDI_SCORE = "vendi_score"
    COVERAGE = "coverage"
    RARE_CELL_RECALL = "rare_cell_recall"


SPACE_METRICS = frozenset({Metric.RKE, Metric.VENDI_SCORE, Metric.COVERAGE, Metric.RARE_CELL_RECALL})  # lens: semantic
OF_A_REFERENCE = frozenset({Metric.COVERAGE, Metric.RARE_CELL_RECALL})
COUNTS = frozenset({Metric.DUPLICATE_PAIRS, Metric.HILL_0, Metric.HILL_1, Metric.HILL_2})  # the others are fractions


class RelativeTo(StrEnum):
    """The number that a bound is a multiple of.

    reference, last_go: the same number of the pooled reference, or of the last run that was GO. ceiling: what one half
    of the reference covers of the other.
    """

    REFERENCE = "reference"
    LAST_GO = "last_go"
    CEILING = "ceiling"
