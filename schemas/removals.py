"""The removals of deduplication, in numbers that a person can judge them by."""

from pydantic import Field

from schemas.strict import Strict


class RemovalCluster(Strict):
    """A kept document and those removed in its favour.

    Attributes:
        kept_id: the document that stays.
        documents: members, the kept one included.
        sources: members of each source.
        least_similarity: least similarity of a member to the kept one.
        examples: extracts of the canonical texts of the kept document and its farthest member, around their first
            difference; empty in a run that texts were taken down from.
    """

    kept_id: str
    documents: int = Field(ge=2)
    sources: dict[str, int]
    least_similarity: float = Field(ge=0, le=1)
    examples: tuple[str, str]


class SharedHead(Strict):
    """A long beginning, such as a licence, that many documents share and go on behind it in other words.

    Attributes:
        words: number of words, at white space; in scripts written without spaces every character is one.
        documents: documents that begin with them, removed ones among them.
        sources: the same by source.
        share: share of the canonical text of these documents that is head.
        removed: near-duplicates among them that left for another.
        removed_for_it: those of them that left for the head: what follows it is less alike than the threshold.
        text: the first words, escaped and cut; empty in a run that texts were taken down from.
    """

    words: int = Field(ge=1)
    documents: int = Field(ge=2)
    sources: dict[str, int]
    share: float = Field(ge=0, le=1)
    removed: int = Field(ge=0)
    removed_for_it: int = Field(ge=0)
    text: str


class SourceSample(Strict):
    """Near-duplicate removals of one source that were looked at again.

    Attributes:
        sampled: how many, at most 200.
        confirmed: those that look like duplicates.
        precision_high: upper end of the 95 % interval of the share confirmed (Clopper & Pearson 1934).
    """

    sampled: int = Field(ge=1)
    confirmed: int = Field(ge=0)
    precision_high: float = Field(ge=0, le=1)


class RemovalSummary(Strict):
    """The removals of a run.

    Attributes:
        cluster_sizes: number of clusters of each size, by size; a kept document that nothing was removed for is one.
        largest_clusters: the largest, at most ten.
        component_sizes: number of connected components of two and more documents over the verified pairs, by size.
            Chains make them larger than clusters; they are never removed as such.
        sampled: near-duplicate removals that were looked at again: by their shingles, in exact arithmetic, and by the
            characters and operators of the stored texts.
        confirmed: those at or above the threshold that look like duplicates.
        precision_low, precision_high: 95 % interval of the share confirmed of all (Clopper & Pearson 1934).
        sources: the sample of each source that loses near-duplicates.
        heads: long heads that many documents share, those that most left for first, at most ten.
    """

    cluster_sizes: dict[int, int]
    largest_clusters: tuple[RemovalCluster, ...]
    component_sizes: dict[int, int]
    sampled: int = Field(ge=0)
    confirmed: int = Field(ge=0)
    precision_low: float = Field(ge=0, le=1)
    precision_high: float = Field(ge=0, le=1)
    sources: dict[str, SourceSample] = Field(default_factory=dict)
    heads: tuple[SharedHead, ...] = ()
