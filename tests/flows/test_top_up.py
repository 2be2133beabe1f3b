"""A run of narrow sources is under way, and candidates of all kinds are at hand."""

import itertools
import json
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pytest

from polyculture.errors import ConfigError, PolycultureError
from polyculture.inspect.verify import verify_run
from polyculture.storage.files import read_parquet
from polyculture.storage.run_directory import RunDirectory, is_intact, read_manifest
from polyculture.top_up.lineage import read_earlier
from polyculture.top_up.parent import open_parent
from schemas.measures import Lens
from schemas.top_up import MixtureMeasured, TopUp
from tests.conftest import Command
from tests.support.corpora import tree_digests, write_config, write_jsonl_gz
from tests.support.processes import run_and_kill
from tests.support.topics import about, varied_texts

TOKENS, SYNTHETIC_FRACTION = 20_000, 0.2
GENERATOR = random.Random(5)
RIVERS = [about(GENERATOR, [0, 1, 2]) for _ in range(300)]
COURTS = [about(GENERATOR, [3, 4, 5]) for _ in range(200)]


def georgian_texts(count: int, seed: int) -> list[str]:
    """Made-up words in a script that one language alone is written in."""
    generator, syllables = random.Random(seed), ["ბა", "დე", "გი", "ლო", "მუ", "ნა", "რე", "სი", "ტო", "ვუ", "ხა", "ჯე"]
    words = ["".join(generator.choices(syllables, k=generator.randint(2, 4))) for _ in range(400)]
    return [" ".join(generator.choices(words, k=60)) for _ in range(count)]


CANDIDATES = {
    "pages": ("web", varied_texts(500, 1)),
    "samples": ("synthetic", varied_texts(500, 2)),  # more than their kind may take
    "more": ("web", [about(GENERATOR, [0, 1, 2]) for _ in range(400)]),  # of what the parent is full of
    "twins": (
        "web",
        COURTS[:40] + [" ".join([*text.split()[:-1], "changed"]) for text in RIVERS[:30]] + varied_texts(5, 7),
    ),
    "bought": ("web", varied_texts(200, 4)),  # under a licence that is not allowed
    "textbook": ("expert", varied_texts(300, 9)),  # the reference, kept out by its rate
    "foreign": ("web", georgian_texts(30, 19)),  # of a language that the encoder does not cover
}


