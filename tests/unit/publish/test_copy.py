"""Publishing, to a folder and to an S3 of this machine: whole, last the manifest, never mixed, resumable."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from polyculture.errors import ConfigError, PolycultureError
from polyculture.publish import stores
from polyculture.publish.copy import CLAIM_FILE, DIGEST_FILE, publish_files
from polyculture.publish.destination import parse_destination
from polyculture.publish.stores import FolderStore, Store, open_store
from polyculture.shards.listing import read_shard_list
from polyculture.shards.reader import ShardReader
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory
from schemas.manifest import Manifest
from schemas.publication import Approval
from schemas.verdict import VerdictValue
from tests.support.object_storage import Storage, object_storage
from tests.unit.report.fakes import THREE, a_case
from tests.unit.shards.runs import write_run

Open = Callable[[str], Store]


def quiet(done: int, total: int) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with object_storage() as found:
        yield found


@pytest.fixture(params=["folder", "s3"])
def opened(request: pytest.FixtureRequest, storage: Storage, tmp_path: Path) -> Open:
    """Opens a store by name; the same name is the same place."""
    if request.param == "folder":
        return lambda name: FolderStore(tmp_path / "to" / name)
    prefix = f"s3://corpora/{tmp_path.name}"
    return lambda name: open_store(parse_destination(f"{prefix}/{name}"), storage.options)


def a_run(root: Path, sizes: list[int]) -> tuple[RunDirectory, Manifest]:
    """A run directory with a whole manifest and a verdict."""
    write_run(root, sizes)
    files = list(read_shard_list(root).group("train"))
    manifest = a_case(THREE).manifest.model_copy(update={"files": files})
    (root / "manifest.json").write_text(manifest.model_dump_json())
    (root / "verdict.json").write_text("{}")
    return RunDirectory(root), manifest


def an_approval(name: str) -> Approval:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Approval(
        name=name,
        reason="tried",
        verdict=VerdictValue.NO_GO,
        manifest_sha256="0" * 64,
        verdict_sha256="1" * 64,
        at=at,
    )


class Logged:
    """A store that says what was written, and can fail at the n-th write or change what is written."""

    def __init__(self, store: Store, fail_at: int = 0, damage: str = "") -> None:
        self.store, self.fail_at, self.damage, self.written = store, fail_at, damage, list[str]()

    def sizes(self) -> dict[str, int]:
        return self.store.sizes()

    def clear_leftovers(self) -> None:
        self.store.clear_leftovers()

    def read(self, name: str) -> bytes | None:
        return self.store.read(name)

    def sha256(self, name: str) -> str | None:
        return self.store.sha256(name)

    def create(self, name: str, data: bytes) -> bool:
        self._count(name)
        return self.store.create(name, data)

    def write(self, name: str, path: Path) -> None:
        self._count(name)
        if name == self.damage:
            path = path.parent.parent / "manifest.json"
        self.store.write(name, path)

    def _count(self, name: str) -> None:
        self.written.append(name)
        if len(self.written) == self.fail_at:
            raise PolycultureError("the line is dead")


def test_a_published_run_is_the_run(opened: Open, tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5, 0, 4])
    store, seen = Logged(opened("a")), list[tuple[int, int]]()
    assert publish_files(directory, manifest, store, None, lambda done, total: seen.append((done, total))) == 3
    assert store.written[0] == CLAIM_FILE
    assert store.written[-2:] == ["verdict.json", "manifest.json"]
    beside = {CLAIM_FILE, DIGEST_FILE, "verdict.json", "manifest.json"}
    assert set(store.sizes()) == {f.path for f in manifest.files} | beside
    assert all(store.sha256(file.path) == file.sha256 for file in manifest.files)
    assert store.sha256("manifest.json") == file_sha256(directory.manifest)
    assert store.read("manifest.json.sha256") == f"{file_sha256(directory.manifest)}  manifest.json\n".encode()
    assert seen[-1] == (sum(file.bytes for file in manifest.files),) * 2
    if isinstance(store.store, FolderStore):
        assert len(list(ShardReader(tmp_path / "to" / "a"))) == 9
    assert publish_files(directory, manifest, store, None, quiet) == 0


def test_it_resumes_after_a_failure_at_any_write(opened: Open, storage: Storage, tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5, 4])
    for fail_at in range(1, 6):  # claim, two shards, verdict, manifest
        if isinstance(opened(""), FolderStore):  # what a killed writer leaves
            (tmp_path / "to" / f"f{fail_at}").mkdir(parents=True)
            (tmp_path / "to" / f"f{fail_at}" / ".tmp-1-train").write_bytes(b"half")
        store = Logged(opened(f"f{fail_at}"), fail_at)
        with pytest.raises(PolycultureError, match="line is dead"):
            publish_files(directory, manifest, store, None, quiet)
        assert "manifest.json" not in store.sizes()  # no reader sees a run
        again = publish_files(directory, manifest, opened(f"f{fail_at}"), None, quiet)
        assert again == min(2, 4 - fail_at) if fail_at < 4 else again == 0
        assert all(store.sha256(file.path) == file.sha256 for file in manifest.files)
    assert list(tmp_path.rglob(".tmp-*")) == []
    assert storage.uploads() == []


def test_what_arrived_damaged_is_noticed_and_written_again(opened: Open, tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5, 4])
    name = manifest.files[1].path
    with pytest.raises(PolycultureError, match="did not arrive"):
        publish_files(directory, manifest, Logged(opened("d"), damage=name), None, quiet)
    store = opened("d")
    assert store.read("manifest.json") is None
    assert publish_files(directory, manifest, store, None, quiet) == 1
    assert store.sha256(name) == manifest.files[1].sha256


def test_a_damaged_file_of_the_run_is_not_sent(opened: Open, tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5, 4])
    path = directory.root / manifest.files[1].path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(PolycultureError, match="not the bytes that the manifest lists"):
        publish_files(directory, manifest, opened("x"), None, quiet)
    assert manifest.files[1].path not in opened("x").sizes()


def test_two_runs_never_mix(opened: Open, tmp_path: Path) -> None:
    runs = [a_run(tmp_path / f"run{i}", sizes) for i, sizes in enumerate([[5, 4], [3]])]
    outcomes: list[str] = ["", ""]
    barrier = threading.Barrier(2)

    def start(number: int) -> None:
        store = opened("both")
        barrier.wait()
        try:
            publish_files(*runs[number], store, None, quiet)
            outcomes[number] = "published"
        except ConfigError as error:
            outcomes[number] = str(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = outcomes.index("published")
    assert "another run" in outcomes[1 - winner] or "not empty" in outcomes[1 - winner]
    held = {name for name in opened("both").sizes() if name.startswith("shards/")}
    assert held == {file.path for file in runs[winner][1].files}
    assert json.loads(opened("both").read(CLAIM_FILE) or b"")["manifest_sha256"] == file_sha256(
        runs[winner][0].manifest
    )


def test_a_place_with_other_files_is_refused(opened: Open, tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5])
    opened("p").create("notes.txt", b"mine")
    with pytest.raises(ConfigError, match="not empty"):
        publish_files(directory, manifest, opened("p"), None, quiet)
    publish_files(directory, manifest, opened("q"), None, quiet)
    opened("q").create("shards/train-00001-of-00002.arrow", b"stray")
    with pytest.raises(ConfigError, match="no part of the run"):
        publish_files(directory, manifest, opened("q"), None, quiet)


def test_the_first_verdict_and_approval_stand(opened: Open, tmp_path: Path) -> None:
    directory, manifest = a_run(tmp_path / "run", [5])
    publish_files(directory, manifest, opened("v"), an_approval("Ann"), quiet)
    publish_files(directory, manifest, opened("v"), an_approval("Bob"), quiet)
    assert json.loads(opened("v").read("approval.json") or b"")["name"] == "Ann"
    directory.verdict.write_text('{"other": 1}')
    with pytest.raises(ConfigError, match="another verdict"):
        publish_files(directory, manifest, opened("v"), None, quiet)


def test_options_of_a_block_are_a_closed_set_and_are_not_repeated(storage: Storage) -> None:
    with pytest.raises(ConfigError, match="unknown option 'secret'") as caught:
        open_store(parse_destination("s3://corpora/x"), storage.options | {"secret": "canary"})
    assert "canary" not in str(caught.value)
    nowhere = open_store(parse_destination("s3://corpora/nothing"), storage.options)
    assert nowhere.read("a") is None


def test_a_bucket_that_is_not_there_is_an_error_in_one_line(storage: Storage) -> None:
    store = open_store(parse_destination("s3://no-such-bucket/x"), storage.options)
    with pytest.raises(PolycultureError) as caught:
        store.create("a", b"x")
    assert "\n" not in str(caught.value)
    secrets = [value for name, value in storage.options.items() if name.endswith(("_id", "_key"))]
    assert secrets
    assert not [secret for secret in secrets if str(secret) in str(caught.value)]
    assert caught.value.__suppress_context__


def test_a_file_that_another_publisher_clears_meanwhile_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "big").write_bytes(b"x" * 100)
    store, other = FolderStore(tmp_path / "to"), FolderStore(tmp_path / "to")
    sync = stores._sync

    def cleared(path: Path) -> None:
        other.clear_leftovers()
        sync(path)

    monkeypatch.setattr(stores, "_sync", cleared)
    with pytest.raises(PolycultureError, match="another process publishes there"):
        store.write("big", tmp_path / "big")
