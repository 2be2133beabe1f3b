"""A real server, a real worker, and the deployments of prefect.yaml."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.support.corpora import expanded_texts, three_kinds, write_config
from tests.support.processes import wait_until


@pytest.fixture
def client(worker: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: worker}), get_client(sync_client=True) as found:
        yield found


def test_a_deployed_run_ends_named_after_its_verdict_with_an_artifact(
    client: SyncPrefectClient, tmp_path: Path
) -> None:
    config = three_kinds(tmp_path, synthetic=expanded_texts(60, 10, seed=2))
    config["dedupe"] = {"near": {"action": "measure"}}
    config["name"] = "deployed|run"[:8]
    path = write_config(tmp_path, config, "vendors.yaml")
    deployment = client.read_deployment_by_name("curate/manual")
    started = client.create_flow_run_from_deployment(
        deployment.id, parameters={"config": str(path), "out": str(tmp_path / "run")}
    )

    def finished() -> FlowRun | None:
        run = client.read_flow_run(started.id)
        return run if run.state and run.state.is_final() else None

    run = wait_until(finished, 200, "the flow run")
    assert (run.state_type, run.state_name) == (StateType.COMPLETED, "NO-GO"), run.state
    assert run.name == "curate vendors"
    assert {"polyculture", "manual"} <= set(run.tags)
    artifacts = client.read_artifacts(
        artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[started.id]))
    )
    assert [artifact.key for artifact in artifacts] == ["verdict-deployed"]
    text = str(artifacts[0].data)
    assert text.startswith("# NO-GO")
    assert all(source in text for source in ("pages", "solutions", "samples"))
    assert "index.html" in text
    assert (tmp_path / "run" / "verdict.json").is_file()

    def logged() -> bool:
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[started.id])))
        return any("verdict: NO-GO" in log.message for log in logs)

    assert wait_until(logged, 30, "the run's log")


def test_top_ups_are_deployed_with_every_parameter_that_they_need(client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("top-up/manual")
    required = set(deployment.parameter_openapi_schema["required"])
    assert required == {"run", "consumed", "candidates", "tokens"}
    assert required <= set(deployment.parameters)
    assert deployment.entrypoint == "flows/top_up.py:top_up"


def test_the_active_schedule_produces_scheduled_runs(client: SyncPrefectClient) -> None:
    def scheduled() -> list[FlowRun]:
        is_scheduled = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
        runs = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=is_scheduled),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=["nightly"])),
        )
        return [run for run in runs if run.auto_scheduled]

    runs = wait_until(scheduled, 90, "scheduled runs")
    deployment = client.read_deployment_by_name("curate/nightly")
    assert {run.deployment_id for run in runs} == {deployment.id}
    assert deployment.schedules[0].active
    assert deployment.global_concurrency_limit is not None
    assert deployment.global_concurrency_limit.limit == 1
