"""Commands with a Prefect server configured: the same bytes as without one, and the run stands in the dashboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.conftest import Command
from tests.support.corpora import three_kinds, tree_digests, write_config
from tests.support.processes import journal_of, wait_until

STEPS = {
    "settle_documents", "add_attributes", "write_canary", "shingle", "deduplicate", "write_removed", "hold_out",
    "plan_mixture", "measure", "measure_words", "write_mixture", "write_manifest", "give_verdict", "write_report",
}  # fmt: skip


@pytest.fixture
def client(server: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: server}), get_client(sync_client=True) as found:
        yield found


def flow_run(client: SyncPrefectClient, name: str) -> FlowRun:
    return next(run for run in client.read_flow_runs(limit=200) if run.name == name)


def task_names(client: SyncPrefectClient, run: FlowRun) -> set[str]:
    tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])), limit=200)
    return {task.name.rsplit("-", 1)[0] for task in tasks}


def test_a_run_is_the_same_with_a_server_and_without(
    client: SyncPrefectClient, server: str, command: Command, tmp_path: Path
) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path), "both.yaml")
    alone = command("run", path, "--out", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    shown = Command(server)("run", path, "--out", tmp_path / "shown")
    assert shown.returncode == 0, shown.stderr
    assert tree_digests(tmp_path / "alone") == tree_digests(tmp_path / "shown")
    run = flow_run(client, "curate both")
    assert run.state is not None
    assert run.state.name == "GO"
    assert {"polyculture", "config:both"} <= set(run.tags)

    def has_all() -> bool:  # tasks reach the server as events
        return task_names(client, run) >= STEPS | {"ingest pages"}

    wait_until(has_all, 60, "the tasks of the run")
    kept = journal_of(tmp_path / "alone")
    assert {entry.step for entry in kept if entry.event == "done"} == STEPS | {
        f"ingest_source {name}" for name in ("pages", "samples", "solutions")
    }
    assert any(entry.message == "verdict: GO" for entry in kept)
    assert not (tmp_path / "shown" / "state" / "journal.jsonl").exists()


def test_audit_and_pilot_stand_in_the_dashboard(client: SyncPrefectClient, server: str, tmp_path: Path) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path), "seen.yaml")
    command = Command(server)
    audited = command("audit", path, "--out", tmp_path / "audited")
    assert audited.returncode == 0, audited.stderr
    forecast = command("pilot", path, "--target-documents", "9000", "--out", tmp_path / "forecast")
    assert forecast.returncode in (0, 3, 4), forecast.stderr
    for name in ("audit seen", "pilot seen"):
        run = flow_run(client, name)
        assert run.state is not None
        assert run.state.is_completed(), name
