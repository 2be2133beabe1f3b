"""Planted faults that the command line must tell: narrow words, unnamed lineage, and evidence that is not to be had."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet
import pytest
import yaml
from typer.testing import CliRunner

from cli.application import app
from polyculture.evidence.evidence import read_profile
from polyculture.inspect.verify import verify_run
from polyculture.measure.repetition.repetition_file import read_repetition
from polyculture.storage.files import file_digest, parquet_rows
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.measures import Stage
from tests.conftest import Command
from tests.support.corpora import write_config, write_jsonl_gz
from tests.support.topics import LINKS, TOPICS, about


def narrow_texts(count: int, seed: int) -> list[str]:
    """No two share a shingle, but all are made of fifty words."""
    generator = random.Random(seed)
    words = [*LINKS, *" ".join(TOPICS[:5]).split()]
    return [" ".join(generator.choices(words, k=60)) for _ in range(count)]


def pages(count: int, seed: int) -> list[str]:
    """English words about many things."""
    generator = random.Random(seed)
    return [about(generator, generator.sample(range(len(TOPICS)), 5)) for _ in range(count)]


def numbered_texts(count: int, seed: int) -> list[str]:
    """One text with other numbers: no near-duplicates, one template. It begins with what must stay text."""
    generator = random.Random(seed)
    return [
        "<script>alert(1)</script> " + f"add {generator.random()} and " * 12 + f"{number}" for number in range(count)
    ]


def chinese_texts(count: int, seed: int) -> list[str]:
    """Characters in no order: a language that no other source is in."""
    generator = random.Random(seed)
    return ["".join(chr(generator.randrange(0x4E00, 0x5C00)) for _ in range(160)) for _ in range(count)]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GO run of a varied web source and synthetic ones: narrow in words, of one template, and of another language."""
    folder = tmp_path_factory.mktemp("planted")
    sources = {
        "pages": ("web", "en", pages(1800, 1)),
        "narrow": ("synthetic", "en", narrow_texts(1800, 2)),
        "numbered": ("synthetic", "en", numbered_texts(60, 3)),
        "foreign": ("synthetic", "zh", chinese_texts(60, 4)),
    }
    for name, (_, _, texts) in sources.items():
        write_jsonl_gz(folder / f"{name}.jsonl.gz", texts)
    described = [
        {"name": name, "kind": kind, "language": language, "paths": [f"{name}.jsonl.gz"]}
        for name, (kind, language, _) in sources.items()
    ]
    config = {
        "name": "planted",
        "sources": described,
        "measure": {"probes": 200, "semantic": None},
        "gate": {"judge": "words"},
    }
    result = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert result.returncode == 0, result.stdout + result.stderr
    (folder / "shown").write_text(result.stdout)
    return folder / "run"


@pytest.fixture
def run(planted: Path, tmp_path: Path) -> Path:
    """A copy of the run to change."""
    shutil.copytree(planted, tmp_path / "run")
    return tmp_path / "run"


def policy(folder: Path, **content: object) -> Path:
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_narrow_words_that_no_lens_sees_are_said_to_be_worth_a_look(planted: Path) -> None:
    shown = (planted.parent / "shown").read_text()
    assert "warning: narrow: worth a look: " in shown
    assert "foreign: its words are not compared with human text: no web or expert source is mainly in its" in shown
    said = [check["message"] for check in json.loads((planted / "verdict.json").read_text())["checks"]]
    assert any(words.startswith("numbered: its words are not compared with human text: it is too sm") for words in said)
    assert "Too small for one block, so lexically unmeasured: foreign, numbered." in shown
    manifest = read_manifest(RunDirectory(planted))
    assert {"ledger/lexical.parquet", "ledger/examples.parquet"} <= {file.path for file in manifest.files}
    assert {"ledger/repetition.parquet", "ledger/passages.parquet"} <= {file.path for file in manifest.files}
    repetition = read_repetition(planted / "ledger")
    assert repetition is not None
    assert set(repetition.rows["stage"].to_pylist()) == {"distinct"}
    assert set(repetition.rows["source"].to_pylist()) == {"pages", "narrow", "numbered", "foreign"}
    profile = read_profile(RunDirectory(planted), manifest)
    found = {scope.scope: scope for scope in profile.lexical if scope.stage is Stage.DISTINCT}
    assert set(found) == {"all", "web", "synthetic", "pages", "narrow", "numbered", "foreign"}
    narrow, pages = (found[name].measures["distinct_1"] for name in ("narrow", "pages"))
    assert narrow is not None
    assert pages is not None
    assert (narrow.value, narrow.blocks) == (50 / 50_000, 2)
    assert pages.value > 15 * narrow.value
    ratio = found["narrow"].ratios["distinct_1"]
    assert ratio is not None
    assert ratio.value == pytest.approx(narrow.value / pages.value)
    assert found["numbered"].measures["distinct_1"] is None
    assert verify_run(planted) == []


def test_the_report_shows_words_and_how_large_species_begin_as_text(planted: Path) -> None:
    page = (planted / "report" / "index.html").read_text()
    assert "Words and their repetition" in page
    assert "unmeasured: it is too small for one block" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; add 0." in page
    assert "<script" not in page
    reported = json.loads((planted / "report" / "report.json").read_text())["profile"]
    snippets = [species["snippet"] for species in reported["heavy"] if species["lens"] == "template"]
    assert snippets
    assert all(0 < len(snippet) <= 200 for snippet in snippets)


