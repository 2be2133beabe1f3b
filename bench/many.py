"""Many small things: 2,000 files of 1 KB against the same texts in one file, and the report of 200 sources.

Run as `python -m bench.many [--rounds N]`, on a quiet machine. Makes its corpora. Fails if many files take more than
twice the CPU seconds or the time of one, or if the page or the JSON of 200 sources is larger than stated. Kernels are
compiled by a run before, which is not counted.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
FILES, FILE_CHARACTERS = 2_000, 1_000
SOURCES, SOURCE_DOCUMENTS, SHARED_DOCUMENTS = 200, 10, 2
MOST_RATIO = 2.0  # of CPU seconds, and of seconds
MOST_BYTES = {"report.json": 5_000_000, "index.html": 3_000_000}
MADE = (0, 4)  # exit codes of a run that was made: GO, UNKNOWN
WORDS = 4_000


def main() -> int:
    """Print the tables; 0 if every target is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        missed = _files(Path(folder), rounds) + _sources(Path(folder))
    print(f"{missed} of {len(CALLS) * 2 + len(MOST_BYTES)} above what is stated")
    return 1 if missed else 0


# Command and format of the files.
CALLS = (("dedupe", "jsonl"), ("dedupe", "parquet"), ("run", "jsonl"), ("run", "parquet"))


def _files(folder: Path, rounds: int) -> int:
    """Print what many files and one cost; returns the ratios that are too high."""
    generator, vocabulary = random.Random(1), _vocabulary()
    texts = [_text(generator, vocabulary, FILE_CHARACTERS) for _ in range(FILES)]
    records = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    for suffix in ("jsonl", "parquet"):
        _write(folder / f"one-{suffix}", [records], suffix)
        _write(folder / f"many-{suffix}", [[record] for record in records], suffix)
    for command in ("dedupe", "run"):
        _measure(folder, command, "one-jsonl")  # compiles
    print(f"{'':16} {'files':>6} {'CPU s':>7} {'s':>7} {'CPU ratio':>10} {'ratio':>6} {'at most':>8}")
    missed = 0
    for command, suffix in CALLS:
        one, many = (_medians(folder, command, f"{name}-{suffix}", rounds) for name in ("one", "many"))
        ratios = [of_many / of_one for of_one, of_many in zip(one, many, strict=True)]
        missed += sum(ratio > MOST_RATIO for ratio in ratios)
        label = f"{command}, {suffix}"
        print(f"{label:16} {1:6,} {one[0]:7.1f} {one[1]:7.1f}")
        told = f"{ratios[0]:10.2f} {ratios[1]:6.2f} {MOST_RATIO:8.1f}"
        print(f"{label:16} {FILES:6,} {many[0]:7.1f} {many[1]:7.1f} {told}")
    return missed


def _medians(folder: Path, command: str, name: str, rounds: int) -> list[float]:
    """CPU seconds and seconds of a command, as of the middle round."""
    return [median(values) for values in zip(*(_measure(folder, command, name) for _ in range(rounds)), strict=True)]


def _sources(folder: Path) -> int:
    """Print the sizes of a report of many sources; returns those that are too large."""
    generator, vocabulary = random.Random(2), _vocabulary()
    shared = [_text(generator, vocabulary, FILE_CHARACTERS) for _ in range(50)]
    sources = []
    for number in range(SOURCES):
        texts = [generator.choice(shared) for _ in range(SHARED_DOCUMENTS)]
        texts += [_text(generator, vocabulary, FILE_CHARACTERS) for _ in range(SOURCE_DOCUMENTS - SHARED_DOCUMENTS)]
        name, kind = f"source_{number:03}", ("web", "expert", "synthetic")[number % 3]
        _write(folder / "sources" / name, [[{"id": str(i), "text": text} for i, text in enumerate(texts)]], "jsonl")
        sources.append({"name": name, "kind": kind, "license": "CC0-1.0", "paths": [f"sources/{name}"]})
    config, out = folder / "sources.yaml", folder / "wide"
    config.write_text(json.dumps({"name": "wide", "sources": sources}))
    seconds, _ = _timed(["run", str(config), "--out", str(out)])
    print(f"report of {SOURCES} sources, {seconds:.0f} CPU seconds")
    sizes = {name: (out / "report" / name).stat().st_size for name in MOST_BYTES}
    for name, size in sizes.items():
        print(f"{name:16} {size / 1e6:7.2f} MB, at most {MOST_BYTES[name] / 1e6:.0f}")
    return sum(size > MOST_BYTES[name] for name, size in sizes.items())


def _vocabulary() -> list[str]:
    generator, letters = random.Random(0), "abcdefghijklmnopqrstuvwxyz"
    return ["".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(WORDS)]


def _text(generator: random.Random, vocabulary: Sequence[str], characters: int) -> str:
    return " ".join(generator.choices(vocabulary, k=characters // 6))[:characters]


def _write(folder: Path, files: Sequence[Sequence[dict[str, str]]], suffix: str) -> None:
    """A folder of files, and a configuration beside it that names the folder as its one source."""
    folder.mkdir(parents=True)
    for number, records in enumerate(files):
        path = folder / f"f{number:05}.{suffix}"
        if suffix == "parquet":
            pq.write_table(pa.Table.from_pylist(list(records)), path)
        else:
            path.write_text("".join(json.dumps(record) + "\n" for record in records))
    source = {"name": "texts", "kind": "web", "license": "CC0-1.0", "paths": [folder.name]}
    folder.with_suffix(".yaml").write_text(json.dumps({"name": "small", "sources": [source]}))


def _measure(folder: Path, command: str, name: str) -> tuple[float, float]:
    """CPU seconds and seconds of a command on a folder."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        given = folder / name if command == "dedupe" else folder / f"{name}.yaml"
        return _timed([command, str(given), "--out", str(Path(out) / "out")])


def _timed(arguments: Sequence[str]) -> tuple[float, float]:
    """CPU seconds of a command and all processes that it waited for, and seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    before, started = _cpu_seconds(), time.monotonic()
    command = [sys.executable, "-m", "cli.main", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in MADE:
        raise RuntimeError(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-2000:]}")
    return _cpu_seconds() - before, time.monotonic() - started


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
