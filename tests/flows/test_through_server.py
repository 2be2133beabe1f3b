"""Commands with a Prefect server configured: the same bytes as without one, and the run stands in the dashboard.

A server that goes away takes nothing with it, and what it missed is told afterwards.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.settings import PREFECT_API_URL, temporary_settings

from polyculture.steps.journal import JOURNAL
from polyculture.storage.run_directory import RunDirectory
from schemas.journal import JobRun, JournalEntry
from tasks.history import Sender
from tests.conftest import Command, Ended
from tests.support.corpora import three_kinds, tree_digests, write_config
from tests.support.processes import is_group_alive, journal_of, wait_until
from tests.support.servers import Bridge

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


def task_runs(client: SyncPrefectClient, run: FlowRun) -> list[TaskRun]:
    return client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])), limit=200)


def task_names(client: SyncPrefectClient, run: FlowRun) -> list[str]:
    return sorted(task.name for task in task_runs(client, run) if task.state_name == "Completed")


def artifact_keys(client: SyncPrefectClient, run: FlowRun) -> list[str | None]:
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
    return [artifact.key for artifact in client.read_artifacts(artifact_filter=of_run)]


def logged(client: SyncPrefectClient, run: FlowRun) -> list[str]:
    return [log.message for log in client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])))]


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

    assert run.parameters["config"] == str(path)
    assert artifact_keys(client, run) == ["verdict-small"]
    assert "verdict: GO" in logged(client, run)
    sources = {"pages", "samples", "solutions"}
    expected = sorted(STEPS | {f"ingest {name}" for name in sources})
    wait_until(lambda: task_names(client, run) == expected, 90, "the tasks of the run")
    for folder in ("alone", "shown"):
        kept = journal_of(tmp_path / folder)
        assert {e.step for e in kept if e.event == "done"} == STEPS | {f"ingest_source {name}" for name in sources}
        assert (kept[0].event, kept[-1].event, kept[-1].step) == ("opened", "ended", "GO")
    assert not (tmp_path / "alone" / "state" / "history.json").exists()


def test_a_server_that_goes_away_costs_nothing_and_is_told_afterwards(
    client: SyncPrefectClient, server: str, tmp_path: Path
) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path), "cut.yaml")
    bridge = Bridge(urlsplit(server).port or 0)
    bridge.open()
    command, run = Command(f"http://127.0.0.1:{bridge.port}/api"), tmp_path / "run"
    arguments = command.arguments("audit", path, "--out", run)
    process = subprocess.Popen(
        arguments, env=command.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: '"flow_run"' in (run / "state" / "history.json").read_text(), 150, "a flow run")
    bridge.cut()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    last = said.strip().splitlines()[-1]
    assert last.startswith(f"history: http://127.0.0.1:{bridge.port}/api does not answer: connection refused")
    assert last.endswith(f"polyculture history {run}")
    shown = flow_run(client, "audit cut")
    assert shown.state is not None
    assert shown.state.is_running()
    bridge.open()
    for answer in ("has the history of", "has the history of"):
        told = command("history", run)
        assert told.returncode == 0, told.stderr
        assert answer in told.stdout
    shown = flow_run(client, "audit cut")
    assert shown.state is not None
    assert (shown.state.is_completed(), shown.state.name) == (True, "GO")
    assert artifact_keys(client, shown) == ["verdict-small"]
    steps = [entry.step for entry in journal_of(run) if entry.event == "done"]
    wait_until(lambda: len(task_names(client, shown)) == len(steps), 90, "the tasks of the run")
    said_lines = sum(entry.event == "said" for entry in journal_of(run))
    assert len(logged(client, shown)) == said_lines
    history = run / "state" / "history.json"
    opened = (run / "state" / JOURNAL).read_bytes().index(b"\n") + 1
    [address] = json.loads(history.read_text())["servers"]
    history.write_text(json.dumps({"servers": {address: {"bytes": opened, "flow_run": str(shown.id)}}}))
    again = command("history", run)  # as if no answer had come back
    assert again.returncode == 0, again.stderr
    assert len(logged(client, shown)) == said_lines
    assert len(task_names(client, shown)) == len(steps)
    bridge.cut()


def lines_of(job: JobRun, begun: datetime, *events: tuple[str, str, str]) -> str:
    opened = JournalEntry(at=begun, event="opened", step="", message="", run=job)
    others = [
        JournalEntry.model_validate(
            {"at": begun + timedelta(seconds=number), "event": event, "step": step, "message": message}
        )
        for number, (event, step, message) in enumerate(events, 1)
    ]
    return "".join(entry.model_dump_json(exclude_none=True) + "\n" for entry in [opened, *others])


def test_runs_of_before_stand_with_their_times_and_their_ends(
    client: SyncPrefectClient, server: str, tmp_path: Path
) -> None:
    begun = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    killed, failed, stopped = (
        JobRun(id=uuid4().hex, job="curate", name=f"curate {word}", tags=("config:old",))
        for word in ("killed", "failed", "stopped")
    )
    directory = RunDirectory(tmp_path)
    directory.state.mkdir()
    journal = directory.state / "journal.jsonl"
    journal.write_text(
        lines_of(killed, begun, ("begun", "ingest_source pages", ""), ("done", "ingest_source pages", ""))
        + '{"at": "2026-01-'  # cut off by the kill
        + "\n"
        + lines_of(
            failed, begun, ("begun", "measure", ""), ("failed", "measure", "disk full"), ("failed", "", "disk full")
        )
    )
    Sender(directory, server).send()
    with journal.open("a") as stream:
        stream.write(
            lines_of(stopped, begun, ("begun", "measure", ""), ("stopped", "measure", ""), ("stopped", "", "at 3"))
        )
    for made in (1, 0):
        sender = Sender(directory, server)
        sender.send()
        assert sender.flow_runs == made
    states = {}
    for job in (killed, failed, stopped):
        state = flow_run(client, job.name).state
        assert state is not None
        states[job.name.split()[1]] = (state.name, str(state.message).split(" (")[0])
    assert states == {
        "killed": ("Crashed", "the process ended without a word; the same command resumed"),
        "failed": ("Failed", "disk full"),
        "stopped": ("Cancelled", "at 3"),
    }
    wait_until(lambda: task_names(client, flow_run(client, "curate killed")), 90, "the tasks of the run")
    (task,) = task_runs(client, flow_run(client, "curate killed"))
    assert (task.name, task.start_time, task.end_time) == (
        "ingest pages",
        begun + timedelta(seconds=1),
        begun + timedelta(seconds=2),
    )


def test_a_command_that_is_killed_leaves_no_process(server: str, tmp_path: Path) -> None:
    path = write_config(tmp_path, three_kinds(tmp_path), "dies.yaml")
    command = Command(server)
    arguments = command.arguments("run", path, "--out", tmp_path / "run", "--workers", "2")
    process = subprocess.Popen(arguments, env=command.environment, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_until((tmp_path / "run" / "state" / "history.json").exists, 150, "a flow run")
    process.kill()
    process.wait()
    wait_until(lambda: not is_group_alive(process.pid), 10, "the end of every process of the run")


def test_history_needs_a_run_and_a_server(command: Command, here: Callable[..., Ended], tmp_path: Path) -> None:
    nothing = here("history", tmp_path)
    assert (nothing.returncode, "no run that keeps a journal" in nothing.stderr) == (2, True)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.jsonl").touch()
    alone = command("history", tmp_path)
    assert (alone.returncode, "no Prefect server is configured" in alone.stderr) == (2, True)


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