def source(name: str, kind: str, **keys: object) -> dict[str, object]:
    return {"name": name, "kind": kind, "paths": [f"{name}.jsonl.gz"], "language": "en", "license": "MIT", **keys}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A parent run of several shards, and the configuration of the candidates."""
    folder = tmp_path_factory.mktemp("top_up")
    for name, texts in {
        "rivers": RIVERS,
        "courts": COURTS,
        **{n: texts for n, (_, texts) in CANDIDATES.items()},
    }.items():
        write_jsonl_gz(folder / f"{name}.jsonl.gz", texts)
    parent = {
        "name": "narrow",
        "sources": [source("rivers", "web"), source("courts", "expert")],
        "mixture": {"rates": {"rivers": 2}, "max_epochs": 2},
        "shards": {"max_shard_bytes": 60_000},
        "measure": {"probes": 100},
        "validation": {"tokens": 2_000},
    }
    result = Command()("run", write_config(folder, parent, "parent.yaml"), "--out", folder / "parent")
    assert result.returncode == 3, result.stdout + result.stderr  # repeated text is NO-GO; the training runs anyway
    own = {"bought": {"license": "secret"}}
    candidates = {
        "name": "broad",
        "sources": [source(name, kind, **own.get(name, {})) for name, (kind, _) in CANDIDATES.items()],
        "licenses": ["MIT"],
        "reference": ["textbook"],
        "measure": {"semantic": {"probes": 100}, "probes": 200},
        "mixture": {"rates": {"textbook": 0}, "kinds": {"synthetic": {"max_fraction": SYNTHETIC_FRACTION}}},
    }
    write_config(folder, candidates, "candidates.yaml")
    return folder


def shards(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "parent" / "shards").glob("train-*.arrow"))


def arguments(folder: Path, out: str, consumed: str, tokens: int = TOKENS) -> list[str | Path]:
    config = folder / "candidates.yaml"
    return [
        "top-up", folder / "parent", "--consumed", consumed, "--candidates", config, "--tokens", str(tokens),
        "--out", folder / out,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(folder: Path) -> tuple[Path, str]:
    """A top-up after half of the shards, and what it printed."""
    names = shards(folder)
    assert len(names) > 3
    consumed = ",".join(names[: len(names) // 2])
    result = Command()(*arguments(folder, "topped", consumed), "--workers", "1")
    assert result.returncode in (0, 3, 4), result.stdout + result.stderr
    return folder / "topped", result.stdout


def rows_of(run: Path) -> list[dict[str, object]]:
    tables = []
    for path in sorted((run / "shards").glob("*.arrow")):
        with pa.ipc.open_stream(path) as reader:
            tables.append(reader.read_all())
    rows: list[dict[str, object]] = pa.concat_tables(tables).to_pylist()
    return rows


def in_parent(run: Path, source: str) -> dict[str, tuple[float, str]]:
    """Similarity and id of the twin that the parent holds, of each candidate that left for it."""
    rows = read_parquet(run / "filtered" / f"{source}.parquet").to_pylist()
    found = {row["document_id"]: str(row["detail"]).split(" ", 3) for row in rows if row["reason"] == "in_parent"}
    return {name: (float(words[1]), words[3]) for name, words in found.items()}


def account(run: Path) -> TopUp:
    return TopUp.model_validate_json((run / "top_up.json").read_bytes())


def test_what_is_written_is_new_allowed_and_within_the_limits(finished: tuple[Path, str]) -> None:
    run, _ = finished
    rows = rows_of(run)
    written = {str(row["text"]) for row in rows}
    assert len(written) == len(rows)  # nothing twice
    held = {*RIVERS, *COURTS, *CANDIDATES["twins"][1][:70]}
    assert not written & held
    assert not {row["source"] for row in rows} & {"bought", "textbook", "foreign"}
    tokens = {"synthetic": 0, "web": 0}
    for row in rows:
        tokens[str(row["kind"])] += int(str(row["tokens"]))
    assert 0.95 * TOKENS < sum(tokens.values()) <= TOKENS
    assert 0.9 * SYNTHETIC_FRACTION * TOKENS < tokens["synthetic"] <= SYNTHETIC_FRACTION * TOKENS


def test_everything_that_left_is_said_and_the_run_verifies(finished: tuple[Path, str]) -> None:
    run, _ = finished
    assert verify_run(run) == []
    accounts = {found.name: found for found in read_manifest(RunDirectory(run)).conservation}
    assert accounts["twins"].filtered == {"in_parent": 70}
    assert accounts["bought"].filtered == {"license": 200}
    assert (accounts["foreign"].unselected, accounts["textbook"].unselected) == (30, 300)
    twins = in_parent(run, "twins")
    assert {name: twin for name, (similarity, twin) in twins.items() if similarity == 1} == {
        f"twins:twins.jsonl.gz-{i}": f"courts:courts.jsonl.gz-{i}" for i in range(40)
    }
    near = [found for found in twins.values() if found[0] < 1]
    assert len(near) == 30
    assert all(twin.startswith("rivers:") and similarity >= 0.8 for similarity, twin in near)
    bought = read_parquet(run / "filtered" / "bought.parquet")
    assert set(zip(bought["reason"].to_pylist(), bought["detail"].to_pylist(), strict=True)) == {
        ("license", "license secret")
    }
    for name, found in accounts.items():
        rows = read_parquet(run / "filtered" / f"{name}.parquet")
        assert len(rows) == sum(found.filtered.values())
        assert sum(rows["text_tokens"].to_pylist()) == sum(found.filtered_tokens.values())
    sources = {found.name: found for found in account(run).sources}
    assert (sources["twins"].in_parent, sources["foreign"].unmeasured, sources["textbook"].left_out) == (70, 30, 300)


def test_the_manifest_names_the_parent_and_what_was_read_of_it(finished: tuple[Path, str], folder: Path) -> None:
    manifest = read_manifest(RunDirectory(finished[0]))
    assert manifest.command == "top_up"
    assert manifest.parent is not None
    parent = json.loads((folder / "parent" / "verdict.json").read_bytes())
    assert (manifest.parent.name, manifest.parent.verdict) == ("narrow", "NO-GO")
    assert manifest.parent.manifest_sha256 == parent["manifest_sha256"]
    names = shards(folder)
    read = [shard.path for shard in manifest.parent.shards if shard.consumed_rows == shard.rows]
    assert read == [f"shards/{name}" for name in names[: len(names) // 2]]
    held_out = list((folder / "parent" / "shards").glob("validation-*.arrow"))
    assert held_out
    assert not {f"shards/{path.name}" for path in held_out} & {shard.path for shard in manifest.parent.shards}
    assert manifest.parent.consumed_tokens == sum(s.tokens for s in manifest.parent.shards if s.consumed_rows)
    listed = {file.path for file in manifest.files}
    assert {"top_up.json", *(f"filtered/{name}.parquet" for name in CANDIDATES)} <= listed


def h1(mixture: MixtureMeasured, lens: Lens) -> float:
    found = mixture.lens(lens)
    assert found is not None, lens
    return found.hill_1.value


def test_the_parent_ends_broader_than_without_and_than_with_a_random_top_up(finished: tuple[Path, str]) -> None:
    found = account(finished[0])
    before, after, chance = (found.mixture(name) for name in ("before", "after", "random"))  # type: ignore[arg-type]
    assert before is not None
    assert after is not None
    assert chance is not None
    assert abs(after.tokens - chance.tokens) < 0.01 * TOKENS
    assert after.tokens == before.tokens + found.chosen_tokens
    assert before.documents == sum(shard.rows for shard in found.parent.shards)  # without what is held out
    for lens in (Lens.EXACT, Lens.NEAR, Lens.TEMPLATE):
        assert h1(after, lens) > h1(before, lens)
    assert h1(after, Lens.SEMANTIC_90) > 1.1 * h1(chance, Lens.SEMANTIC_90) > h1(before, Lens.SEMANTIC_90)
    scores = [mixture.vendi_score or 0 for mixture in (before, chance, after)]
    assert 1 < scores[0] < scores[1] < scores[2] / 1.2
    covered = [mixture.reference for mixture in (before, chance, after) if mixture.reference]
    assert len(covered) == 3
    assert len({reference.points for reference in covered}) == 1
    shares = [reference.coverage.share.value for reference in covered]
    assert shares[0] + 0.2 < shares[1] + 0.05 < shares[2]


def test_the_forecast_tells_how_much_of_the_rest_repeats_what_was_read(
    finished: tuple[Path, str], folder: Path
) -> None:
    forecast, names = account(finished[0]).forecast, shards(folder)
    parts = []
    for name in names:
        with pa.ipc.open_stream(folder / "parent" / "shards" / name) as reader:
            parts.append(reader.read_all()["text"].to_pylist())
    read = {text for part in parts[: len(names) // 2] for text in part}
    rest = [text for part in parts[len(names) // 2 :] for text in part]
    repeated = sum(text in read for text in rest) / len(rest)
    assert forecast.documents == len(rest)
    assert forecast.repeated_fraction == pytest.approx(repeated)
    assert 0 < repeated < 1
    assert forecast.near_twin_fraction is not None
    assert forecast.near_twin_fraction.low <= repeated + 0.05


def test_a_person_sees_before_and_after_in_the_terminal_and_on_the_page(finished: tuple[Path, str]) -> None:
    run, printed = finished
    page = (run / "report" / "index.html").read_text()
    for text in (printed, page):
        assert "parent and random top-up" in text
        assert "coverage of the reference" in text
        assert "If nothing is done" in text
    assert "lacks" not in printed.split("parent, nothing done")[1]
    assert "What the top-up adds to narrow" in page
    assert "nothing of it was chosen" not in printed
    assert "more: near distinct_fraction is unmeasured" not in printed  # nothing is asked of what was not chosen


@pytest.mark.long
def test_a_shortage_is_said_and_not_filled_and_any_number_of_workers_gives_the_same_bytes(folder: Path) -> None:
    step = ["--tokens-per-step", "100", "--json"]
    first = Command()(*arguments(folder, "short", "50", 10**6), *step, "--workers", "1")
    assert first.returncode in (0, 3, 4), first.stderr
    found = account(folder / "short")
    assert found.lacking_tokens > 10**6 - 100_000
    assert found.chosen_tokens + found.lacking_tokens == 10**6
    assert len({row["document_id"] for row in rows_of(folder / "short")}) == len(rows_of(folder / "short"))
    digests = tree_digests(folder / "short")
    shutil.rmtree(folder / "short")
    Command()(*arguments(folder, "short", "50", 10**6), *step, "--workers", "2")
    assert tree_digests(folder / "short") == digests


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_any_moment_a_top_up_resumes_to_the_same_bytes(finished: tuple[Path, str], folder: Path) -> None:
    names = shards(folder)
    given = arguments(folder, "killed", ",".join(names[: len(names) // 2]))
    command, was_running = Command(), 0
    for seconds in (5.0, 7.0, 9.0, 11.0, 13.0, 15.0):
        was_running += run_and_kill(command.arguments(*given), command.environment, seconds)
        if (folder / "killed" / "manifest.json").exists():
            manifest = read_manifest(RunDirectory(folder / "killed"))
            assert all(is_intact(folder / "killed", file) for file in manifest.files)
    assert was_running >= 3
    ended = command(*given)
    assert ended.returncode in (0, 3, 4), ended.stderr
    assert tree_digests(folder / "killed") == tree_digests(finished[0])


def test_a_parent_that_is_changed_or_read_beyond_its_end_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "parent", tmp_path / "parent")
    names = shards(folder)
    with pytest.raises(ConfigError, match="the shards hold"):
        open_parent(tmp_path / "parent", "1000", 10**6)
    with pytest.raises(ConfigError, match="is no shard of this run"):
        open_parent(tmp_path / "parent", "train-99999-of-00001.arrow", None)
    nothing = open_parent(tmp_path / "parent", "0", None).run
    assert (nothing.consumed_tokens, len(nothing.shards)) == (0, len(names))
    with pytest.raises(ConfigError, match="say --tokens-per-step"):
        open_parent(tmp_path / "parent", "3", None)
    (tmp_path / "parent" / "shards" / "train-zzz.arrow").write_bytes(b"not listed")
    assert [Path(shard.path).name for shard in open_parent(tmp_path / "parent", names[0], None).run.shards] == names
    shard = tmp_path / "parent" / "shards" / names[1]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    with pytest.raises(PolycultureError, match=f"{names[1]} is missing, or not the bytes"):
        open_parent(tmp_path / "parent", names[0], None)
    with pytest.raises(ConfigError, match="no finished run"):
        open_parent(tmp_path, names[0], None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"measure": {"semantic": None}}, "measure.semantic"),
        ({"name": "parent/inner"}, "name"),
    ],
)
def test_candidates_that_cannot_be_compared_are_refused_before_anything_starts(
    folder: Path, here: object, change: dict[str, object], told: str
) -> None:
    import yaml

    config = {**yaml.safe_load((folder / "candidates.yaml").read_text()), **change}
    path = write_config(folder, config, "changed.yaml")
    options = {"--consumed": 0, "--tokens-per-step": 1, "--candidates": path, "--tokens": 5}
    given = ["top-up", folder / "parent", *itertools.chain(*options.items())]
    ended = here(*given)  # type: ignore[operator]
    assert ended.returncode == 2
    assert told in ended.stderr


def test_a_top_up_neither_lies_in_its_parent_nor_is_one(folder: Path, finished: tuple[Path, str], here: object) -> None:
    inside = here(*arguments(folder, "parent/inner", "0"))  # type: ignore[operator]
    assert (inside.returncode, "lies in a run that is continued" in inside.stderr) == (2, True)
    again = arguments(folder, "again", "0")
    again[1] = finished[0]
    chained = here(*again)  # type: ignore[operator]
    assert (chained.returncode, "is itself a top-up of narrow" in chained.stderr) == (2, True)
    stranger = here(*arguments(folder, "again", "0"), "--earlier", folder / "parent")  # type: ignore[operator]
    assert (stranger.returncode, "is no top-up of" in stranger.stderr) == (2, True)
    with pytest.raises(ConfigError, match="named twice"):
        read_earlier(folder / "parent", [finished[0], finished[0]])


def test_shards_of_an_earlier_top_up_are_read_after_the_run(finished: tuple[Path, str], folder: Path) -> None:
    names, (topped, _) = shards(folder), finished
    held = sum(shard.tokens for shard in read_manifest(RunDirectory(topped)).parent.shards)  # type: ignore[union-attr]
    by_step = open_parent(folder / "parent", "1", held + 1, [topped]).run
    first = by_step.shards[len(names)]
    assert first.path == f"top-up-1/shards/{min(path.name for path in (topped / 'shards').glob('*.arrow'))}"
    assert [shard.consumed_rows for shard in by_step.shards[: len(names)]] == [
        s.rows for s in by_step.shards[: len(names)]
    ]
    assert first.consumed_rows == 1
    assert by_step.remaining_tokens == account(topped).chosen_tokens - first.consumed_tokens
    named = open_parent(folder / "parent", first.path.replace("shards/", ""), None, [topped]).run
    assert [shard.path for shard in named.shards if shard.consumed_rows] == [first.path]


@pytest.mark.long
def test_a_second_top_up_knows_the_first(finished: tuple[Path, str], folder: Path) -> None:
    names, (topped, _) = shards(folder), finished
    given = [*arguments(folder, "second", ",".join(names), TOKENS // 2), "--earlier", topped]
    ended = Command()(*given)
    assert ended.returncode in (0, 3, 4), ended.stderr
    second = folder / "second"
    before, after = ({str(row["text"]) for row in rows_of(run)} for run in (topped, second))
    assert after
    assert not before & after
    parent = read_manifest(RunDirectory(second)).parent
    assert parent is not None
    assert [one.name for one in parent.earlier] == ["broad"]
    held = sum(shard.rows for shard in parent.shards)
    assert held == len(list(rows_of(topped))) + account(topped).mixtures[0].documents
    was, now = account(topped), account(second)
    assert now.mixtures[0].documents == held
    assert now.mixtures[0].tokens == was.mixtures[0].tokens + was.chosen_tokens
    known = {source.name: source.in_parent for source in now.sources}
    assert known["pages"] >= next(source.chosen_documents for source in was.sources if source.name == "pages") > 0
    assert verify_run(second) == []
    left = [twin for name in CANDIDATES for _, twin in in_parent(second, name).values()]
    assert left
    assert not [name for name in left if name.startswith("parent")]
    with pytest.raises(ConfigError, match="was made after broad"):
        read_earlier(folder / "parent", [second])
    assert len(read_earlier(folder / "parent", [topped, second])) == 2
