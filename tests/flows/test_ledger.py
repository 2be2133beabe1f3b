"""The ledger of a real run: its numbers against a count over the texts, and planted cases that it must tell."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

from polyculture.encoders.embeddings import make_encoder
from polyculture.evidence.evidence import read_profile
from polyculture.measure.ledger.ledger import read_ledger
from polyculture.measure.ledger.profile import build_profile
from polyculture.storage.run_directory import RunDirectory, read_manifest
from polyculture.text.canonical import canonical_text
from polyculture.text.skeleton import skeleton
from schemas.ledger import Unread, Weighting
from schemas.measure_config import SemanticConfig
from schemas.measures import Lens, Stage
from schemas.profile import Profile
from schemas.verdict import Verdict
from tests.conftest import Command
from tests.support.corpora import expanded_texts, three_kinds, unique_texts, write_config, write_parquet

NAMES = ["priya", "tomas", "ngozi", "wei"]


def one_problem(count: int) -> list[str]:
    """One problem with other names and numbers: different texts, one template."""
    return [
        f"{NAMES[i % 4].title()} buys {i + 2} pens at {i % 7 + 3} coins each and pays with a note of {100 + i}. "
        f"The pens cost {i + 2} times {i % 7 + 3} coins, which is {(i + 2) * (i % 7 + 3)}; the rest is the change."
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str, str, int]]]:
    """A finished run whose lenses measure only, and its documents: source, text, seed, tokens."""
    folder = tmp_path_factory.mktemp("measured")
    config = three_kinds(folder, synthetic=[*one_problem(200), *unique_texts(100, 7), *unique_texts(60, 7)])
    config["dedupe"] = {"exact": {"action": "measure"}, "near": {"action": "measure"}}
    config["gate"] = {"judge": "words", "rules": dict.fromkeys(("narrow", "near", "meaning", "heavy_species"), "off")}
    config["measure"] = {"semantic": {"probes": 1000}}
    # Words made up of digits have no language, whatever the records claim.
    for source, language in zip(config["sources"], ("en", "de", "xx"), strict=True):  # type: ignore[call-overload]
        source["language"] = language
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    documents = []
    for shard in sorted((folder / "run" / "shards").glob("*.arrow")):
        with pa.OSFile(str(shard)) as source:
            for row in pa.ipc.open_stream(source).read_all().to_pylist():
                documents.append((row["source"], row["text"], row["seed"] or "", row["tokens"]))
    return folder / "run", documents


def brute_force(keys: list[object], weights: list[int]) -> dict[str, float]:
    """Numbers of a corpus whose documents have these species, weighted."""
    sizes = Counter(keys)
    m = np.array([sizes[key] for key in keys], float)
    w = np.array(weights, float) / sum(weights)
    return {
        "distinct_fraction": float(w @ (1 / m)),
        "duplicate_fraction": float(w @ (m > 1)),
        "duplicate_pairs": float(len(keys) * (w @ (m - 1)) / 2),
        "hill_0": float(len(keys) * (w @ (1 / m))),
        "hill_1": float(np.exp(w @ np.log(len(keys) / m))),
        "hill_2": float(1 / (w @ (m / len(keys)))),
    }


@pytest.mark.parametrize("weighting", list(Weighting))
@pytest.mark.parametrize("lens", [Lens.EXACT, Lens.TEMPLATE, Lens.SEED])
def test_every_number_holds_what_a_count_over_the_texts_gives(
    measured: tuple[Path, list[tuple[str, str, str, int]]], lens: Lens, weighting: Weighting
) -> None:
    run, documents = measured
    profile = build_profile(read_ledger(run / "ledger"), 0.01)
    key = {
        Lens.EXACT: lambda text, _: canonical_text(text),
        Lens.TEMPLATE: lambda text, _: skeleton(text),
        Lens.SEED: lambda _, seed: seed,
    }[lens]
    for scope in ("samples",) if lens is Lens.SEED else ("all", "pages", "solutions", "samples"):
        mine = [d for d in documents if scope in ("all", d[0])]
        truth = brute_force(
            [key(text, seed) for _, text, seed, _ in mine],
            [tokens if weighting is Weighting.TOKENS else 1 for *_, tokens in mine],
        )
        found = profile.scope(Stage.MIXTURE, lens, scope, weighting)
        assert found is not None
        assert found.documents == len(mine)
        for name, value in truth.items():
            estimate = getattr(found, name)
            slack = 1e-9 * max(1.0, value)
            assert estimate.low - slack <= value <= estimate.high + slack, (scope, name, value, estimate)
    seeds = [scope.scope for scope in profile.scopes if scope.lens is Lens.SEED and scope.stage is Stage.MIXTURE]
    assert "pages" not in seeds  # what names no seed is not measured, and so never varied


def test_a_source_of_one_problem_is_told_by_its_template(
    measured: tuple[Path, list[tuple[str, str, str, int]]],
) -> None:
    profile = build_profile(read_ledger(measured[0] / "ledger"), 0.01)
    near, template = (profile.scope(Stage.INPUT, lens, "samples") for lens in (Lens.NEAR, Lens.TEMPLATE))
    assert near is not None
    assert template is not None
    assert near.distinct_fraction.low > template.distinct_fraction.high + 0.3
    largest = next(s for s in profile.heavy if (s.stage, s.lens) == (Stage.INPUT, Lens.TEMPLATE))
    assert (largest.documents, largest.sources) == (200, {"samples": 200})


def test_the_semantic_lens_counts_neighbours_and_leaves_out_what_it_does_not_cover(
    measured: tuple[Path, list[tuple[str, str, str, int]]],
) -> None:
    run, documents = measured
    ledger = read_ledger(run / "ledger")
    profile = build_profile(ledger, 0.01)
    assert ledger.header.encoder is not None
    assert ledger.header.sources == ["pages", "samples", "solutions"]
    assert ledger.header.encoder.unmeasured == [300, 160, 200]
    tokens = [sum(count for source, *_, count in documents if source == name) for name in ledger.header.sources]
    assert ledger.header.encoder.unread_tokens[::2] == tokens[::2]
    assert ledger.header.encoder.reasons == {Unread.UNFIT: [300, 160, 200]}
    assert [round(share, 2) for share in ledger.header.encoder.read_share[::2]] == [0, 0]
    assert ledger.header.encoder.languages_disagree == [0, 200, 0]  # claimed to be xx, and are English
    assert profile.scope(Stage.MIXTURE, Lens.SEMANTIC_90, "pages") is None  # unmeasured, not varied
    texts = [text for source, text, *_ in documents if source == "samples" and text.split()[1] == "buys"]
    encoder = make_encoder(SemanticConfig(), None)
    vectors = encoder.encode(texts, ["en"] * len(texts)).vectors
    m = (vectors @ vectors.T >= 0.9).sum(axis=1)
    found = profile.scope(Stage.MIXTURE, Lens.SEMANTIC_90, "samples")
    assert found is not None
    assert found.probes == len(texts) == 200
    assert found.distinct_fraction.value == pytest.approx(
        float((1 / m).mean()), abs=0.01
    )  # but for pairs at the border
    assert found.distinct_fraction.low == found.distinct_fraction.high


def test_a_ledger_reloads_to_the_same_numbers(measured: tuple[Path, list[tuple[str, str, str, int]]]) -> None:
    run, _ = measured
    reported = json.loads((run / "report" / "report.json").read_text())["profile"]
    assert reported["canary"]["wrong"] == 0
    directory = RunDirectory(run)
    assert Profile.model_validate(reported) == read_profile(directory, read_manifest(directory))
    assert Profile.model_validate(reported).scopes == build_profile(read_ledger(run / "ledger"), 0.01).scopes


def test_shards_that_are_deduplicated_one_by_one_and_overlap_close_the_gate(tmp_path: Path, command: Command) -> None:
    texts = unique_texts(300, 21)
    config = three_kinds(tmp_path)
    for number in range(3):  # each is without duplicates
        write_parquet(tmp_path / f"shard{number}.parquet", texts)
    config["sources"] = [{"name": f"shard{n}", "kind": "synthetic", "paths": [f"shard{n}.parquet"]} for n in range(3)]
    result = command("audit", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    failed = {(c.metric, c.scope) for c in Verdict.model_validate_json(result.stdout).failed()}
    assert ("distinct_fraction", "all") in failed
    assert not any(scope.startswith("shard") for _, scope in failed)  # no single shard shows it


def test_synthetic_text_that_repeats_experts_closes_the_gate_and_names_the_pair(
    tmp_path: Path, command: Command
) -> None:
    config = three_kinds(tmp_path, synthetic=[*unique_texts(120, 2), *unique_texts(280, 3)])  # seed 2: the solutions
    config["dedupe"] = {"exact": {"action": "measure"}, "near": {"action": "measure"}}
    config["gate"] = {
        "judge": "words",
        "expectations": [{"lens": "near", "metric": "containment", "scope": "synthetic", "at_most": 0.05}],
    }
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    failed = Verdict.model_validate_json(result.stdout).failed()
    assert [c.scope for c in failed if c.name == "expectation"] == ["samples in solutions"]


def test_few_seeds_are_told_through_the_seed_lens_too(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path, synthetic=expanded_texts(40, 10, seed=3))
    config["dedupe"] = {"exact": {"action": "measure"}, "near": {"action": "measure"}}
    config["gate"] = {
        "judge": "words",
        "rules": dict.fromkeys(("narrow", "near"), "off"),
        "expectations": [{"lens": "seed", "metric": "distinct_fraction", "scope": "samples", "at_least": 0.5}],
    }
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    check = Verdict.model_validate_json(result.stdout).failed()[0]
    assert check.observed == pytest.approx(0.1)
