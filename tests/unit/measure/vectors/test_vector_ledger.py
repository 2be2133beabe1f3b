"""Numbers of embeddings through a written and reloaded ledger, against brute force on the same embeddings."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from polyculture.compute.in_process import InProcess
from polyculture.corpus.corpus import Corpus
from polyculture.encoders.embeddings import Embeddings
from polyculture.encoders.encoder import from_fixed_point
from polyculture.errors import ConfigError
from polyculture.measure.ledger.ledger import Ledger, read_ledger, write_ledger
from polyculture.measure.ledger.profile import build_profile
from polyculture.measure.vectors.coverage import Points, reference_coverage
from polyculture.measure.vectors.moment_table import measure_moments, merge_moments
from polyculture.measure.vectors.semantic_rows import SemanticSettings, measure_embeddings
from polyculture.measure.vectors.vendi import kernel_spectrum, vendi_score
from polyculture.mixture.plan.plan_mixture import plan_mixture
from polyculture.mixture.plan.what_if import what_if
from polyculture.storage.files import write_arrow_file
from schemas.documents import Kind
from schemas.ledger import HEAVY_SCHEMA, LedgerHeader
from schemas.measures import Lens, Stage
from schemas.planned import ObjectiveTerm, PlanRequest
from schemas.profile import Profile
from tests.unit.encoders.made import clustered, even
from tests.unit.measure.vectors.corpora import made_corpus, stages

DIMENSIONS = 24
SCOPES = {"all": (0, 1, 2), "web": (2,), "expert": (1,), "synthetic": (0, 3), "few": (0,), "human": (1,), "pages": (2,)}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]]:
    """A ledger of four sources, one of which is not covered, written and read again."""
    folder = tmp_path_factory.mktemp("vectors")
    corpus, embeddings = made_corpus(
        folder,
        {
            "few": (Kind.SYNTHETIC, clustered(500, DIMENSIONS, seed=1, exponent=3.0, noise=0.1)),
            "human": (Kind.EXPERT, clustered(400, DIMENSIONS, seed=2)),
            "pages": (Kind.WEB, even(300, DIMENSIONS, seed=3)),
            "thai": (Kind.SYNTHETIC, np.zeros((50, DIMENSIONS), np.int16)),
        },
    )
    generator = np.random.default_rng(4)
    read = np.ones(len(corpus), np.int64)
    distinct = (generator.random(len(corpus)) < 0.8).astype(np.int64)
    mixture = distinct * np.array([1, 3, 1, 1])[corpus.source] * (generator.random(len(corpus)) < 0.7)
    copies = [read, distinct, mixture]
    settings = SemanticSettings(probes=10**5, seed=5, trial_fraction=0.1, reference=("human",))
    found = measure_embeddings(corpus, embeddings, stages(*copies), settings, InProcess())
    header = LedgerHeader(
        seed=5, threshold=0.8, probes_per_source=10**5, sources=list(corpus.sources), kinds=list(corpus.kinds),
        populations=found.populations, encoder=found.encoder,
    )  # fmt: skip
    write_ledger(Ledger(header, pa.concat_tables(found.rows), HEAVY_SCHEMA.empty_table(), found.vectors), folder)
    return read_ledger(folder), corpus, embeddings, copies


@pytest.fixture(scope="module")
def profile(measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]]) -> Profile:
    return build_profile(measured[0], 0.1, ("human",))


def occurrences(
    measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]], stage: int, members: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Document numbers and unit vectors of what is measured, repeats included."""
    _, corpus, embeddings, copies = measured
    vectors = embeddings.take(np.arange(len(corpus)))
    chosen = np.isin(corpus.source, members) & (vectors != 0).any(axis=1)
    rows = np.repeat(np.flatnonzero(chosen), copies[stage][chosen])
    return rows, from_fixed_point(vectors[rows]).astype(np.float64)


@pytest.mark.parametrize("scope", sorted(SCOPES))
@pytest.mark.parametrize("stage", list(Stage))
def test_scores_and_curve_equal_brute_force(
    measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]], profile: Profile, stage: Stage, scope: str
) -> None:
    rows, unit = occurrences(measured, list(Stage).index(stage), SCOPES[scope])
    kernel = unit @ unit.T
    found = profile.vector(stage, scope)
    assert found is not None
    assert found.scores is not None
    assert found.documents == len(rows)
    scores = found.scores
    assert scores.rke.value == pytest.approx(1 / (kernel**2).mean(), rel=1e-3)
    shares = kernel_spectrum(kernel)
    assert scores.vendi_score.value == pytest.approx(vendi_score(shares, 1), rel=1e-3)
    assert scores.vendi_score_inf == pytest.approx(vendi_score(shares, np.inf), rel=1e-3)
    assert scores.rke_of_probes is not None  # every occurrence is a probe
    assert scores.rke_of_probes.low <= scores.rke.value * 1.001
    assert scores.rke_of_probes.high >= scores.rke.value * 0.999
    off = kernel[~np.eye(len(rows), dtype=bool)] ** 2
    trial = max(2.0, 0.1 * len(rows))
    assert scores.rke_of_trial == pytest.approx(1 / (1 / trial + (1 - 1 / trial) * off.mean()), rel=1e-3)
    other = np.where(rows[:, None] != rows[None, :], kernel, -2.0)
    twins = other.max(axis=1) >= 0.9
    # the curve weighs occurrences within a source, and sources by theirs
    assert found.curve[-1].observed.value == pytest.approx(twins.mean(), abs=1e-9)
    assert found.curve[-1].documents == len(np.unique(rows))


