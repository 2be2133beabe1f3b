"""The export that Megatron reads back: the same documents in the same order."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from polyculture.errors import ConfigError, PolycultureError
from polyculture.export.megatron import export_megatron
from polyculture.text.tokenizer import TokenCounter
from tests.support.processes import ROOT
from tests.unit.shards.runs import write_run

# Megatron Core's import warns of much that is deprecated, so it has a process of its own.
PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from megatron.core.datasets.indexed_dataset import IndexedDataset
from polyculture.export.megatron import export_megatron
from polyculture.text.tokenizer import TokenCounter
run, out = map(Path, sys.argv[1:])
tokenizer = TokenCounter()
for number in (1, 2):
    done = export_megatron(run, out / str(number), tokenizer, "</s>", lambda *_: None)
data = IndexedDataset(str(out / "1" / "train"))
print(json.dumps({"rows": [row.tolist() for row in data], "documents": data.document_indices.tolist(),
                  "said": done.model_dump()}))
"""


def test_megatron_reads_back_every_document_in_order(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [4, 0, 3])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, run, tmp_path], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    tokenizer = TokenCounter()
    texts = [f"text {i} ü" for i in range(7)]
    assert found["rows"] == [[*ids, tokenizer.token_id("</s>")] for ids in tokenizer.token_ids(texts)]
    assert found["documents"] == list(range(8))
    assert found["said"]["groups"] == [
        {"name": "train", "documents": 7, "tokens": sum(tokenizer.count(texts)) + len(texts)}
    ]
    assert found["said"]["dtype"] == "uint16"
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / str(number)).iterdir()} for number in (1, 2))
    assert first == second
    assert set(first) == {"train.bin", "train.idx", "export.json"}


def test_token_ids_are_as_many_as_are_counted() -> None:
    tokenizer, texts = TokenCounter(), ["", "a b", "<s> </s>", "ü 漢字"]
    assert [len(ids) for ids in tokenizer.token_ids(texts)] == tokenizer.count(texts)


@pytest.mark.parametrize(
    ("end", "is_full", "words"), [("<none>", False, "no token"), ("</s>", True, "lies in the run")]
)
def test_what_cannot_be_exported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, is_full: bool, words: str
) -> None:
    never: Callable[[], None] = lambda: None  # noqa: E731
    monkeypatch.setattr("polyculture.export.megatron._megatron", never)
    run = write_run(tmp_path / "run", [2])
    out = run if is_full else tmp_path / "out"
    with pytest.raises(ConfigError, match=words):
        export_megatron(run, out, TokenCounter(), end, lambda *_: None)


def test_a_damaged_shard_is_refused_and_what_a_stopped_export_left_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: Callable[[], object] = lambda: SimpleNamespace(DType=None)  # noqa: E731 -- the writer is asked after the checks
    monkeypatch.setattr("polyculture.export.megatron._megatron", reached)
    run, out = write_run(tmp_path / "run", [2, 3]), tmp_path / "out"
    out.mkdir()
    for name in (".tmp-train.bin", "train.bin"):
        (out / name).write_bytes(b"half")
    with pytest.raises(AttributeError):  # as far as the writer
        export_megatron(run, out, TokenCounter(), "</s>", lambda *_: None)
    assert list(out.iterdir()) == []
    shard = next((run / "shards").glob("train-00001*"))
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(PolycultureError, match="that the manifest lists"):
        export_megatron(run, out, TokenCounter(), "</s>", lambda *_: None)
    (out / "mine").write_text("x")
    with pytest.raises(ConfigError, match="is not empty"):
        export_megatron(run, out, TokenCounter(), "</s>", lambda *_: None)
    assert (out / "mine").exists()
