"""The dataset card and the Croissant metadata: valid, and no place for what others wrote."""

import json
import re
from pathlib import Path

import mlcroissant
import pytest
import yaml
from huggingface_hub import DatasetCard

from polyculture.shards.card import WorthSaid, hub_languages, hub_licenses, render_card, split_name
from polyculture.shards.croissant import render_croissant
from polyculture.shards.facts import Held, ShardFacts, count_facts
from polyculture.storage.files import file_digest
from schemas.accounts import FileDigest
from schemas.manifest import Manifest
from tests.unit.report.fakes import THREE, a_case
from tests.unit.shards.runs import write_run

HOSTILE = "</td><script>alert(1)</script> | [x](javascript:y) ![i](https://e.example/i.png) `a` **b**\n# c \u202e"


def listed(run: Path, group: str = "train") -> list[FileDigest]:
    return [file_digest(path, run, rows=5) for path in sorted((run / "shards").glob(f"{group}-*.arrow"))]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    files = listed(write_run(tmp_path / "run", [5, 5]))
    write_run(tmp_path / "held", [5], group="validation")
    (tmp_path / "held/shards/validation-00000-of-00001.arrow").rename(
        tmp_path / "run/shards/validation-00000-of-00001.arrow"
    )
    files += listed(tmp_path / "run", "validation")
    return a_case(THREE).manifest.model_copy(update={"files": files})


def front_matter(card: str) -> dict[str, object]:
    found = yaml.safe_load(card.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_the_card_names_splits_features_and_what_is_counted(manifest: Manifest, tmp_path: Path) -> None:
    facts = count_facts(tmp_path / "run", manifest.files)
    assert facts.licenses == {"MIT": Held(15, 45)}
    card = render_card(manifest, facts)
    (tmp_path / "README.md").write_text(card)
    data = DatasetCard.load(tmp_path / "README.md").data
    assert (data.license, data.language) == ("mit", ["en"])
    front = front_matter(card)
    assert front["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": "shards/train-*-of-00002.arrow"},
                {"split": "validation", "path": "shards/validation-*-of-00001.arrow"},
            ],
        }
    ]
    assert front["size_categories"] == ["n<1K"]
    assert [split["num_examples"] for split in front["dataset_info"]["splits"]] == [10, 5]  # type: ignore[index]
    assert all(f"| {source.name} |" in card for source in manifest.config.sources)
    assert "pyarrow.ipc.open_stream" in card
    assert "{" not in card.split("---\n", 2)[2]


def test_the_card_says_what_the_tokens_are_worth_where_it_is_known(manifest: Manifest, tmp_path: Path) -> None:
    facts = count_facts(tmp_path / "run", manifest.files)
    said = ["Worth: 12.3 to 14.1 of 15.0 billion tokens (least by near).", "It says what repeats cost."]
    card = render_card(manifest, facts, WorthSaid(said, [["lens", "1"], ["<script>", "9"]]))
    assert "## Worth\nWorth: 12.3 to 14.1 of 15.0 billion tokens (least by near).\nIt says" in card
    assert "<script" not in card
    assert "## Worth" not in render_card(manifest, facts)


def test_what_records_say_stays_text(manifest: Manifest) -> None:
    facts = ShardFacts({HOSTILE: Held(1, 9), None: Held(1, 8)}, {"en": Held(1, 9), "x\n- y": Held(1, 8)})
    card = render_card(manifest, facts)
    body = card.split("---\n", 2)[2]
    assert not any(bad in body for bad in ("<script", "](", "![", "**b**", "`a`", "\n# c", "\u202e", "://e"))
    assert front_matter(card)["license"] == ["other", "unknown"]
    assert front_matter(card)["language"] == ["en"]
    assert HOSTILE not in json.loads(render_croissant(manifest, facts))["license"]


@pytest.mark.parametrize(
    ("written", "hub"),
    [("CC-BY-SA-4.0", "cc-by-sa-4.0"), (" Apache-2.0", "apache-2.0"), ("CC0-1.0", "cc0-1.0"), ("mitx", "other")],
)
def test_licences_get_the_names_of_the_hub(written: str, hub: str) -> None:
    assert hub_licenses(ShardFacts({written: Held(1, 1)})) == [hub]


