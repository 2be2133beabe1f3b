"""The canary goes through the functions that measure every source, and changes no number of any."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polyculture.canary.examine import PREFIX, examine, read_canary
from polyculture.canary.layout import NAME, PROBES, RECIPE, total_documents
from polyculture.canary.plant import Measured, split_measured
from polyculture.canary.truth import truths
from polyculture.corpus.corpus import Corpus
from polyculture.measure.ledger import count
from polyculture.measure.ledger.count import Survey, count_part, measure_stages
from polyculture.measure.ledger.ledger import Ledger, write_ledger
from polyculture.measure.lenses import near_index
from polyculture.measure.lenses.near_index import NearIndex
from schemas.canary import CanaryHeader
from schemas.documents import Kind
from schemas.measures import Lens
from schemas.profile import CanaryNumbers
from tests.unit.canary.measured import (
    RUN_SEED,
    indexes_of,
    measure_planted,
    planted_corpus,
    real_corpus,
    real_stages,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return real_corpus(tmp_path_factory.mktemp("real"))


def ledger_of(measured: Measured, threshold: float = 0.8, seed: int = RUN_SEED, drawn_by: int | None = None) -> Ledger:
    rows, heavy, populations = measured
    header = CanaryHeader(
        seed=seed, threshold=threshold, probes_per_source=PROBES, sources=[NAME], kinds=[Kind.SYNTHETIC],
        populations=populations, identity_sha256="0" * 64, recipe=RECIPE, drawn_by=drawn_by,
    )  # fmt: skip
    return Ledger(header, rows, heavy)


def misses(canary: CanaryNumbers) -> int:
    known = truths(canary.threshold)
    return sum(
        not one.estimate.low <= known[one.lens].number(one.metric, one.weighting) <= one.estimate.high
        for one in canary.numbers
    )


@pytest.mark.parametrize(
    "threshold", [0.8, 0.93, pytest.param(0.5, marks=pytest.mark.long), pytest.param(1.0, marks=pytest.mark.long)]
)
def test_a_healthy_measurement_finds_every_count_and_number_as_planted(
    corpus: Corpus, tmp_path: Path, threshold: float
) -> None:
    planted = planted_corpus(corpus, tmp_path, RUN_SEED, threshold)
    _, canary = split_measured(measure_planted(corpus, planted, threshold))
    found = examine(ledger_of(canary, threshold))
    assert (found.wrong, len(found.numbers), misses(found)) == (0, 40, 0)
    assert found.counts > 8 * PROBES * 0.8
    assert sum(one.estimate.low < one.estimate.high for one in found.numbers) == 40  # estimated, not counted


def test_the_seed_that_probes_were_drawn_by_need_not_be_that_of_the_run(corpus: Corpus, tmp_path: Path) -> None:
    planted = planted_corpus(corpus, tmp_path, RUN_SEED)
    _, canary = split_measured(measure_planted(corpus, planted, drawn_by=2**64 - 5))
    assert examine(ledger_of(canary, drawn_by=2**64 - 5)).wrong == 0
    assert examine(ledger_of(canary, drawn_by=RUN_SEED)).wrong > 0


def test_no_number_of_a_real_source_depends_on_the_canary(corpus: Corpus, tmp_path: Path) -> None:
    survey = Survey(corpus, indexes_of(corpus, 0.8), real_stages(corpus), 100, RUN_SEED)
    alone = measure_stages(survey, count_part(survey.sheet))
    real = []
    for seed in (RUN_SEED, 7):
        planted = planted_corpus(corpus, tmp_path / str(seed), seed)
        assert not {*planted.corpus.group[planted.is_canary]} & {*planted.corpus.group[~planted.is_canary]}
        real.append(split_measured(measure_planted(corpus, planted))[0])
    for rows, heavy, populations in real:
        assert rows.equals(alone[0])
        assert heavy.equals(alone[1])
        assert populations == alone[2]
    assert alone[1].num_rows > 0


def test_the_canary_lies_evenly_among_the_real_documents(corpus: Corpus, tmp_path: Path) -> None:
    planted = planted_corpus(corpus, tmp_path, RUN_SEED)
    groups = np.zeros(int(planted.corpus.group.max()) + 1, np.bool_)
    groups[planted.corpus.group[planted.is_canary]] = True
    shares = [part.mean() for part in np.array_split(groups, 8)]
    assert max(shares) - min(shares) < 0.02
    assert sorted(set(planted.corpus.group.tolist())) == list(range(len(groups)))
    rows = np.flatnonzero(planted.is_canary)
    assert rows[0] == 0
    assert rows[-1] == len(planted.corpus) - 1
    assert planted.is_canary.sum() == total_documents()


def half_of_the_neighbours(patch: pytest.MonkeyPatch) -> None:
    whole = near_index.join

    def lossy(*arguments: Any) -> tuple[Any, ...]:
        probe, group, weight, looked_at = whole(*arguments)
        return probe[::2], group[::2], weight[::2], looked_at

    patch.setattr(near_index, "join", lossy)


def the_next_row(patch: pytest.MonkeyPatch) -> None:
    whole = count.exact_multiplicities
    patch.setattr(count, "exact_multiplicities", lambda groups, counts: np.roll(whole(groups, counts), 1, axis=0))


def only_the_first_span(patch: pytest.MonkeyPatch) -> None:
    whole = near_index.join

    def first_only(groups: Any, keyed: Any, sampled: Any, owners: Any, span: Any) -> Any:
        return whole(groups, keyed, sampled, owners, (span[0], span[1] if span[0] == 0 else span[0], *span[2:]))

    patch.setattr(near_index, "join", first_only)


def every_candidate_verified(patch: pytest.MonkeyPatch) -> None:
    whole = NearIndex.__init__

    def lax(self: NearIndex, *arguments: object, **more: object) -> None:
        whole(self, *arguments, **more)  # type: ignore[arg-type]
        self._bounds = (0, 1, 0)

    patch.setattr(NearIndex, "__init__", lax)


BREAKS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], set[Lens]]] = {
    "half of the neighbours": (half_of_the_neighbours, {Lens.NEAR}),
    "another row": (the_next_row, {Lens.EXACT, Lens.TEMPLATE, Lens.OPENING, Lens.SEED}),
    "the first span": (only_the_first_span, {Lens.NEAR}),
    "nothing verified": (every_candidate_verified, {Lens.NEAR}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_measurement_is_seen_in_the_counts(
    name: str, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = planted_corpus(corpus, tmp_path, RUN_SEED)
    BREAKS[name][0](monkeypatch)
    found = examine(ledger_of(split_measured(measure_planted(corpus, planted))[1]))
    print(name, found.wrong, found.counts, misses(found))
    assert found.wrong > 50


def test_a_canary_without_probes_or_with_a_lens_less_is_wrong(corpus: Corpus, tmp_path: Path) -> None:
    planted = planted_corpus(corpus, tmp_path, RUN_SEED)
    rows, heavy, populations = split_measured(measure_planted(corpus, planted))[1]
    whole = ledger_of((rows, heavy, populations))
    assert examine(whole).wrong == 0
    assert examine(ledger_of((rows.slice(0, 0), heavy, populations))).wrong > 5000
    assert examine(ledger_of((rows, heavy.slice(1), populations))).wrong == 1
    assert examine(ledger_of((pa.concat_tables([rows, rows.slice(0, 1)]), heavy, populations))).wrong == 1
    fewer = examine(ledger_of((rows, heavy, populations[1:])))
    assert (len(fewer.numbers), fewer.wrong) == (32, 1)
    assert examine(ledger_of((rows, heavy, populations), seed=5)).wrong > 5000  # other ids
    assert read_canary(tmp_path) is None
    write_ledger(whole, tmp_path, PREFIX)
    assert read_canary(tmp_path) == examine(whole)
    (tmp_path / "canary_heavy.parquet").write_bytes(b"no parquet")
    assert read_canary(tmp_path) is None
