"""`polyculture gate` and `polyculture diff` as processes, on one small finished run."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from polyculture.evidence.evidence import damaged_files
from polyculture.inspect.verify import verify_run
from polyculture.storage.run_directory import RunDirectory, read_manifest
from tests.conftest import Command, Ended
from tests.support.corpora import three_kinds, tree_digests, write_config
from tests.support.damage import DAMAGES, damage_shards

STRICT = {"expectations": [{"lens": "near", "metric": "hill_0", "scope": "all", "at_least": 10**6}]}
WAIVER = {"check": "near/hill_0", "reason": "a small test", "by": "Ada", "until": "2026-03-01"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GO run of three small healthy sources, whose reference is one of them."""
    folder = tmp_path_factory.mktemp("gate")
    bound = {"lens": "near", "metric": "hill_1", "scope": "each_source", "relative_to": "reference", "at_least": 0.6}
    config = three_kinds(folder) | {"reference": ["solutions"], "gate": {"judge": "words", "expectations": [bound]}}
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run to change."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def policy(folder: Path, **content: object) -> Path:
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump({"judge": "words", **content}))
    return path


def test_an_old_run_is_judged_again_and_nothing_is_written(finished: Path, command: Command) -> None:
    before = tree_digests(finished)
    shown = command("gate", finished)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "GO" in shown.stdout
    again = command("gate", finished, "--json")
    assert json.loads(again.stdout) == json.loads((finished / "verdict.json").read_text())
    checks = json.loads(again.stdout)["checks"]
    assert {c["scope"] for c in checks if c["relative_to"] == "reference"} == {"pages", "samples"}
    assert tree_digests(finished) == before


def test_another_policy_closes_the_gate_a_waiver_opens_it_until_its_day_and_a_written_verdict_holds(
    run: Path, tmp_path: Path, here: Callable[..., Ended]
) -> None:
    closed = here("gate", run, "--policy", policy(tmp_path, **STRICT))
    assert closed.returncode == 3
    assert "hill_0" in closed.stdout
    waived = policy(tmp_path, **STRICT, waivers=[WAIVER])
    shown = here("gate", run, "--policy", waived, "--as-of", "2026-03-01", "--write")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "waived: " in shown.stdout
    assert "Ada" in shown.stdout
    assert verify_run(run) == []  # by the policy and the day of the verdict, not by today's
    assert json.loads((run / "verdict.json").read_text())["as_of"] == "2026-03-01"
    assert "waived by Ada" in (run / "report" / "index.html").read_text().replace("W", "w")
    late = here("gate", run, "--policy", waived, "--as-of", "2026-03-02")
    assert late.returncode == 3
    assert "does nothing: it ended on 2026-03-01" in late.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"expectation": []}, "did you mean 'expectations'?"),
        ({"expectations": [{"lens": "near", "metric": "hill_1", "scope": "dox", "at_least": 1}]}, "unknown 'dox'"),
        ({"waivers": [{**WAIVER, "check": "quarantene"}]}, "unknown 'quarantene'"),
        ({"waivers": [{**WAIVER, "until": "soon"}]}, "policy.yaml:"),
        ({"last_go": "nowhere"}, "is not a finished run"),
    ],
)
def test_a_policy_is_checked_like_a_configuration(
    content: dict[str, object], words: str, finished: Path, tmp_path: Path, here: Callable[..., Ended]
) -> None:
    result = here("gate", finished, "--policy", policy(tmp_path, **content))
    assert result.returncode == 2, result.stdout
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def link(path: Path) -> None:
    """Put a link in the place of a file or folder, to the same bytes outside the run."""
    outside = path.parent.parent / f"outside-{path.name}"
    if path.parent.name == "shards":
        outside = path.parent.parent.parent / path.name
    shutil.move(path, outside)
    path.symlink_to(outside)


