"""Labelled pairs of texts: which of them the near lens takes for duplicates, beside what brute force says.

Run as `python -m bench.labelled DIR`: a folder of JSON Lines (`*.jsonl.zst`) whose records hold texts under two names
or more. Versions of a text are to be found where their similarity says so, and translations and rephrasings kept apart.
"""

import argparse
import io
import itertools
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import zstandard

from polyculture.deduplication.engine import find_near_duplicates, sketch_documents
from polyculture.deduplication.search import Workplace
from polyculture.text.canonical import canonical_text
from polyculture.text.texts import as_texts
from polyculture.text.words import shingles, words
from schemas.dedupe_config import NearConfig

LEAST_CHARACTERS, THRESHOLD = 40, 0.8


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """All pairs of texts within each record."""
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        for line in io.BufferedReader(stream):
            values = [v for v in orjson.loads(line).values() if isinstance(v, str) and len(v) >= LEAST_CHARACTERS]
            yield from itertools.combinations(values, 2)


def similarity(left: str, right: str) -> Fraction:
    """Jaccard similarity of shingle sets, as they are defined, in plain Python."""
    one, other = (shingles(words(canonical_text(text))) for text in (left, right))
    return Fraction(len(one & other), max(1, len(one | other)))


def is_found(left: str, right: str, folder: Path) -> bool:
    """True if the engine, given both, keeps one."""
    config, workplace = NearConfig(threshold=THRESHOLD), Workplace(folder)
    sketched = sketch_documents(as_texts(pa.array([left, right])), config, 1, workplace)
    kept = find_near_duplicates(sketched, np.arange(2), THRESHOLD, workplace).kept
    sketched.discard()
    return bool(kept[1] == 0)


def main() -> int:
    """Print a line for each file; 1 if a pair is found that brute force does not find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    wrong = 0
    print("| pairs of | pairs | at or above .8 | of those found | found below .8 |\n|---|--:|--:|--:|--:|")
    for path in sorted(parser.parse_args().data.glob("*.jsonl.zst")):
        counts = np.zeros((2, 2), np.int64)
        with tempfile.TemporaryDirectory() as folder:
            for left, right in pairs(path):
                is_near = similarity(left, right) >= Fraction(str(THRESHOLD))
                counts[int(is_near), int(is_found(left, right, Path(folder)))] += 1
        wrong += counts[0, 1]
        name = path.name.removesuffix(".jsonl.zst")
        print(f"| {name} | {counts.sum():,} | {counts[1].sum():,} | {counts[1, 1]:,} | {counts[0, 1]:,} |", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