def test_a_language_of_few_documents_is_left_to_the_table() -> None:
    held = {"en": Held(985, 1), "pt-BR": Held(10, 1), "de": Held(5, 1), "und": Held(900, 1)}
    assert hub_languages(ShardFacts({}, dict(list(held.items())[:3]))) == ["en", "pt"]
    assert hub_languages(ShardFacts({}, held)) == ["en"]


# mlcroissant's own library warns of a class that it uses itself
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_croissant_validates_and_holds_every_digest(manifest: Manifest, tmp_path: Path) -> None:
    text = render_croissant(manifest, count_facts(tmp_path / "run", manifest.files))
    path = tmp_path / "croissant.json"
    path.write_text(text)
    metadata = mlcroissant.Dataset(path).metadata  # raises if it is not valid
    assert {(o.content_url, o.sha256) for o in metadata.file_objects} == {(f.path, f.sha256) for f in manifest.files}
    assert [record_set.name for record_set in metadata.record_sets] == ["train", "validation"]
    assert [field.name for field in metadata.record_sets[0].fields][:2] == ["document_id", "text"]
    broken = json.loads(text)
    broken["recordSet"][0]["field"][0]["source"]["fileSet"]["@id"] = "nothing"
    path.write_text(json.dumps(broken))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(path)


@pytest.mark.parametrize(
    "names",
    [
        ("main", "main-anneal"),
        ("a", "a-b", "a-b-c"),
        ("train", "train2", "train-2"),
        ("x", "x-00000", "x-1-of-00002"),
        ("validation-2", "validation"),
    ],
)
@pytest.mark.parametrize("counts", [(1, 1, 1), (2, 1, 2), (12, 2, 1)])
def test_each_split_loads_the_shards_of_its_phase_and_no_other(
    names: tuple[str, ...], counts: tuple[int, ...], manifest: Manifest, tmp_path: Path
) -> None:
    files, run = [], tmp_path / "phases"
    (run / "shards").mkdir(parents=True)
    for name, count in zip(names, counts, strict=False):
        for number in range(count):
            path = f"shards/{name}-{number:05d}-of-{count:05d}.arrow"
            (run / path).write_bytes(b"")
            files.append(FileDigest(path=path, sha256="0" * 64, bytes=0, rows=1))
    facts = count_facts(tmp_path / "run", manifest.files)
    front = front_matter(render_card(manifest.model_copy(update={"files": files, "plan": None}), facts))
    found = {
        entry["split"]: {
            path.relative_to(run).as_posix() for pattern in listed_patterns(entry) for path in run.glob(pattern)
        }
        for entry in front["configs"][0]["data_files"]  # type: ignore[index]
    }
    wanted = {
        split_name(name): {
            file.path for file in files if re.fullmatch(rf"shards/{name}-\d{{5}}-of-\d{{5}}.arrow", file.path)
        }
        for name in names
    }
    assert found == wanted


def listed_patterns(entry: dict[str, str | list[str]]) -> list[str]:
    path = entry["path"]
    return [path] if isinstance(path, str) else path


def test_datasets_reads_the_rows_of_a_phase_and_no_others(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run = tmp_path / "two"
    files = listed(write_run(run, [4, 3], group="main"), "main")
    write_run(tmp_path / "other", [5], group="main-anneal")
    (tmp_path / "other/shards/main-anneal-00000-of-00001.arrow").rename(run / "shards/main-anneal-00000-of-00001.arrow")
    files = [file for file in files if "anneal" not in file.path] + listed(run, "main-anneal")
    card = render_card(manifest.model_copy(update={"files": files, "plan": None}), count_facts(run, files))
    (run / "README.md").write_text(card)
    cache = tmp_path / "cache"
    for split, rows in (("main", 7), ("main_anneal", 5)):
        found = datasets.load_dataset(
            str(run), split=split, streaming=True, cache_dir=str(cache), verification_mode="no_checks"
        )
        assert len(list(found)) == rows