MUTATIONS = {
    "probes": lambda run: flip(run / "ledger" / "probes.parquet"),
    "heavy": lambda run: flip(run / "ledger" / "heavy.parquet"),
    "lexical": lambda run: flip(run / "ledger" / "lexical.parquet"),
    "repetition": lambda run: flip(run / "ledger" / "repetition.parquet"),
    "half a pair": lambda run: edit(run, "ledger/passages.parquet", "ledger/passages2.parquet"),
    "header": lambda run: flip(run / "ledger" / "ledger.json"),
    "cut": lambda run: (run / "ledger" / "probes.parquet").write_bytes(b""),
    "missing file": lambda run: (run / "ledger" / "heavy.parquet").unlink(),
    "missing folder": lambda run: shutil.rmtree(run / "ledger"),
    "stranger": lambda run: (run / "ledger" / "last_go.json").write_text("{}"),
    "manifest": lambda run: edit(run, '"repeated": 0', '"repeated": 0 '),
    "unlisted": lambda run: edit(run, "ledger/probes.parquet", "ledger/probes2.parquet"),
    "threshold": lambda run: edit(run, '"threshold": 0.8', '"threshold": 0.7'),
    "extra key": lambda run: edit(run, '"name": "small"', '"name": "small", "extra": 1'),
    "NaN": lambda run: edit(run, '"quarantine_limit": 0.05', '"quarantine_limit": NaN'),
    "removed": lambda run: shutil.rmtree(run / "removed"),
    "removed, flipped": lambda run: flip(next((run / "removed").iterdir())),
    "removed, another": lambda run: (run / "removed" / "more.parquet").write_bytes(b"rows"),
    "quarantined, one file": lambda run: next((run / "quarantined").iterdir()).unlink(),
    "plan": lambda run: (run / "plan.json").unlink(),
    "card": lambda run: flip(run / "README.md"),
    "shard behind a link": lambda run: link(run / "shards" / "train-00000-of-00001.arrow"),
    "shards behind a link": lambda run: link(run / "shards"),
    "ledger behind a link": lambda run: link(run / "ledger"),
    "shard": lambda run: flip(run / "shards" / "train-00000-of-00001.arrow"),
    "no manifest": lambda run: (run / "manifest.json").unlink(),
}


def edit(run: Path, old: str, new: str) -> None:
    text = (run / "manifest.json").read_text()
    assert old in text
    (run / "manifest.json").write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_damaged_evidence_never_opens_the_gate(mutation: str, run: Path, here: Callable[..., Ended]) -> None:
    MUTATIONS[mutation](run)  # type: ignore[no-untyped-call]
    result = here("gate", run, "--write")
    is_read = mutation not in ("extra key", "NaN", "no manifest")  # a manifest that cannot be read is no run
    assert result.returncode == (3 if is_read else 2), result.stdout + result.stderr
    assert "NO-GO" in result.stdout or not is_read
    assert "void" in result.stdout or not is_read
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("mutation", ["removed", "shard behind a link", "quarantined, one file", "plan"])
def test_a_run_with_a_listed_file_missing_is_neither_published_nor_verified(
    mutation: str, run: Path, tmp_path: Path, here: Callable[..., Ended]
) -> None:
    MUTATIONS[mutation](run)  # type: ignore[no-untyped-call]
    answered = ("--approved-by", "Ada", "--reason", "none")
    refused = here("publish", run, tmp_path / "published", *answered)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "is missing, or not the regular file" in refused.stderr
    assert not (tmp_path / "published").exists()
    assert here("verify", run).returncode == 1
    ids = run / "ids.txt"
    ids.write_text("pages:1\n")
    for command in (("report", run), ("profile", run), ("trial", run, "--ids", ids), ("diff", run, run)):
        assert here(*command).returncode in (1, 2), command


def test_a_ledger_of_another_run_is_refused_by_every_command_that_reads_one(
    run: Path, finished: Path, tmp_path: Path, here: Callable[..., Ended]
) -> None:
    from tests.support.make_run import run_here

    config = yaml.safe_load((finished.parent / "config.yaml").read_text()) | {"seed": 7}
    other = finished.parent / "other"
    run_here(write_config(finished.parent, config, "other.yaml"), other)
    ids = tmp_path / "ids.txt"
    ids.write_text("pages:1\n")
    commands = (
        ("gate", run),
        ("report", run),
        ("profile", run),
        ("trial", run, "--ids", ids),
        ("what-if", run, "--rates", "pages=1"),
        ("plan", run),
        ("diff", run, other),
        ("verify", run),
        ("publish", run, tmp_path / "published"),
    )
    shutil.rmtree(run / "ledger")
    shutil.copytree(other / "ledger", run / "ledger")
    assert {command[0]: here(*command).returncode in (1, 2, 3) for command in commands} == dict.fromkeys(
        (command[0] for command in commands), True
    )
    shutil.copy(other / "manifest.json", run / "manifest.json")  # the manifest as well: the verdict is another's
    assert {command[0]: here(*command).returncode in (1, 2, 3) for command in commands} == dict.fromkeys(
        (command[0] for command in commands), True
    )


