"""The canary through the command line: found as planted in a healthy run, and missed where measuring is broken."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from polyculture.gate import Terms
from polyculture.gate.rejudge import judge_directory
from polyculture.inspect.verify import verify_run
from polyculture.storage.files import file_digest, parquet_rows
from polyculture.storage.run_directory import RunDirectory, read_verdict
from schemas.verdict import Outcome, VerdictValue
from tests.conftest import Command
from tests.support.corpora import three_kinds, write_config
from tests.support.processes import ROOT

WORDS = "canary: 40 of 40 known numbers inside their 99.99 % intervals"
FILES = ("canary_heavy.parquet", "canary_ledger.json", "canary_probes.parquet")
# What Python runs at its start, before anything of ours: a fault in the machine, not in the evidence.
FAULTS = {
    "half of the neighbours are lost": """
import polyculture.measure.lenses.near_index as near_index
whole = near_index.join
def lossy(*arguments):
    probe, group, weight, looked_at = whole(*arguments)
    return probe[::2], group[::2], weight[::2], looked_at
near_index.join = lossy
""",
    "counts are those of another probe": """
import numpy as np
import polyculture.measure.ledger.count as count
whole = count.exact_multiplicities
count.exact_multiplicities = lambda groups, counts: np.roll(whole(groups, counts), 1, axis=0)
""",
    "only the keys of the first documents are compared": """
import polyculture.measure.probes.species as species
whole = species.species_numbers
def first(keys):
    seen = keys.copy()
    seen[len(seen) // 2 :] = 0
    return whole(seen)
species.species_numbers = first
""",
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run and an audit of the same configuration, and what they printed beside them."""
    folder = tmp_path_factory.mktemp("healthy")
    path = write_config(folder, three_kinds(folder))
    for name in ("run", "audit"):
        result = Command()(name, path, "--out", folder / name)
        assert result.returncode == 0, result.stdout + result.stderr
        (folder / f"{name}.txt").write_text(result.stdout)
    return folder / "run", folder / "audit"


def test_a_healthy_run_and_a_healthy_audit_find_the_canary_and_show_it_nowhere_else(
    healthy: tuple[Path, Path],
) -> None:
    for run in healthy:
        [check] = [check for check in read_verdict(RunDirectory(run)).checks if check.name == "canary"]
        assert check.outcome is Outcome.PASS
        assert check.message.startswith(WORDS)
        assert WORDS in " ".join(run.with_suffix(".txt").read_text().split())
        assert WORDS in (run / "report" / "index.html").read_text()
        assert verify_run(run) == []
        manifest = json.loads((run / "manifest.json").read_text())
        listed = {file["path"] for file in manifest["files"]}
        assert {f"ledger/{name}" for name in FILES} <= listed
        assert [account["name"] for account in manifest["conservation"]] == ["pages", "samples", "solutions"]
        assert json.loads((run / "ledger" / "ledger.json").read_text())["sources"] == ["pages", "samples", "solutions"]
        probes = pa.parquet.read_table(run / "ledger" / "probes.parquet")
        assert {source for row in probes["within"].to_pylist() for source in row} == {0, 1, 2}
    shards = [path for path in (healthy[0] / "shards").glob("*.arrow") if b"canary" in path.read_bytes()]
    assert shards == []


FIRST, *OTHERS = FAULTS


@pytest.mark.parametrize("fault", [FIRST, *(pytest.param(other, marks=pytest.mark.long) for other in OTHERS)])
def test_a_broken_measurement_is_not_go(fault: str, tmp_path: Path, command: Command) -> None:
    (tmp_path / "faults").mkdir()
    (tmp_path / "faults" / "sitecustomize.py").write_text(FAULTS[fault])
    path = write_config(tmp_path, three_kinds(tmp_path))
    result = command("audit", path, "--out", tmp_path / "run", PYTHONPATH=f"{tmp_path / 'faults'}:{ROOT}")
    assert result.returncode == 3, result.stdout + result.stderr
    assert "nothing that this run measured is to be believed" in " ".join(result.stdout.split())
    failed = [check.name for check in read_verdict(RunDirectory(tmp_path / "run")).failed()]
    assert "canary" in failed


def relist(run: Path) -> None:
    """Make the manifest list the ledger as it is now, as if the run had written it so."""
    manifest = json.loads((run / "manifest.json").read_text())
    others = [file for file in manifest["files"] if not file["path"].startswith("ledger/")]
    found = [file_digest(path, run, parquet_rows(path)).model_dump() for path in (run / "ledger").iterdir()]
    manifest["files"] = sorted([*others, *found], key=lambda file: str(file["path"]))
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "verdict.json").unlink()


def of_the_other(run: Path, other: Path) -> None:
    for name in FILES:
        shutil.copy(other / "ledger" / name, run / "ledger" / name)


def without(run: Path, other: Path) -> None:
    del other
    for name in FILES:
        (run / "ledger" / name).unlink()


def one_count_more(run: Path, other: Path) -> None:
    del other
    path = run / "ledger" / "canary_probes.parquet"
    table = pa.parquet.read_table(path)
    counts = table["documents"].to_pylist()
    counts[7] = [counts[7][0] + 1]
    at, field = table.schema.get_field_index("documents"), table.schema.field("documents")
    pa.parquet.write_table(table.set_column(at, field, pa.array(counts, field.type)), path)


def other_file(run: Path, other: Path) -> None:
    del other
    shutil.copy(run / "ledger" / "probes.parquet", run / "ledger" / "canary_probes.parquet")


@pytest.mark.parametrize("change", [of_the_other, without, one_count_more, other_file])
def test_a_canary_replaced_lost_or_changed_is_not_go_even_where_the_manifest_lists_it(
    change: Callable[[Path, Path], None], healthy: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(healthy[0], run)
    relist(run)
    assert judge_directory(RunDirectory(run), None, Terms()).verdict is VerdictValue.GO
    change(run, healthy[1])
    damaged = judge_directory(RunDirectory(run), None, Terms())
    assert damaged.verdict is VerdictValue.NO_GO  # the files are not those that the manifest lists
    shutil.copy(healthy[0] / "verdict.json", run / "verdict.json")
    relist(run)
    found = judge_directory(RunDirectory(run), None, Terms())
    assert found.verdict is VerdictValue.NO_GO
    assert [check.name for check in found.failed()] == ["canary"]
