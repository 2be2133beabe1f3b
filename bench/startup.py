"""Start of commands: CPU seconds of the whole process tree, and seconds until the first byte of output.

Run as `python -m bench.startup [--rounds N]`, on a quiet machine. Makes its corpus. Fails if a command takes more CPU
seconds than stated; kernels and bytecode are made by a run before, which is not counted.
"""

import argparse
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
DOCUMENTS = 1_000
# The most CPU seconds of each command.
TARGETS = {
    "--version": 0.5,
    "--help": 0.7,
    "run: no such pattern": 1.0,
    "verify: no such run": 1.0,
    "run": 6.0,
    "run again": 4.0,
    "verify": 3.0,
    "gate": 3.0,
}


def main() -> int:
    """Print the table; 0 if every target is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        calls = _calls(Path(folder))
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in TARGETS}
        _start(_at(calls["run"], Path(folder, "first")))  # compiles
        for number in range(rounds):
            for name, taken in measured.items():
                taken.append(_start(_at(calls[name], Path(folder, f"run-{number}"))))
    print(f"{'command':22} {'CPU s':>7} {'at most':>8} {'first byte, s':>14}")
    missed = 0
    for name, taken in measured.items():
        seconds, first = (median(values) for values in zip(*taken, strict=True))
        missed += seconds > TARGETS[name]
        print(f"{name:22} {seconds:7.2f} {TARGETS[name]:8.1f} {first:14.2f}")
    print(f"{missed} of {len(TARGETS)} above what is stated")
    return 1 if missed else 0


def _calls(folder: Path) -> dict[str, list[str]]:
    """Arguments of each command; RUN stands for a run directory."""
    generator = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(4_000)]
    with (folder / "texts.jsonl").open("w") as stream:
        for number in range(DOCUMENTS):
            text = " ".join(generator.choices(words, k=generator.randint(60, 250)))
            stream.write(json.dumps({"id": str(number), "text": text}) + "\n")
    source = {"name": "texts", "kind": "web", "license": "CC0-1.0", "paths": ["texts.jsonl"]}
    config = {"name": "small", "sources": [source], "mixture": {"tokens": 60_000}, "measure": {"semantic": {}}}
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "bad.yaml").write_text(json.dumps({**config, "sources": [{**source, "paths": ["*.parquet"]}]}))
    run = ["run", str(folder / "config.yaml"), "--out", "RUN"]
    return {
        "--version": ["--version"],
        "--help": ["--help"],
        "run: no such pattern": ["run", str(folder / "bad.yaml"), "--out", "RUN"],
        "verify: no such run": ["verify", str(folder / "absent")],
        "run": run,
        "run again": run,
        "verify": ["verify", "RUN"],
        "gate": ["gate", "RUN"],
    }


def _at(arguments: Sequence[str], out: Path) -> list[str]:
    """Arguments with a run directory in the place of RUN."""
    return [str(out) if argument == "RUN" else argument for argument in arguments]


def _start(arguments: Sequence[str]) -> tuple[float, float]:
    """CPU seconds of a command and all processes that it waited for, and seconds to its first byte."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPATH": str(ROOT)}
    before, started = _cpu_seconds(), time.monotonic()
    command = [sys.executable, "-m", "cli.main", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        if process.stdout is None:
            raise RuntimeError("a pipe was asked for")
        select.select([process.stdout], [], [])
        first = time.monotonic() - started
        process.stdout.read()
    return _cpu_seconds() - before, first


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