def test_missing_lineage_warns_and_closes_the_gate_under_a_strict_policy_unless_it_is_waived(
    run: Path, tmp_path: Path, command: Command
) -> None:
    said = command("gate", run).stdout
    assert "synthetic documents name no prompt or seed" in said
    assert "more sources, in the report" in said
    assert "narrow: 1,800 of 1,800 synthetic documents name no prompt" in (run / "report" / "index.html").read_text()
    strict = command("gate", run, "--policy", policy(tmp_path, judge="words", strict=["lineage"]), "--json")
    assert strict.returncode == 3
    verdict = json.loads(strict.stdout)
    failed = [c for c in verdict["checks"] if (c["outcome"], c["severity"]) == ("fail", "fail")]
    assert {(check["name"], check["scope"]) for check in failed} == {
        ("lineage", name) for name in ("narrow", "numbered", "foreign")
    }
    person = {"reason": "the vendor sends them in March", "by": "Ada", "until": "2026-03-01"}
    waived = policy(tmp_path, judge="words", strict=["lineage"], waivers=[{"check": "lineage", **person}])
    opened = command("gate", run, "--policy", waived, "--as-of", "2026-02-01", "--write")
    assert opened.returncode == 0, opened.stdout + opened.stderr
    assert "waived: narrow: " in opened.stdout
    page = (run / "report" / "index.html").read_text()
    assert "<b>Waived by Ada until 2026-03-01: the vendor sends them in March.</b>" in page
    refused = command("gate", run, "--policy", policy(tmp_path, judge="words", strict=["linage"]))
    assert refused.returncode == 2
    assert "lineage" in refused.stderr
    everything = command("gate", run, "--policy", policy(tmp_path, judge="words", strict=True), "--json")
    assert everything.returncode == 3
    checks = json.loads(everything.stdout)["checks"]
    [look] = [check for check in checks if check["message"].startswith("narrow: worth a look: ")]
    assert (look["severity"], look["outcome"]) == ("fail", "fail")


def relisted(run: Path, name: str) -> None:
    """List a changed file of the ledger with its new digest, as a forger would, and take the old verdict away."""
    manifest = json.loads((run / "manifest.json").read_text())
    listed = next(file for file in manifest["files"] if file["path"] == f"ledger/{name}")
    path = run / "ledger" / name
    listed |= file_digest(path, run, parquet_rows(path)).model_dump()
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "verdict.json").unlink()


def change_header(run: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = run / "ledger" / "ledger.json"
    header = json.loads(path.read_text())
    change(header)
    path.write_text(json.dumps(header))
    relisted(run, "ledger.json")


def drop_near_probes(run: Path) -> None:
    path = run / "ledger" / "probes.parquet"
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.filter(pc.not_equal(table["lens"], "near")), path)
    relisted(run, "probes.parquet")


def other_columns(run: Path) -> None:
    path = run / "ledger" / "lexical.parquet"
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).drop_columns(["words"]), path)
    relisted(run, "lexical.parquet")


def edit_verdict(run: Path) -> None:
    verdict = json.loads((run / "verdict.json").read_text())
    (run / "verdict.json").write_text(json.dumps(verdict | {"manifest_sha256": "0" * 64}))


FORGERIES: dict[str, Callable[[Path], object]] = {
    "threshold that is no number": lambda run: change_header(run, lambda h: h.update(threshold=float("nan"))),
    "missing lens": lambda run: change_header(
        run, lambda h: h.update(populations=[p for p in h["populations"] if p["lens"] != "near"])  # type: ignore[attr-defined]
    ),
    "missing probes": drop_near_probes,
    "lexical file of another layout": other_columns,
    "verdict of another run": edit_verdict,
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_evidence_that_is_no_number_missing_or_stale_never_opens_the_gate(
    forgery: str, run: Path, command: Command
) -> None:
    FORGERIES[forgery](run)
    result = command("gate", run)
    assert result.returncode in (3, 4), result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout.splitlines().count("GO") == 0


def test_an_input_that_changed_after_the_run_is_not_judged_by_the_old_numbers(
    planted: Path, tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(planted.parent, folder)
    write_jsonl_gz(folder / "narrow.jsonl.gz", narrow_texts(1799, 2))
    result = command("run", folder / "config.yaml", "--out", folder / "run")
    assert result.returncode == 2, result.stdout
    assert "other inputs, config or version" in result.stderr


def test_profile_prints_lexical_measures_and_what_they_are_beside(planted: Path) -> None:
    printed = CliRunner().invoke(app, ["profile", str(planted)])
    assert printed.exit_code == 0
    assert "lexical, stage distinct, blocks of 50,000 words" in printed.stdout
    lines = [line.split() for line in printed.stdout.split("\n")]
    at = next(number for number, line in enumerate(lines) if line[:2] == ["narrow", "en"])
    assert lines[at + 1][:3] == ["over", "human", "text"]
    assert float(lines[at + 1][3]) < 0.1
    assert "numbered is not compared with human text: it is too small for one block" in printed.stdout
