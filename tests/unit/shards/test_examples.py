"""The examples for trainers, run: each library gives the rows of the shards, in their order."""

import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

from polyculture.shards.describe import write_descriptions
from polyculture.shards.listing import read_shard_list
from tests.support.processes import ROOT
from tests.unit.report.fakes import THREE, a_case
from tests.unit.shards.runs import write_run

SIZES = [40, 31, 30]
IDS = [f"docs:{i}" for i in range(sum(SIZES))]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_run(tmp_path_factory.mktemp("run") / "run", SIZES, batch_rows=7)
    manifest = a_case(THREE).manifest.model_copy(update={"files": list(read_shard_list(run).group("train"))})
    write_descriptions(manifest, run)
    return run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.long
# torch warns on machines of few cores
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_torch_stops_and_goes_on_with_another_number_of_workers(run: Path, tmp_path: Path) -> None:
    from examples.read_with_torch import BATCH_ROWS, train

    state = tmp_path / "state.json"
    batches = [batch for workers in (2, 0, 3) for batch in train(run, state, 3, workers)]
    batches += train(run, state, 1000, 2)
    whole = len(IDS) // BATCH_ROWS * BATCH_ROWS
    assert [name for batch in batches for name in batch] == IDS
    assert [len(batch) for batch in batches] == [BATCH_ROWS] * (whole // BATCH_ROWS) + [len(IDS) - whole]
    assert train(run, state, 1, 2) == []


@pytest.mark.parametrize("rows", [1, 39, 40, 55, 100])
def test_datasets_streams_and_resumes(run: Path, rows: int) -> None:
    from examples.read_with_datasets import as_stream, resumed

    taken, rest = resumed(as_stream(run), rows)
    assert len(taken) == rows
    assert [row["document_id"] for row in taken + rest] == IDS


def test_datasets_opens_the_card(run: Path) -> None:
    from examples.read_with_datasets import by_card

    found = by_card(run)
    assert list(found) == ["train"]
    assert found["train"]["document_id"][:] == IDS
    assert found["train"].features["text"].dtype == "large_string"


@pytest.mark.parametrize(
    ("form", "compression"), [("stream", None), ("stream", "zstd"), ("file", None), ("file", "lz4")]
)
def test_polars_pyarrow_and_duckdb_read_either_format(tmp_path: Path, form: str, compression: str | None) -> None:
    from examples.read_with_tables import with_duckdb, with_polars, with_pyarrow

    run = write_run(tmp_path / "run", SIZES, form=form, compression=compression)
    assert with_polars(run) == with_duckdb(run) == [("docs", 3 * len(IDS))]
    assert with_pyarrow(run, "docs") == len(IDS)
    assert with_pyarrow(run, "other") == 0


def test_what_the_card_tells_to_do_works(run: Path, tmp_path: Path) -> None:
    code = (run / "README.md").read_text().split("```python\n")[1].split("```")[0]
    code += "print(row['document_id'], next(iter(data))['document_id'], frame.height, table.num_rows)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=run,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path)},
    )
    assert done.stdout == f"{IDS[-1]} {IDS[0]} {SIZES[0]} {SIZES[0]}\n", done.stderr


def test_examples_run_from_the_command_line(run: Path) -> None:
    script = ROOT / "examples" / "read_with_tables.py"
    done = subprocess.run([sys.executable, script, run], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout == "docs 303\n", done.stderr
