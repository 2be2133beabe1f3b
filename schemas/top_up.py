"""A top-up: what the parent run was and had been read of, what was chosen, and how broad each way on is."""

from typing import Literal

from pydantic import Field

from schemas.documents import Kind
from schemas.measures import Lens
from schemas.profile import Estimate
from schemas.strict import Strict

# The lenses that mixtures are compared through, as tables call them.
COMPARED_LENSES = {
    Lens.EXACT: "exact",
    Lens.NEAR: "near",
    Lens.TEMPLATE: "template",
    Lens.SEMANTIC_90: "semantic .90",
}


class ShardRead(Strict):
    """A shard of the parent, and how much of it was read.

    Attributes:
        path: relative to the parent's run directory; after `top-up-N/`, to that of the N-th earlier top-up.
        rows, tokens: rows and tokens that it holds.
        consumed_rows: the first rows of it that were read.
        consumed_tokens: theirs.
    """

    path: str
    rows: int = Field(ge=0)
    tokens: int = Field(ge=0)
    consumed_rows: int = Field(ge=0)
    consumed_tokens: int = Field(ge=0)


class EarlierTopUp(Strict):
    """A top-up of the same run that was made before, and is read with it.

    Attributes:
        name: name of the top-up.
        manifest_sha256: digest of its manifest.
    """

    name: str
    manifest_sha256: str


class ParentRun(Strict):
    """The run that is continued.

    Attributes:
        name: name of the run.
        manifest_sha256: digest of its manifest, which alone says what its shards are.
        verdict: GO, NO-GO or UNKNOWN; None if it has none.
        consumed_tokens, remaining_tokens: read by the training run, and still to be read.
        shards: shards in the order in which they are read.
        earlier: top-ups of it whose shards are read after its own, in this order.
    """

    name: str
    manifest_sha256: str
    verdict: str | None
    consumed_tokens: int = Field(ge=0)
    remaining_tokens: int = Field(ge=0)
    shards: list[ShardRead]
    earlier: list[EarlierTopUp] = Field(default_factory=list)


class LensNumbers(Strict):
    """The diversity of a mixture in one lens: species per document, and their effective number (Hill 1973, order 1)."""

    lens: Lens
    distinct_fraction: Estimate
    hill_1: Estimate


class CoveredShare(Strict):
    """A share of the reference's points that a mixture covers.

    Attributes:
        share: itself, 0..1.
        ceiling: share that the other half of the reference covers.
        relative: share / ceiling.
    """

    share: Estimate
    ceiling: Estimate
    relative: Estimate


class ReferenceCovered(Strict):
    """A mixture against the reference, whose own texts are left out of the mixture.

    Attributes:
        points: number of points of the reference, and of as many different texts of the mixture and of the
            reference's other half; the same for all mixtures that are compared.
        coverage: share of points whose ball of nearest neighbours holds a text (Naeem et al. 2020).
        rare_cell_recall: the same of the points in the rarer half of the reference's cells.
    """

    points: int
    coverage: CoveredShare
    rare_cell_recall: CoveredShare


MixtureName = Literal["before", "consumed", "after", "random"]


class MixtureMeasured(Strict):
    """One mixture, repeats included.

    Attributes:
        name: before: the parent's whole mixture, which is what comes of doing nothing; consumed: what was read of it;
            after: before and what was chosen; random: before and as many tokens drawn at random within the same limits.
        measured_documents: occurrences that have an embedding.
        vendi_score: Vendi score of order 1, cosine kernel, counted; nearly blind to redundancy.
        rke: RKE, of order 2, counted over all pairs.
        reference: None without a reference, or with too few documents.
    """

    name: MixtureName
    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)
    measured_documents: int = Field(ge=0)
    lenses: list[LensNumbers]
    vendi_score: float | None
    rke: float | None
    reference: ReferenceCovered | None

    def lens(self, lens: Lens) -> LensNumbers | None:
        """The numbers of a lens; None if it measured nothing."""
        return next((found for found in self.lenses if found.lens is lens), None)


class SourceChoice(Strict):
    """One source of candidates.

    Attributes:
        read: documents that ingest kept.
        in_parent: those of them that the parent holds already, exactly or nearly.
        removed: duplicates among the others.
        unmeasured: distinct documents without an embedding, which are never chosen.
        left_out: distinct documents of a source or kind that the configuration keeps out.
        available_documents, available_tokens: counts of what could be chosen.
        chosen_documents, chosen_tokens: counts of what the shards hold.
        random_tokens: tokens that the random top-up took instead.
    """

    name: str
    kind: Kind
    read: int = Field(ge=0)
    in_parent: int = Field(ge=0)
    removed: int = Field(ge=0)
    unmeasured: int = Field(ge=0)
    left_out: int = Field(ge=0)
    available_documents: int = Field(ge=0)
    available_tokens: int = Field(ge=0)
    chosen_documents: int = Field(ge=0)
    chosen_tokens: int = Field(ge=0)
    random_tokens: int = Field(ge=0)


class RestForecast(Strict):
    """Forecast of what the rest of the parent will bring if nothing is done.

    Attributes:
        documents, tokens: counts of what remains, repeats included.
        repeated_fraction: share of them whose very text was consumed already; counted. None if nothing remains.
        near_twin_fraction: share of them with a near twin among what was consumed, itself repeated or not.
    """

    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)
    repeated_fraction: float | None
    near_twin_fraction: Estimate | None


class TopUp(Strict):
    """The whole account, `top_up.json`.

    Attributes:
        wanted_tokens: asked for.
        chosen_tokens: written.
        lacking_tokens: asked for, and not to be had within the limits; never filled by repetition. What is merely
            rounded off because documents are not cut is not lacking.
        reference: sources that coverage and cells are about, pooled.
        encoder: name and revision of what made the embeddings.
        mixtures: before, consumed (if anything was), after, random.
        notes: other sentences for the reader.
    """

    format: Literal["polyculture-top-up-1"] = "polyculture-top-up-1"
    parent: ParentRun
    wanted_tokens: int = Field(gt=0)
    chosen_tokens: int = Field(ge=0)
    lacking_tokens: int = Field(ge=0)
    reference: list[str]
    encoder: str
    forecast: RestForecast
    mixtures: list[MixtureMeasured]
    sources: list[SourceChoice]
    notes: list[str]

    def mixture(self, name: MixtureName) -> MixtureMeasured | None:
        """A mixture by its name, or None if it was not measured."""
        return next((found for found in self.mixtures if found.name == name), None)
