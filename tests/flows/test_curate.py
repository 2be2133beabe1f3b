"""The main job as a person runs it: the command line as a process."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import datasets
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from polyculture.evidence.evidence import read_profile
from polyculture.inspect.verify import verify_run
from polyculture.job import Job
from polyculture.shards.reader import ShardReader
from polyculture.storage.hashing import file_sha256, json_sha256
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.documents import DOCUMENT_SCHEMA
from schemas.manifest import Manifest
from schemas.measures import Lens, Stage
from schemas.removed import REMOVED_SCHEMA
from schemas.verdict import Verdict
from tests.conftest import Command, Ended
from tests.support.corpora import (
    expanded_texts,
    three_kinds,
    tree_digests,
    unique_texts,
    write_config,
    write_jsonl_gz,
)
from tests.support.damage import DAMAGES, damage_shards
from tests.support.processes import run_and_kill


def manifest_of(run: Path) -> Manifest:
    return Manifest.model_validate_json((run / "manifest.json").read_bytes())


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished GO run of three healthy sources, one of them with planted duplicates that leave."""
    folder = tmp_path_factory.mktemp("healthy")
    config = three_kinds(folder)
    web = unique_texts(300, 1)
    near = " ".join([*web[0].split()[:-1], "changed"])
    copies = [web[0].upper(), "\u200b" + web[1], near]  # the last is the longest, so it survives the first and its copy
    write_jsonl_gz(folder / "pages.jsonl.gz", web + copies)
    write_jsonl_gz(folder / "more.jsonl.gz", unique_texts(200, 2)[:5])  # also in the expert source, which is preferred
    config["sources"][0]["paths"] = ["pages.jsonl.gz", "more.jsonl.gz"]  # type: ignore[index]
    config["shards"] = {"max_shard_bytes": 100_000, "batch_rows": 100}
    result = Command()("run", write_config(folder, config), "--out", folder / "run", "--workers", "2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "GO" in result.stdout
    return folder / "run"


def test_the_run_directory_keeps_its_contract(healthy: Path) -> None:
    assert {path.name for path in healthy.iterdir()} == {
        "shards", "removed", "filtered", "quarantined", "ledger", "report", "state", "manifest.json", "verdict.json",
        "README.md", "croissant.json", "plan.json",
    }  # fmt: skip
    manifest = manifest_of(healthy)
    listed = {file.path for file in manifest.files}
    present = {
        path.relative_to(healthy).as_posix()
        for folder in ("shards", "removed", "filtered", "quarantined", "ledger")
        for path in (healthy / folder).iterdir()
    }
    assert listed == present | {"README.md", "croissant.json", "plan.json"}
    shards = sorted(name for name in listed if name.endswith(".arrow"))
    assert len(shards) > 3
    assert shards[0] == f"shards/train-00000-of-{len(shards):05d}.arrow"
    text = (healthy / "manifest.json").read_text()
    assert str(healthy) not in text
    assert (healthy / "report" / "index.html").stat().st_size < 3 * 2**20


def test_nothing_vanishes(healthy: Path) -> None:
    manifest = manifest_of(healthy)
    assert sum(account.imbalance() for account in manifest.conservation) == 0
    pages = next(account for account in manifest.conservation if account.name == "pages")
    assert (pages.read, pages.removed, pages.kept, pages.written) == (308, {"exact": 6, "near": 2}, 300, 300)
    assert verify_run(healthy) == []


def test_every_removed_document_names_a_kept_twin(healthy: Path) -> None:
    removed = pa.concat_tables([pa.parquet.read_table(path) for path in (healthy / "removed").iterdir()])
    assert removed.schema.names == REMOVED_SCHEMA.names
    shards = [str(healthy / file.path) for file in manifest_of(healthy).files if file.path.endswith(".arrow")]
    written = set(pl.concat([pl.read_ipc_stream(shard) for shard in shards])["document_id"])
    assert set(removed["kept_id"].to_pylist()) <= written
    assert not set(removed["document_id"].to_pylist()) & written
    leaked = removed.filter(pa.compute.equal(removed["kept_source"], "solutions"))
    assert leaked.num_rows == 5
    assert set(leaked["source"].to_pylist()) == {"pages"}
    near = removed.filter(pa.compute.equal(removed["reason"], "near"))
    assert 0.8 <= near["similarity"][0].as_py() < 1


def test_the_shards_load_everywhere(healthy: Path, tmp_path: Path) -> None:
    files = sorted(str(path) for path in (healthy / "shards").glob("*.arrow"))
    expected = sum(file.rows or 0 for file in manifest_of(healthy).files if file.path.endswith(".arrow"))
    by_pyarrow = 0
    for file in files:
        with pa.memory_map(file) as source:
            table = pa.ipc.open_stream(source).read_all()
        assert table.schema == DOCUMENT_SCHEMA
        by_pyarrow += table.num_rows
    by_polars = pl.concat([pl.read_ipc_stream(file) for file in files])
    loaded = datasets.load_dataset("arrow", data_files=files, split="train", cache_dir=str(tmp_path))
    from_disk = datasets.load_from_disk(str(healthy / "shards"))
    assert by_pyarrow == by_polars.height == len(loaded) == len(from_disk) == expected
    by_card = datasets.load_dataset(str(healthy), cache_dir=str(tmp_path / "card"))["train"]
    reader = ShardReader(healthy)
    reader.verify()
    assert [row["document_id"] for row in reader] == by_card["document_id"][:] == by_polars["document_id"].to_list()
    assert from_disk["text"][:5] == by_polars["text"].to_list()[:5] == loaded["text"][:5]
    expert = by_polars.filter(pl.col("source") == "solutions")
    assert set(expert["explanation"]) == {"because"}
    assert set(expert["hours"]) == {1.5}
    assert expert["tokens"].min() > 0


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # in mlcroissant itself
def test_a_run_describes_itself_with_every_digest(healthy: Path) -> None:
    import mlcroissant

    metadata = mlcroissant.Dataset(healthy / "croissant.json").metadata  # raises if it is not valid
    held = {file.path: file.sha256 for file in manifest_of(healthy).files if file.path.endswith(".arrow")}
    assert {found.content_url: found.sha256 for found in metadata.file_objects} == held
    card = (healthy / "README.md").read_text()
    assert all(f"| {name} |" in card for name in ("pages", "solutions", "samples"))
    assert "license:\n- cc0-1.0\n- unknown\n" in card


def test_the_verdict_is_bound_to_the_manifest(healthy: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(healthy, run)
    changed = (run / "manifest.json").read_text().replace('"repeated": 0', '"repeated": 0 ', 1)
    (run / "manifest.json").write_text(changed)
    assert any("void" in problem for problem in verify_run(run))


def test_a_run_of_a_version_that_knew_fewer_keys_is_still_whole(healthy: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(healthy, run)
    manifest, verdict = (json.loads((run / name).read_bytes()) for name in ("manifest.json", "verdict.json"))
    del manifest["config"]["gate"]["strict"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    verdict |= {"manifest_sha256": file_sha256(run / "manifest.json"), "version": "0.0.1"}
    (run / "verdict.json").write_text(json.dumps(verdict))
    assert any("does not have the digest" in problem for problem in verify_run(run))
    manifest["config_sha256"] = json_sha256(manifest["config"])
    (run / "manifest.json").write_text(json.dumps(manifest))
    verdict["manifest_sha256"] = file_sha256(run / "manifest.json")
    (run / "verdict.json").write_text(json.dumps(verdict))
    assert verify_run(run) == []


def test_a_run_whose_phases_have_their_older_name_is_still_whole(healthy: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(healthy, run)
    manifest, verdict = (json.loads((run / name).read_bytes()) for name in ("manifest.json", "verdict.json"))
    newer = manifest["config"]["mixture"]
    older = {"stages" if key == "phases" else key: value for key, value in newer.items()}
    manifest["config_sha256"] = json_sha256(manifest["config"] | {"mixture": older})
    for mixture in (older, newer):  # as the run wrote it, and as a takedown of it does
        manifest["config"]["mixture"] = mixture
        (run / "manifest.json").write_text(json.dumps(manifest))
        verdict |= {"manifest_sha256": file_sha256(run / "manifest.json"), "version": "0.0.1"}
        (run / "verdict.json").write_text(json.dumps(verdict))
        assert verify_run(run) == []


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "add", "swap", "verdict"])
def test_verify_finds_every_damage(healthy: Path, tmp_path: Path, damage: str, here: Callable[..., Ended]) -> None:
    run = tmp_path / "run"
    shutil.copytree(healthy, run)
    first, second = sorted((run / "shards").glob("*.arrow"))[:2]
    if damage == "flip":
        data = bytearray(first.read_bytes())
        data[len(data) // 2] ^= 1
        first.write_bytes(data)
    elif damage == "truncate":
        first.write_bytes(first.read_bytes()[:-8])
    elif damage == "delete":
        first.unlink()
    elif damage == "add":
        shutil.copy(first, run / "shards" / "train-99999-of-00001.arrow")
    elif damage == "swap":
        one, other = first.read_bytes(), second.read_bytes()
        first.write_bytes(other)
        second.write_bytes(one)
    else:
        (run / "verdict.json").write_text((run / "verdict.json").read_text().replace('"margin": 0', '"margin": 1', 1))
    result = here("verify", run)
    assert result.returncode == 1, result.stdout
    assert "damaged" in result.stderr


def test_output_does_not_depend_on_workers_hash_seed_or_file_order(
    healthy: Path, tmp_path: Path, command: Command
) -> None:
    config = json.loads(json.dumps(manifest_of(healthy).config.model_dump(mode="json")))
    folder = healthy.parent
    config["sources"].reverse()
    config["sources"][-1]["paths"].reverse()
    path = write_config(folder, config, "reordered.yaml")
    result = command(
        "run", path, "--out", tmp_path / "again", "--workers", 1, PYTHONHASHSEED="7", TZ="Asia/Tokyo", LANG="C"
    )  # type: ignore[arg-type]
    assert result.returncode == 0, result.stderr
    same, other = tree_digests(healthy), tree_digests(tmp_path / "again")
    data = [name for name in same if name.split("/")[0] in ("shards", "removed", "filtered", "quarantined", "ledger")]
    assert len(data) > 8
    assert {name: same[name] for name in data} == {name: other.get(name) for name in data}


def test_the_same_command_again_changes_no_byte(healthy: Path, command: Command) -> None:
    before = tree_digests(healthy)
    result = command("run", healthy.parent / "config.yaml", "--out", healthy, "--json")
    assert result.returncode == 0, result.stderr
    assert Verdict.model_validate_json(result.stdout).verdict.value == "GO"
    assert tree_digests(healthy) == before


@pytest.mark.long
def test_a_damaged_run_is_made_again_to_the_same_bytes(healthy: Path, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    shutil.copytree(healthy, run)
    before = tree_digests(run)
    shard = sorted((run / "shards").glob("*.arrow"))[1]
    shard.write_bytes(b"nothing")
    result = command("run", healthy.parent / "config.yaml", "--out", run)
    assert result.returncode == 0, result.stderr
    assert tree_digests(run) == before


@pytest.mark.parametrize("damage", [*DAMAGES[:4], "manifest", "verdict"])
def test_a_run_that_was_changed_is_never_taken_for_done(healthy: Path, tmp_path: Path, damage: str) -> None:
    from polyculture.steps.open import is_written

    run = tmp_path / "run"
    shutil.copytree(healthy, run)
    job = cast("Job", SimpleNamespace(directory=RunDirectory(run)))
    assert is_written(job)
    if damage == "manifest":
        text = (run / "manifest.json").read_text()
        (run / "manifest.json").write_text(text.replace('"repeated": 0', '"repeated": 0 ', 1))
    elif damage == "verdict":
        (run / "verdict.json").unlink()
        assert is_written(job)  # it is given again
        (run / "state" / "manifest.sha256").write_text("0")
    else:
        damage_shards(damage, run)
    assert not is_written(job)
    assert not (run / "manifest.json").exists()
    assert not (run / "verdict.json").exists()


def test_a_run_of_another_config_is_refused(healthy: Path, tmp_path: Path, command: Command) -> None:
    config = manifest_of(healthy).config.model_dump(mode="json") | {"seed": 5}
    path = write_config(healthy.parent, config, "other.yaml")
    result = command("run", path, "--out", healthy)
    assert result.returncode == 2
    assert "other inputs, config or version" in result.stderr


def test_a_run_directory_in_use_is_refused(healthy: Path, tmp_path: Path, command: Command) -> None:
    shutil.copytree(healthy, tmp_path / "run")
    with RunDirectory(tmp_path / "run").lock():
        result = command("run", healthy.parent / "config.yaml", "--out", tmp_path / "run")
    assert result.returncode == 5
    assert "in use" in result.stderr


def test_few_seeds_look_varied_in_a_trial_and_close_the_gate(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path, synthetic=expanded_texts(200, 12, seed=4))
    config["dedupe"] = {"near": {"action": "measure"}}
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    verdict = Verdict.model_validate_json(result.stdout)
    assert {check.name for check in verdict.failed()} == {"narrow", "near"}
    [copies] = [line.text for line in verdict.lines if line.label == "near copies"]
    assert copies.startswith("samples ")
    assert "2,400 documents say about 200 things" in copies
    assert not {"pages", "solutions"} & set(copies.replace(",", " ").split())
    directory = RunDirectory(tmp_path / "run")
    samples = read_profile(directory, read_manifest(directory)).scope(Stage.MIXTURE, Lens.NEAR, "samples")
    assert samples is not None
    assert samples.distinct_fraction.value == pytest.approx(1 / 12, abs=0.01)
    assert samples.trial(0.01).value > 0.9
    assert verify_run(tmp_path / "run") == []


@pytest.mark.long
def test_a_source_that_loses_too_much_closes_the_gate(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path, synthetic=expanded_texts(40, 10, seed=4))
    config["dedupe"] = {"limits": {"sources": {"samples": 0.5}, "max_cluster_documents": 9}}
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    verdict = Verdict.model_validate_json(result.stdout)
    assert [(check.name, check.scope) for check in verdict.failed()] == [
        ("removed_fraction", "samples"),
        ("cluster_size", "all"),
    ]
    assert verdict.failed()[0].message == "samples: deduplication removed 360 of 400 documents (90.0%)"
    removals = manifest_of(tmp_path / "run").removals
    assert removals is not None
    assert removals.cluster_sizes == {1: 500, 10: 40}
    assert removals.component_sizes == {10: 40}
    assert (removals.sampled, removals.confirmed) == (200, 200)
    assert [cluster.sources for cluster in removals.largest_clusters] == [{"samples": 10}] * 10
    assert all(cluster.examples[0] != cluster.examples[1] for cluster in removals.largest_clusters)


def test_a_budget_caps_a_kind_and_says_what_it_lacks(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path)
    config["mixture"] = {"tokens": 10**9, "kinds": {"synthetic": {"max_fraction": 0.25}}, "rates": {"pages": 0.5}}
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "The budget lacks" in result.stdout
    plan = manifest_of(tmp_path / "run").plan
    assert plan is not None
    held = {part.name: part.tokens for part in plan.sources}
    assert 0.24 < held["samples"] / plan.tokens <= 0.25
    assert plan.lacking_tokens == pytest.approx(10**9 - plan.tokens, rel=1e-4)


def test_too_few_probes_are_unknown_and_say_what_would_settle_it(tmp_path: Path, command: Command) -> None:
    half = unique_texts(300, 5)
    config = three_kinds(tmp_path, synthetic=half + half)
    config["dedupe"] = {"exact": {"action": "measure"}, "near": {"action": "measure"}}
    config["measure"] = {"probes": 40, "semantic": None}
    config["gate"] = {
        "judge": "words",
        "rules": {"near": "off"},
        "expectations": [{"lens": "near", "metric": "distinct_fraction", "scope": "all", "at_least": 0.72}],
    }
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 4, result.stderr
    [narrow, near] = Verdict.model_validate_json(result.stdout).failed()
    assert (narrow.name, near.name) == ("narrow", "expectation")
    assert near.needed_probes is not None
    assert near.needed_probes > 40
    assert "too near the limit to tell from 40 probes" in narrow.message


def test_quarantine_over_the_limit_closes_the_gate_and_the_run_finishes(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path)
    good = "\n".join(json.dumps({"id": i, "text": t}) for i, t in enumerate(unique_texts(90, 9)))
    (tmp_path / "broken.jsonl").write_text(good + "\n" + "{broken\n" * 10)
    config["sources"].append({"name": "broken", "kind": "web", "paths": ["broken.jsonl"]})  # type: ignore[attr-defined]
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    failed = Verdict.model_validate_json(result.stdout).failed()
    assert [(check.name, check.scope) for check in failed] == [("quarantine", "broken")]
    assert "10 bad_json" in failed[0].message
    rows = pa.parquet.read_table(tmp_path / "run" / "quarantined" / "broken.parquet")
    assert rows.num_rows == 10
    assert rows["byte_offset"][0].as_py() == len(good.encode()) + 1
    assert verify_run(tmp_path / "run") == []


@pytest.mark.parametrize(("name", "cut"), [("pages.jsonl.gz", 8), ("solutions.jsonl.zst", 200)])
def test_a_file_cut_short_closes_the_gate(tmp_path: Path, command: Command, name: str, cut: int) -> None:
    config = three_kinds(tmp_path)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:-cut])
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    assert "truncated_input" in {check.name for check in Verdict.model_validate_json(result.stdout).failed()}


def test_an_empty_source_closes_the_gate(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path)
    (tmp_path / "none.jsonl").write_bytes(b"")
    config["sources"].append({"name": "none", "kind": "web", "paths": ["none.jsonl"]})  # type: ignore[attr-defined]
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    assert "empty_source" in {check.name for check in Verdict.model_validate_json(result.stdout).failed()}


@pytest.mark.parametrize("job", ["run", "audit"])
def test_no_document_at_all_is_no_go_and_a_whole_run(tmp_path: Path, command: Command, job: str) -> None:
    (tmp_path / "none.jsonl").write_text('{"id": 1, "text": ""}\n')
    config = {"name": "nothing", "sources": [{"name": "none", "kind": "web", "paths": ["none.jsonl"]}]}
    result = command(job, write_config(tmp_path, config), "--out", tmp_path / "run", "--json")
    assert result.returncode == 3, result.stderr
    assert "empty_source" in {check.name for check in Verdict.model_validate_json(result.stdout).failed()}
    assert verify_run(tmp_path / "run") == []


def test_an_audit_judges_the_input_and_writes_no_shards(tmp_path: Path, command: Command) -> None:
    config = three_kinds(tmp_path, synthetic=expanded_texts(100, 10, seed=6))
    path = write_config(tmp_path, config)
    audit = command("audit", path, "--out", tmp_path / "audit", "--json")
    run = command("run", path, "--out", tmp_path / "run", "--json")
    assert (audit.returncode, run.returncode) == (3, 0), audit.stderr + run.stderr
    assert Verdict.model_validate_json(audit.stdout).judged == "input"
    assert not (tmp_path / "audit" / "shards").exists()
    assert verify_run(tmp_path / "audit") == []


@pytest.mark.long
def test_ids_are_settled_the_same_in_any_order(tmp_path: Path, command: Command) -> None:
    one, other = "first text of some length here", "another text of some length here"
    for name, texts in (("a", [one, one, other]), ("b", [one])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps({"id": "same", "text": t}) + "\n" for t in texts))
    config = {
        "name": "ids",
        "sources": [
            {
                "name": "s",
                "kind": "web",
                "paths": ["a.jsonl", "b.jsonl"],
                "max_quarantined_fraction": 1.0,
                "language": "en",
            }
        ],
        "dedupe": {"exact": {"action": "measure"}, "near": {"action": "measure"}},
        "gate": {"judge": "words", "rules": {"near": "off", "meaning": "off"}},
    }
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    shards = pl.concat([pl.read_ipc_stream(path) for path in (tmp_path / "run" / "shards").glob("*.arrow")])
    assert sorted(shards["document_id"]) == ["s:same", "s:same#2", "s:same#3"]
    rows = pa.parquet.read_table(tmp_path / "run" / "quarantined" / "s.parquet")
    assert rows["reason"].to_pylist() == ["id_conflict"]


def test_a_record_cannot_choose_its_kind_or_source(tmp_path: Path, command: Command) -> None:
    lines = [
        json.dumps({"id": i, "text": t, "kind": "expert", "source": "humans", "tokens": 1})
        for i, t in enumerate(unique_texts(50, 3))
    ]
    (tmp_path / "s.jsonl").write_text("\n".join(lines))
    config = {
        "name": "k",
        "sources": [{"name": "machine", "kind": "synthetic", "paths": ["s.jsonl"]}],
        "measure": {"semantic": None},
        "gate": {"judge": "words", "rules": {"narrow": "off"}},
    }
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    table = pl.concat([pl.read_ipc_stream(path) for path in (tmp_path / "run" / "shards").glob("*.arrow")])
    assert (set(table["kind"]), set(table["source"])) == ({"synthetic"}, {"machine"})
    assert table["tokens"].min() > 1


def test_a_killed_run_resumes_to_the_same_bytes(healthy: Path, tmp_path: Path, command: Command) -> None:
    arguments = command.arguments("run", healthy.parent / "config.yaml", "--out", tmp_path / "run")
    killed = [run_and_kill(arguments, command.environment, seconds) for seconds in (4, 6)]
    assert any(killed)
    result = command("run", healthy.parent / "config.yaml", "--out", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert tree_digests(tmp_path / "run") == tree_digests(healthy)