def test_a_source_that_is_not_covered_is_unmeasured_and_not_varied(profile: Profile) -> None:
    thai = profile.vector(Stage.INPUT, "thai")
    assert thai is not None
    assert thai.scores is None
    assert (thai.documents, thai.unmeasured) == (0, 50)
    assert "no language that the encoder can measure" in thai.why_unmeasured
    union = profile.vector(Stage.INPUT, "all")
    assert union is not None
    assert union.unmeasured == 50


def test_coverage_is_that_of_the_same_documents(
    measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]], profile: Profile
) -> None:
    _, corpus, embeddings, copies = measured
    reference = np.flatnonzero((corpus.source == 1) & (copies[1] > 0))
    found = {scope: profile.vector(Stage.DISTINCT, scope) for scope in ("few", "pages", "all", "human")}
    few = found["few"]
    assert few is not None
    assert few.coverage is not None
    mine = np.flatnonzero((corpus.source == 0) & (copies[1] > 0))
    brute = reference_coverage(
        Points(embeddings.take(reference), corpus.id_hash[reference]),
        Points(embeddings.take(mine), corpus.id_hash[mine]),
    )
    assert few.coverage.points == brute.points == len(reference) // 2
    # another half of the reference and other documents were drawn
    assert few.coverage.coverage.share.value == pytest.approx(brute.coverage.share.value, abs=0.1)
    assert few.coverage.coverage.relative.value < 0.5
    assert found["human"] is not None
    assert found["human"].coverage is None  # the reference is not compared with itself
    assert found["human"].empty_cells == 0
    assert few.empty_cells is not None
    assert few.empty_cells > 0


def test_moments_of_any_partitions_order_and_tree_are_the_same_bytes(
    measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]], tmp_path: Path
) -> None:
    _, corpus, embeddings, copies = measured
    vectors, stacked = embeddings.take(np.arange(len(corpus))), np.stack(copies, axis=1)

    def part(rows: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]:
        return vectors[rows], corpus.source[rows], stacked[rows]

    def written(tables: pa.Table) -> bytes:
        write_arrow_file(tmp_path / "moments.arrow", tables)
        return (tmp_path / "moments.arrow").read_bytes()

    whole = written(measure_moments([part(np.arange(len(corpus)))], corpus.sources).table)
    for seed in range(7):
        generator = np.random.default_rng(seed)
        for parts in (1, 3, 17):
            pieces = np.array_split(generator.permutation(len(corpus)), parts)
            tree = [measure_moments([part(rows)], corpus.sources) for rows in pieces]
            while len(tree) > 1:
                left, right = generator.choice(len(tree), 2, replace=False)
                joined = merge_moments([tree[left], tree[right]])
                tree = [one for number, one in enumerate(tree) if number not in (left, right)] + [joined]
            assert written(merge_moments(tree).table) == whole


def test_a_mixture_that_is_made_has_the_numbers_that_were_foretold(
    measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]],
) -> None:
    ledger = measured[0]
    rates = {"few": 2.0, "human": 0.5, "pages": 1.0}
    expected = what_if(ledger, rates, [Lens.SEMANTIC_90]).vectors
    assert expected is not None
    assert expected.rke is not None
    assert expected.unmeasured > 0
    generator = np.random.default_rng(6)
    made = []
    for _ in range(20):
        parts = [occurrences(measured, 1, (number,))[1] for number in range(3)]
        half = parts[1][generator.random(len(parts[1])) < 0.5]
        unit = np.concatenate([parts[0], parts[0], half, parts[2]])
        made.append(1 / ((unit @ unit.T) ** 2).mean())
    assert expected.rke == pytest.approx(np.mean(made), rel=0.01)


def test_the_planned_spread_is_best_of_a_grid_and_needs_embeddings_of_all(
    measured: tuple[Ledger, Corpus, Embeddings, list[NDArray[np.int64]]],
) -> None:
    ledger = measured[0]
    request = PlanRequest(
        objectives=(ObjectiveTerm(metric="spread", lens=Lens.SEMANTIC_90),), budget_tokens=3_000, max_epochs=4
    )
    with pytest.raises(ConfigError, match="thai"):
        plan_mixture(_with_all_documents(ledger), request)
    planned = plan_mixture(ledger, request)
    assert planned.certainty == "global"
    best = {source.name: source.rate for source in planned.best.sources}
    found = what_if(ledger, best, [Lens.SEMANTIC_90]).vectors
    assert found is not None
    assert found.vendi_score == pytest.approx(np.exp(planned.best.objective), rel=1e-6)
    sizes = {source.name: source.documents for source in what_if(ledger, {}, [Lens.SEMANTIC_90]).sources}
    for few in np.linspace(0, 1, 11):
        for human in np.linspace(0, 1 - few, 6):
            shares = {"few": few, "human": human, "pages": 1 - few - human}
            rates = {name: 300 * share / sizes[name] for name, share in shares.items()}
            other = what_if(ledger, rates, [Lens.SEMANTIC_90]).vectors
            if max(rates.values()) <= 4 and other is not None and other.vendi_score is not None:
                assert other.vendi_score <= found.vendi_score * (1 + 1e-6)  # type: ignore[operator]


def _with_all_documents(ledger: Ledger) -> Ledger:
    """As if another lens said that the documents without embeddings are there."""
    populations = [
        p.model_copy(update={"documents": [d or 50 for d in p.documents], "tokens": [t or 500 for t in p.tokens]})
        for p in ledger.header.populations
    ]
    return Ledger(
        ledger.header.model_copy(update={"populations": populations}), ledger.rows, ledger.heavy, ledger.vectors
    )
