"""Template lens and lexical measures of every source, and what each pass costs.

Run as `python -m bench.lenses --data DIR`; DIR holds dev/*.jsonl.zst. CPU seconds of one thread; kernels are compiled
before the clock runs. Fails if the template pass is slower than LEAST_TEMPLATE_MB, or if a distinct fraction that
regular expressions gave before is missed by more than TOLERANCE.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import orjson
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from polyculture.measure.lexical.blocks import DocumentSizes, lexical_sample
from polyculture.measure.lexical.measures import LEAST_RATIO, LEXICAL_MEASURES, MOST_RATIO, LexicalCounts
from polyculture.measure.lexical.profile import mean_over_blocks
from polyculture.measure.probes.species import species_numbers
from polyculture.storage.hashing import Stream, id_hash, seeded_hash
from polyculture.text.skeleton import template_keys
from polyculture.text.word_sequences import word_sequences
from schemas.lexical import LexicalValue

Result = TypeVar("Result")
LEAST_TEMPLATE_MB = 12.6  # per CPU second: what skeletons by regular expressions reached
SEED = 20261122
# Distinct fractions of (whole skeletons, openings) that regular expressions gave, and how far from them is a miss.
KNOWN: dict[str, tuple[float | None, float]] = {
    "synthetic__gpteacher_toolformer": (0.946, 0.006),
    "synthetic__zeroeval_crux": (None, 0.000),
    "synthetic__zeroeval_gsm": (None, 0.062),
    "expert__gsm8k_train": (None, 0.999),
}
TOLERANCE = 0.0015
REFERENCE, COMPARED = "expert__gsm8k_train", ("synthetic__gsm8k_model_solutions", "synthetic__zeroeval_gsm")


@dataclass(frozen=True)
class Measured:
    """Numbers of one source; seconds are of CPU."""

    name: str
    documents: int
    megabytes: float
    whole: float
    opening: float
    blocks: list[LexicalCounts]
    seconds: dict[str, float]


def read(path: Path) -> tuple[pa.Array, NDArray[np.uint64]]:
    """Texts, and the seeded hashes of the ids."""
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        records = [orjson.loads(line) for line in io.BufferedReader(stream)]
    hashes = np.array([id_hash(record["id"]) for record in records], np.uint64)
    return pa.array([record["text"] for record in records], pa.large_string()), seeded_hash(hashes, SEED, Stream.PROBE)


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """The result of a call, and the CPU seconds that it took."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def distinct(keys: NDArray[np.uint64]) -> float:
    """Species per document."""
    return (int(species_numbers(keys).max()) + 1) / len(keys)


def measure(path: Path) -> Measured:
    """One source."""
    texts, order = read(path)
    keys, template_seconds = timed(lambda: template_keys(texts))
    _, species_seconds = timed(lambda: species_numbers(keys.opening))
    words, word_seconds = timed(lambda: word_sequences(texts))
    rows = np.argsort(order)
    text_bytes = np.array([len(text.as_py().encode()) for text in texts], np.int64)
    sizes = DocumentSizes(np.diff(words.offsets)[rows], text_bytes[rows])
    sample, block_seconds = timed(lambda: lexical_sample(rows, lambda at: texts.take(pa.array(at)), sizes))
    seconds = {
        "template keys": template_seconds,
        "species": species_seconds,
        "word hashes": word_seconds,
        "lexical blocks": block_seconds,
    }
    megabytes = sum(len(text.as_py().encode()) for text in texts) / 1e6
    name = path.name.removesuffix(".jsonl.zst")
    return Measured(name, len(texts), megabytes, distinct(keys.whole), distinct(keys.opening), sample.blocks, seconds)


def measures(blocks: list[LexicalCounts]) -> dict[str, LexicalValue | None]:
    """Every lexical measure."""
    return {name: mean_over_blocks(name, blocks) for name in LEXICAL_MEASURES}


def number(found: LexicalValue | None) -> str:
    """Three decimals and half of the interval, or a dash for what is unmeasured."""
    if found is None:
        return "-"
    half = "" if found.high is None or found.low is None else f" ±{(found.high - found.low) / 2:.3f}"
    return f"{found.value:.3f}{half}"


def missed(found: list[Measured]) -> list[str]:
    """Known numbers that were not reached."""
    problems = []
    for source in found:
        for value, wanted in zip((source.whole, source.opening), KNOWN.get(source.name, (None, None)), strict=True):
            if wanted is not None and abs(value - wanted) > TOLERANCE:
                problems.append(f"{source.name}: {value:.4f}, known {wanted}")
    return problems


def print_sources(found: list[Measured]) -> None:
    """A row for each source."""
    names = list(LEXICAL_MEASURES)
    print("| source | documents | MB | whole | opening | " + " | ".join(names) + " |")
    print("|---|" + "--:|" * (4 + len(names)))
    for source in found:
        lexical = " | ".join(number(value) for value in measures(source.blocks).values())
        sizes = f"{source.documents:,} | {source.megabytes:.1f}"
        print(f"| {source.name} | {sizes} | {source.whole:.3f} | {source.opening:.3f} | {lexical} |")


def print_ratios(found: list[Measured]) -> None:
    """Synthetic over human text of one kind: school mathematics."""
    values = {source.name: measures(source.blocks) for source in found}
    if REFERENCE not in values:
        return
    print(f"\n| over {REFERENCE} | " + " | ".join(LEXICAL_MEASURES) + " |\n|---|" + "--:|" * len(LEXICAL_MEASURES))
    for name in COMPARED:
        cells = [beside(values.get(name, {}).get(measure), theirs) for measure, theirs in values[REFERENCE].items()]
        print(f"| {name} | " + " | ".join(cells) + " |")


def beside(ours: LexicalValue | None, theirs: LexicalValue | None) -> str:
    """A ratio, marked where it is worth a look."""
    if ours is None or theirs is None or not theirs.value:
        return "-"
    value = ours.value / theirs.value
    return f"{value:.3f}" + ("" if LEAST_RATIO <= value <= MOST_RATIO else " look")


def print_passes(found: list[Measured]) -> float:
    """A row for each pass; returns the speed of the template pass."""
    megabytes, documents = sum(s.megabytes for s in found), sum(s.documents for s in found)
    print("\n| pass | CPU seconds | MB/s | documents/s | slowest source, MB/s |\n|---|--:|--:|--:|---|")
    for name in found[0].seconds:
        total = sum(s.seconds[name] for s in found)
        slowest = min(found, key=lambda s: s.megabytes / s.seconds[name])
        slow = f"{slowest.name} {slowest.megabytes / slowest.seconds[name]:.0f}"
        print(f"| {name} | {total:.2f} | {megabytes / total:,.0f} | {documents / total:,.0f} | {slow} |")
    return megabytes / sum(s.seconds["template keys"] for s in found)


def main() -> int:
    """Print the tables; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    paths = sorted((parser.parse_args().data / "dev").glob("*.jsonl.zst"))
    measure(paths[0])  # compiles
    found = [measure(path) for path in paths]
    print_sources(found)
    print_ratios(found)
    speed = print_passes(found)
    problems = missed(found)
    print(
        "\n"
        + ("; ".join(problems) or f"every distinct fraction that was known before is reproduced within {TOLERANCE}")
    )
    print(f"template pass: {speed:.1f} MB per CPU second (target: at least {LEAST_TEMPLATE_MB})")
    return int(bool(problems) or speed < LEAST_TEMPLATE_MB)


if __name__ == "__main__":
    sys.exit(main())
