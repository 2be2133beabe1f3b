"""A quarter of a million documents: everything balances, and memory grows with their number by a bounded amount."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
import zstandard

from polyculture.evidence.evidence import read_profile
from polyculture.inspect.verify import verify_run
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.measures import Lens, Stage
from tests.conftest import Command
from tests.support.corpora import sentence, write_config

pytestmark = pytest.mark.long
WORDS = 100  # about 700 characters


def write_corpus(folder: Path, documents: int) -> Path:
    """A web source where every fifth text has a near-duplicate, in files of 25,000 documents; its configuration."""
    generator = random.Random(documents)
    folder.mkdir()
    texts: list[str] = []
    for number in range(0, documents, 25_000):
        with zstandard.open(folder / f"{number:08d}.jsonl.zst", "wt") as lines:
            for i in range(number, number + 25_000):
                is_twin = i % 5 == 4
                text = " ".join([*texts[-1].split()[:-1], "changed"]) if is_twin else sentence(generator, WORDS)
                texts.append(text)
                lines.write(json.dumps({"id": i, "text": text}) + "\n")
    source = {"name": "pages", "kind": "web", "paths": ["*.zst"], "language": "en"}
    expectation = {"lens": "near", "metric": "distinct_fraction", "at_least": 0.75}
    return write_config(
        folder,
        {
            "name": "scale",
            "sources": [source],
            "dedupe": {"near": {"action": "measure"}},
            "gate": {"judge": "words", "rules": {"near": "off"}, "expectations": [expectation]},
        },
    )


def peak_bytes(command: Command, config: Path, out: Path) -> int:
    """Peak resident memory of the main process of a run that ends well."""
    process = subprocess.Popen(
        command.arguments("run", config, "--out", out, "--json"),
        env=command.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read()
    problem = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, problem.decode()
    process.stdout.close()
    process.stderr.close()
    return usage.ru_maxrss * 1024


@pytest.mark.timeout(1800)
def test_memory_grows_by_less_than_3_kb_a_document(tmp_path: Path, command: Command) -> None:
    peaks = {}
    for documents in (50_000, 250_000):
        config = write_corpus(tmp_path / str(documents), documents)
        run = tmp_path / f"run-{documents}"
        peaks[documents] = peak_bytes(command, config, run)
        manifest = read_manifest(RunDirectory(run))
        (account,) = manifest.conservation
        assert (account.read, account.imbalance()) == (documents, 0)
        assert verify_run(run) == []
        profile = read_profile(RunDirectory(run), manifest)
        assert profile is not None
        numbers = profile.scope(Stage.INPUT, Lens.NEAR, "all")
        assert numbers is not None
        assert numbers.distinct_fraction.low <= 0.8 <= numbers.distinct_fraction.high
    growth = (peaks[250_000] - peaks[50_000]) / 200_000
    print(f"{peaks} bytes; {growth:.0f} bytes a document")
    assert growth < 3000
