"""Worlds through the command line, as a person runs it: the verdict is that of the core."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import yaml

from bench.gate.corpora import folder_corpora
from bench.gate.run import CORPORA, WORLDS, write_world
from bench.gate.worlds import Worlds

SECONDS = 900


def through_command(out: Path, names: Sequence[str], seed: int) -> Iterator[tuple[str, str, str]]:
    """Run worlds that were judged by `polyculture run`; yields name, verdict of the core, verdict of the command."""
    worlds = Worlds(folder_corpora(out / CORPORA), seed)
    for name in names:
        kept = orjson.loads((out / WORLDS / f"{name}.json").read_bytes())
        with TemporaryDirectory(prefix="world") as folder:
            config, _ = write_world(worlds.make(name), Path(folder))
            path = Path(folder, "config.yaml")
            path.write_text(yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False), encoding="utf-8")
            yield name, str(kept["verdict"]), _verdict(path)


def _verdict(config: Path) -> str:
    command = [sys.executable, "-m", "cli.main", "run", str(config), "--out", str(config.parent / "run"), "--json"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = subprocess.run(command, env=alone, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode not in (0, 3, 4):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return str(json.loads(done.stdout)["verdict"])
