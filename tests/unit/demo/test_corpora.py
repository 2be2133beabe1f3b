"""Corpora that are there and unchanged are not built again; the demo's configurations are valid."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from demo import corpora
from demo.corpus import Corpus
from schemas.config import CurationConfig
from schemas.dedupe_config import Action
from schemas.documents import Kind

CONFIGS = Path(__file__).resolve().parents[3] / "configs"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two builders in the place of the real ones; the list tells which of them have worked."""
    calls: list[str] = []

    def builder(name: str) -> Callable[[Path], Corpus]:
        def build(out: Path) -> Corpus:
            calls.append(name)
            (out / f"{name}.txt").write_text(name)
            return Corpus(name, Kind.WEB, out / f"{name}.txt", 1, len(name))

        return build

    monkeypatch.setattr(corpora, "BUILDERS", {name: (builder(name), lambda: "1") for name in ("one", "two")})
    return calls


def test_an_unchanged_corpus_is_not_built_again(built: list[str], tmp_path: Path) -> None:
    first = corpora.build_corpora(tmp_path / "new")
    second = corpora.build_corpora(tmp_path / "new")
    assert [row.corpus for row in first] == [row.corpus for row in second]
    assert [row.is_new for row in first + second] == [True, True, False, False]
    assert built == ["one", "two"]


@pytest.mark.parametrize("damage", ["content", "missing", "version", "record"])
def test_what_no_longer_fits_the_record_is_built_again(built: list[str], tmp_path: Path, damage: str) -> None:
    corpora.build_corpora(tmp_path)
    if damage == "content":
        (tmp_path / "one.txt").write_text("two")
    elif damage == "missing":
        (tmp_path / "one.txt").unlink()
    elif damage == "version":
        corpora.BUILDERS["one"] = (corpora.BUILDERS["one"][0], lambda: "2")
    else:
        (tmp_path / corpora.RECORD).write_text("{")
    corpora.build_corpora(tmp_path)
    assert built[2] == "one"
    assert (tmp_path / "one.txt").read_text() == "one"


@pytest.mark.parametrize("name", ["demo_as_delivered", "demo_curated"])
def test_the_configuration_is_valid_and_reads_what_the_demo_builds(name: str) -> None:
    config = CurationConfig.model_validate(yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()))
    files = {Path(path).name for source in config.sources for path in source.paths}
    assert files == {"web.warc.gz", "expert.jsonl.zst", "synthetic.parquet"}
    assert [source.name for source in config.sources] == list(corpora.BUILDERS)
    expected = Action.MEASURE if name == "demo_as_delivered" else Action.REMOVE
    assert config.dedupe.near.action is expected
    assert (config.mixture.tokens is None) == (name == "demo_as_delivered")