def test_a_manifest_is_held_to_the_digest_that_was_kept_of_it(
    run: Path, finished: Path, here: Callable[..., Ended]
) -> None:
    digest = hashlib.sha256((run / "manifest.json").read_bytes()).hexdigest()
    assert here("verify", run, "--manifest-sha256", digest.upper()).returncode == 0
    other = here("verify", run, "--manifest-sha256", "0" * 64)
    assert other.returncode == 1
    assert f"manifest.json has the SHA-256 {digest}, wanted 000" in other.stderr.replace("\n", "")
    for wrong in ("abc", digest[:-1], digest + "0", "z" * 64):
        assert here("verify", run, "--manifest-sha256", wrong).returncode == 2
    (run / "manifest.json.sha256").write_text(f"{'1' * 64}  manifest.json\n")
    assert "manifest.json.sha256 says another" in here("verify", run).stderr


@pytest.mark.parametrize("name", DAMAGES)
def test_the_gate_finds_every_damage_of_the_shards(name: str, run: Path) -> None:
    directory = RunDirectory(run)
    assert damaged_files(directory, read_manifest(directory)) is None
    damage_shards(name, run)
    found = damaged_files(directory, read_manifest(directory))
    assert found is not None
    assert found.startswith("shards/")


@pytest.mark.parametrize("folder", ["removed", "filtered", "unselected", "quarantined"])
def test_the_gate_finds_a_file_that_the_manifest_does_not_list(folder: str, run: Path) -> None:
    directory = RunDirectory(run)
    (run / folder).mkdir(exist_ok=True)
    (run / folder / "stray.parquet").touch()
    assert damaged_files(directory, read_manifest(directory)) == f"{folder}/stray.parquet is not listed in the manifest"


def test_a_ledger_of_another_run_is_void_even_where_the_manifest_lists_it(
    run: Path, finished: Path, here: Callable[..., Ended]
) -> None:
    other = json.loads((run / "ledger" / "ledger.json").read_text())
    for population in other["populations"]:
        population["documents"] = [count + (count > 0) for count in population["documents"]]
    path = run / "ledger" / "ledger.json"
    path.write_text(json.dumps(other))
    from polyculture.storage.files import file_digest

    manifest = json.loads((run / "manifest.json").read_text())
    listed = next(file for file in manifest["files"] if file["path"] == "ledger/ledger.json")
    listed |= file_digest(path, run).model_dump()
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "verdict.json").unlink()
    result = here("gate", run)
    assert result.returncode == 3
    assert "the numbers are of another run" in result.stdout


def test_a_run_is_judged_beside_the_last_that_was_go(
    run: Path, finished: Path, tmp_path: Path, command: Command, here: Callable[..., Ended]
) -> None:
    relative = {"lens": "near", "metric": "hill_1", "scope": "each_source", "relative_to": "last_go", "at_least": 0.9}
    asked = policy(tmp_path, expectations=[relative])
    assert here("gate", run, "--policy", asked).returncode == 4
    beside = here("gate", run, "--policy", asked, "--last-go", finished)
    assert beside.returncode == 0, beside.stdout + beside.stderr
    config = three_kinds(tmp_path) | {"gate": {"judge": "words", "expectations": [relative], "last_go": str(finished)}}
    result = command("run", write_config(tmp_path, config), "--out", tmp_path / "next", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["last_go_sha256"]
    assert verify_run(tmp_path / "next") == []
    assert here("gate", tmp_path / "next").returncode == 0  # it keeps what it was compared with
    flip(run / "ledger" / "probes.parquet")
    assert here("gate", finished, "--policy", asked, "--last-go", run).returncode == 2


def test_two_runs_are_compared_number_by_number(
    finished: Path, tmp_path: Path, command: Command, here: Callable[..., Ended]
) -> None:
    texts = [" ".join(f"w{i // 4}x{k}" for k in range(40)) + f" y{i}" for i in range(400)]
    config = three_kinds(tmp_path, texts) | {"dedupe": {"near": {"action": "measure"}}}
    assert command("run", write_config(tmp_path, config), "--out", tmp_path / "other").returncode == 3
    same = json.loads(here("diff", finished, finished, "--json").stdout)
    assert same["config"] == []
    assert {number["change"] for number in same["numbers"]} == {0.0}
    found = json.loads(here("diff", finished, tmp_path / "other", "--json").stdout)
    assert found["verdicts"] == ["GO", "NO-GO"]
    assert {"dedupe.near.action", "reference"} <= {key["key"] for key in found["config"]}
    first = found["numbers"][0]
    assert first["is_apart"]
    by_key = {(n["lens"], n["weighting"], n["scope"], n["metric"]): n for n in found["numbers"]}
    assert by_key["near", "documents", "samples", "distinct_fraction"]["is_apart"]
    assert not by_key["near", "documents", "pages", "distinct_fraction"]["is_apart"]
    shown = command("diff", finished, tmp_path / "other")
    assert shown.returncode == 0, shown.stderr
    assert "dedupe.near.action: 'remove' -> 'measure'" in shown.stdout
    assert here("diff", finished, tmp_path).returncode == 2
