import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy import stats

from polyculture.errors import ConfigError
from polyculture.measure.probes.estimators import Scope, Stratum
from polyculture.measure.probes.metrics import METRICS, scale_curve
from polyculture.trial.ids import ids_of_shards, read_ids
from polyculture.trial.uniform import looks_uniform, share_departures, unseen_variance
from schemas.measures import Metric


def test_ids_are_read_from_text_json_lines_and_parquet_repeats_included(tmp_path: Path) -> None:
    names = ["a:1", "b:ü 2", "a:1"]
    (tmp_path / "ids.txt").write_text("\n".join(["", *names, ""]))
    (tmp_path / "ids.jsonl").write_text("\n".join(json.dumps({"document_id": n, "loss": 1}) for n in names))
    pa.parquet.write_table(pa.table({"document_id": names}), tmp_path / "ids.parquet")
    for name in ("ids.txt", "ids.jsonl", "ids.parquet"):
        assert read_ids(tmp_path / name) == names


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no id"),
        (b'{"id": "a:1"}', "line 1: no text under the key document_id"),
        (b'a:1\n{"document_id": ', "line 2: not a JSON record"),
        (b"\xff\xfe\x00a", "neither UTF-8 text nor Parquet"),
        (b"PAR1 but no more", "damaged"),
    ],
)
def test_a_file_without_ids_is_refused_with_the_place(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "ids").write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_ids(tmp_path / "ids")


def test_a_parquet_file_of_other_columns_names_them_and_a_missing_file_is_named(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"id": ["x"], "text": ["y"]}), tmp_path / "ids.parquet")
    with pytest.raises(ConfigError, match="no column document_id; it has id, text"):
        read_ids(tmp_path / "ids.parquet")
    with pytest.raises(ConfigError, match="no file"):
        read_ids(tmp_path / "none")
    with pytest.raises(ConfigError, match="cannot read"):
        ids_of_shards(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ConfigError, match="no manifest of a run"):
        ids_of_shards(tmp_path / "other.json")


@pytest.mark.parametrize("fraction", [0.01, 0.3, 1.0])
def test_the_variance_of_repeats_is_that_of_the_binomial(fraction: float) -> None:
    for size in (1, 2, 7, 300):
        seen = np.arange(size + 1)
        mass, repeats = stats.binom.pmf(seen, size, fraction), np.maximum(seen - 1, 0)
        expected = mass @ repeats**2 - (mass @ repeats) ** 2
        assert unseen_variance(np.array([float(size)]), fraction)[0] == pytest.approx(expected, abs=1e-9)


def scope_of_sizes(sizes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Scope:
    return Scope.of_light([Stratum.of_light(np.repeat(sizes, sizes), int(sizes.sum()))])


def test_uniform_trials_look_uniform_and_those_by_species_do_not() -> None:
    generator = np.random.default_rng(5)
    sizes = np.concatenate([np.ones(3000, np.int64), generator.pareto(1.1, 700).astype(np.int64) % 500 + 1])
    mixture, species = scope_of_sizes(sizes), np.repeat(np.arange(len(sizes)), sizes)
    n = len(species) // 20
    uniform = scale_curve(mixture, [n / len(species)])[0]

    def looks(chosen: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
        seen = scope_of_sizes(np.unique(species[chosen], return_counts=True)[1])
        distinct = METRICS[Metric.DISTINCT_FRACTION](seen, 1.0)
        return looks_uniform(distinct, uniform, mixture, n / len(species))

    assert all(looks(generator.choice(len(species), n, replace=False)) for _ in range(200))
    first_of_each = np.unique(species, return_index=True)[1]
    assert not looks(first_of_each[:n])
    assert not looks(np.arange(len(species) - n, len(species)))


def test_a_source_that_is_missing_or_too_large_is_named() -> None:
    mixture = np.array([5000, 5000, 100], np.int64)
    assert list(share_departures(["a", "b", "c"], np.array([500, 500, 10], np.int64), mixture)) == []
    found = list(share_departures(["a", "b", "c"], np.array([1000, 0, 10], np.int64), mixture))
    assert [words.split()[0] for words in found] == ["a", "b"]
    assert list(share_departures(["a", "b", "c"], mixture, mixture)) == []
