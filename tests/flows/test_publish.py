"""Publishing as a person does it: only past the gate, to an S3 of this machine, with no secret left anywhere."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from polyculture.inspect.verify import verify_run
from tests.conftest import Command, Ended
from tests.support.corpora import three_kinds, write_config
from tests.support.object_storage import KEY, SECRET, Storage, object_storage

CLOSED = {"expectations": [{"lens": "near", "metric": "hill_1", "scope": "all", "at_least": 10**6}]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    result = Command()("run", write_config(folder, three_kinds(folder)), "--out", folder / "run")
    assert result.returncode == 0, result.stderr
    return folder / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with object_storage() as found:
        yield found


def close_gate(run: Path, here: Callable[..., Ended]) -> None:
    policy = run.parent / "policy.yaml"
    policy.write_text(yaml.safe_dump(CLOSED))
    assert here("gate", run, "--policy", policy, "--write").returncode == 3


@contextlib.contextmanager
def at_server() -> Iterator[None]:
    """Prefect of this process at the server of the tests, wherever it was when it was imported."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"]}):
        yield


def prefect_remembers() -> str:
    """Everything that the server keeps of runs: parameters, logs, artifacts, states."""
    from prefect.client.orchestration import get_client

    with at_server(), get_client(sync_client=True) as client:
        flows, tasks = client.read_flow_runs(limit=200), client.read_task_runs(limit=200)
        kept = [*flows, *tasks, *client.read_artifacts(limit=200), *client.read_logs(limit=200)]
    assert any(run.name.startswith("publish") for run in flows)
    return "\n".join(str(found.model_dump()) for found in kept)


def keep_secret(name: str, value: object) -> None:
    """Keep a Secret block at the server."""
    from prefect.blocks.system import Secret

    with at_server():
        Secret(value=value).save(name, overwrite=True)


def secrets_in(*texts: str) -> list[str]:
    return [secret for secret in (KEY, SECRET, "CANARY", "canary/") for text in texts if secret in text]


def test_a_run_is_published_to_s3_and_no_secret_is_left_anywhere(
    run: Path, storage: Storage, server: str, here: Callable[..., Ended]
) -> None:
    command = Command(server)
    by_environment = command("publish", run, "s3://corpora/one", **storage.environment)
    assert by_environment.returncode == 0, by_environment.stderr
    names = storage.names("one/")
    listed = [file["path"] for file in json.loads((run / "manifest.json").read_text())["files"]]
    assert set(names) == {
        f"one/{n}" for n in [*listed, "manifest.json", "manifest.json.sha256", "verdict.json", "publication.json"]
    }
    keep_secret("storage", storage.options)
    again = command("publish", run, "s3://corpora/one", "--credentials-block", "storage", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["copied"] == 0
    keep_secret("crooked", {"secret_access_key": {"nested": SECRET}})
    said: list[Ended] = [by_environment, again]
    for block, place, code in (
        ("crooked", "s3://corpora/two", 2),
        ("storage", "s3://no-such-bucket/two", 1),
    ):
        failed = command("publish", run, place, "--credentials-block", block)
        assert failed.returncode == code, failed.stderr
        assert "Traceback" not in failed.stderr
        said.append(failed)
    for user in (f"s3://{KEY}:{SECRET.replace('/', '_')}@corpora/x", f"s3://corpora/x?key={KEY}"):
        refused = here("publish", run, user)
        assert refused.returncode == 2
        said.append(refused)
    assert secrets_in(*(text for result in said for text in (result.stdout, result.stderr))) == []
    files = [path for path in run.rglob("*") if path.is_file()]
    assert secrets_in(*(path.read_bytes().decode("latin-1") for path in files)) == []
    assert secrets_in(prefect_remembers()) == []
    assert storage.uploads() == []


def test_nothing_is_published_before_go_or_an_approval(
    run: Path, tmp_path: Path, command: Command, here: Callable[..., Ended]
) -> None:
    close_gate(run, here)
    target = tmp_path / "published"
    refused = here("publish", run, target)
    assert refused.returncode == 3
    assert "somebody answers for it" in refused.stderr
    assert not target.exists()
    assert here("publish", run, target, "--approved-by", "Ann Owner").returncode == 2
    assert here("publish", run, target, "--approved-by", "Ann Owner", "--reason", "  ").returncode == 2
    approved = command("publish", run, target, "--approved-by", "Ann Owner", "--reason", "only a rehearsal")
    assert approved.returncode == 0, approved.stderr
    held = json.loads((target / "approval.json").read_text())
    assert (held["name"], held["reason"], held["verdict"]) == ("Ann Owner", "only a rehearsal", "NO-GO")
    assert [json.loads(path.read_text()) for path in (run / "state" / "approvals").iterdir()] == [held]
    assert verify_run(target) == []  # what arrived is a whole run
    shard = next((run / "shards").glob("*.arrow"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    damaged = command("publish", run, tmp_path / "other", "--approved-by", "Ann Owner", "--reason", "trust me")
    assert damaged.returncode == 1
    assert "not the bytes that the manifest lists" in damaged.stderr
    assert not (tmp_path / "other" / "manifest.json").exists()


@pytest.mark.parametrize("lie", ["verdict", "manifest"])
def test_a_verdict_that_does_not_follow_opens_nothing(
    run: Path, tmp_path: Path, here: Callable[..., Ended], lie: str
) -> None:
    if lie == "verdict":
        close_gate(run, here)
        text = (run / "verdict.json").read_text()
        (run / "verdict.json").write_text(text.replace('"verdict": "NO-GO"', '"verdict": "GO"', 1))
    else:
        text = (run / "manifest.json").read_text()
        (run / "manifest.json").write_text(text.replace('"repeated": 0', '"repeated": 0 ', 1))
    answers = ("--approved-by", "Ann Owner", "--reason", "trust me")
    assert here("publish", run, tmp_path / "published", *answers).returncode == 1
    assert not (tmp_path / "published").exists()
