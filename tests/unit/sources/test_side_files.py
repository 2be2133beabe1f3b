from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.sources.files import find_inputs
from schemas.source_config import SourceConfig


def build(folder: Path, names: str) -> None:
    for name in names.split():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


LAYOUTS = {
    "saved dataset": (
        "dataset_info.json state.json data-00000-of-00001.arrow",
        "data-00000-of-00001.arrow",
    ),
    "saved dataset with splits": (
        "dataset_dict.json train/state.json train/dataset_info.json train/a.arrow test/state.json test/b.arrow",
        "test/b.arrow train/a.arrow",
    ),
    "snapshot": (
        "README.md LICENSE LICENSE-MIT.txt .gitattributes .git/config conf/x.parquet dataset.yaml data/train.parquet",
        "conf/x.parquet data/train.parquet",
    ),
    "snapshot of JSON Lines": ("readme.MD NOTICE a.yml a.jsonl.gz docs/README.md", "a.jsonl.gz docs/README.md"),
    "data with the names of pages": (
        "license.jsonl readme.jsonl.gz notice.csv license-cc.jsonl readme_corpus.txt license_texts.txt a.jsonl "
        "LICENSE-APACHE-2.0.txt README.zh-cn.md COPYING.LESSER",
        "a.jsonl license-cc.jsonl license.jsonl license_texts.txt notice.csv readme.jsonl.gz readme_corpus.txt",
    ),
    "Markdown alone": ("README.md guide.md LICENSE a/README.md", "LICENSE README.md a/README.md guide.md"),
    "Spark": (
        "_SUCCESS _committed_1 _started_1 _metadata .part-0.parquet.crc b.crc part-0.parquet "
        "_temporary/0/part-1.parquet",
        "part-0.parquet",
    ),
    "Delta": ("_delta_log/0.json _delta_log/0.checkpoint.parquet p=1/a.parquet", "p=1/a.parquet"),
    "Iceberg": ("metadata/v1.metadata.json metadata/snap.avro metadata/x.parquet data/a.parquet", "data/a.parquet"),
    "metadata of somebody else": ("metadata/a.jsonl data/b.jsonl", "data/b.jsonl metadata/a.jsonl"),
    "a run": (
        "manifest.json verdict.json plan.json README.md croissant.json state/identity ledger/a.parquet "
        "report/index.html removed/a.parquet filtered/a.parquet quarantined/a.parquet "
        "shards/s-0.arrow shards/state.json",
        "shards/s-0.arrow",
    ),
    "a manifest of somebody else": ("manifest.json a.jsonl", "a.jsonl manifest.json"),
    "a deduplicated folder": (
        "dedupe.json kept/part-0.parquet removed/part-0.parquet quarantined/part-0.parquet",
        "kept/part-0.parquet",
    ),
    "state of somebody else": ("state.json b.jsonl", "b.jsonl state.json"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", ["x", "x/", ".", "x/*", "*"])
def test_side_files_are_left_out_and_named(tmp_path: Path, layout: str, path: str) -> None:
    names, expected = LAYOUTS[layout]
    build(tmp_path / "x", names)
    found = find_inputs(SourceConfig(name="s", kind="web", paths=(path,)), tmp_path)
    data = [file.name.removeprefix("x/") for file in found.files]
    assert data == expected.split()
    left = sum(entry.files for entry in found.left_out)
    hidden = {name.split("/")[0] for name in names.split() if name.startswith(".")}
    hidden = set() if path == "x/*" else hidden  # a pattern without a dot does not match them
    visible = [name for name in names.split() if not name.startswith(".")]
    assert left == len(visible) - len(data) + len(hidden)


def test_what_the_configuration_names_is_read(tmp_path: Path) -> None:
    build(tmp_path, "x/README.md x/a.jsonl x/_SUCCESS run/removed/a.parquet run/manifest.json run/verdict.json")
    source = SourceConfig(name="s", kind="web", paths=("x", "x/README.md", "x/_SUCCESS", "run/removed"))
    assert [file.name for file in find_inputs(source, tmp_path).files] == [
        "run/removed/a.parquet",
        "x/README.md",
        "x/_SUCCESS",
        "x/a.jsonl",
    ]


def test_a_folder_of_side_files_alone_is_refused(tmp_path: Path) -> None:
    build(tmp_path, "x/_SUCCESS x/_delta_log/0.json")
    with pytest.raises(ConfigError, match="side files only"):
        find_inputs(SourceConfig(name="s", kind="web", paths=("x",)), tmp_path)


def test_many_side_files_are_counted_and_ten_are_named(tmp_path: Path) -> None:
    build(tmp_path, "x/a.parquet " + " ".join(f"x/_delta_log/{i:03}.json" for i in range(30)))
    (left,) = find_inputs(SourceConfig(name="s", kind="web", paths=("x",)), tmp_path).left_out
    assert (left.files, len(left.names), left.why) == (30, 10, "the log of a Delta table")
