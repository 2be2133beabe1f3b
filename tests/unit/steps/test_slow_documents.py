"""A document that is made to take for ever, in a run."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from polyculture.compute.executor import local_workers
from polyculture.steps import ingest as step
from polyculture.steps.jobs.audit import audit
from polyculture.steps.open import opened
from polyculture.steps.session import Quiet
from tests.support.corpora import three_kinds, unique_texts, write_config
from tests.support.slow_steps import MARK, ingest_hanging
from tests.unit.sources.helpers import jsonl


def test_a_run_with_a_document_that_never_ends_goes_on_and_its_accounts_balance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = three_kinds(tmp_path)
    lines = [{"id": f"p{i}", "text": text} for i, text in enumerate(unique_texts(150, 1))]
    lines[70]["text"] += MARK
    (tmp_path / "pages.jsonl.gz").write_bytes(jsonl([dict(line) for line in lines]))
    path = write_config(tmp_path, {**config, "limits": {"max_document_seconds": 1}})
    monkeypatch.setattr(step, "ingest_partition", ingest_hanging)
    with opened("audit", path, tmp_path / "run", local_workers(1), lambda _: Quiet()) as session:
        audit(session)
    rows = pq.read_table(tmp_path / "run" / "quarantined" / "pages.parquet").to_pylist()
    assert [(row["reason"], row["file"]) for row in rows] == [("timeout", "pages.jsonl.gz")]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (account,) = [row for row in manifest["conservation"] if row["name"] == "pages"]
    assert account["read"] == 150
    assert account["quarantined"] == {"timeout": 1}
