"""Benchmark corpora: documents of real text with planted near-duplicates, and the truth about them by an exact join."""

import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash
import zstandard

# Sources in scripts that put spaces between words, so that every tool can be given the same words.
NOT_SPACED = ("zh", "drcd", "cmrc", "xquad", "tldr", "opensource_guide", "nodejs_org", "js_algorithms")
DOCUMENT_BYTES = 1468  # on average, as the published figures have it
LEVELS = (1.0, 0.95, 0.9, 0.85, 0.82, 0.8, 0.75, 0.7, 0.5)  # Jaccard similarities that are planted, about
COPIED_FRACTION = 0.35  # of the documents that are copies of another
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Pair:
    """Two documents and their Jaccard similarity."""

    left: int
    right: int
    similarity: float


def real_lines(data: Path) -> dict[str, list[str]]:
    """Lines of 40 to 400 characters of each spaced source under `data`/dev."""
    lines: dict[str, list[str]] = {}
    for path in sorted((data / "dev").glob("*.jsonl.zst")):
        if any(name in path.name for name in NOT_SPACED):
            continue
        texts = _texts(path)
        found = sorted({line.strip() for text in texts for line in text.split("\n") if 40 <= len(line) <= 400})
        if len(found) >= 500:
            lines[path.name.split(".")[0]] = found
    return lines


def real_documents(data: Path) -> dict[str, list[str]]:
    """The texts of each source under `data`/dev, by the name of its file."""
    return {path.name.split(".")[0]: _texts(path) for path in sorted((data / "dev").glob("*.jsonl.zst"))}


def _texts(path: Path) -> list[str]:
    with path.open("rb") as raw:
        stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), encoding="utf-8")
        return [json.loads(line)["text"] for line in stream]


def words(text: str) -> list[str]:
    """Words as every tool is given them."""
    return _WORD.findall(text.lower())


def shingles(text: str) -> set[str]:
    """5-word shingles, in plain Python: what truth is computed from."""
    found = words(text)
    return {" ".join(found[i : i + 5]) for i in range(max(1, len(found) - 4))}


def documents(data: Path, count: int, seed: int = 20261124) -> Iterator[str]:
    """Documents of real lines, each of one source, 35 % of them edited copies of an earlier one.

    A copy has so many words replaced, at random places, that about its level of similarity is left: each replaced word
    costs five shingles.
    """
    generator = random.Random(seed)
    lines = real_lines(data)
    names = sorted(lines)
    weights = [len(lines[name]) for name in names]
    recent: list[str] = []
    for _ in range(count):
        if recent and generator.random() < COPIED_FRACTION:
            yield edited(generator.choice(recent), generator.choice(LEVELS), generator)
            continue
        pool = lines[generator.choices(names, weights)[0]]
        parts: list[str] = []
        size = 0
        goal = generator.uniform(0.3, 1.7) * DOCUMENT_BYTES
        while size < goal:
            parts.append(generator.choice(pool))
            size += len(parts[-1].encode()) + 1
        text = "\n".join(parts)
        recent.append(text)
        if len(recent) > 5000:
            recent[generator.randrange(5000)] = recent.pop()
        yield text


def edited(text: str, level: float, generator: random.Random) -> str:
    """A copy with words replaced, of about the Jaccard similarity `level`."""
    pieces = re.split(r"(\w+)", text)
    places = range(1, len(pieces), 2)
    count = round(len(places) * (1 - level) / (1 + level) / 5)
    for place in generator.sample(places, min(count, len(places))):
        pieces[place] = f"edit{generator.randrange(10**9)}"
    return "".join(pieces)


def write_corpus(path: Path, texts: Iterator[str]) -> None:
    """An Arrow file of documents with `id` and `text`."""
    schema = pa.schema([pa.field("id", pa.string()), pa.field("text", pa.large_string())])
    number = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        while batch := [text for _, text in zip(range(10_000), texts, strict=False)]:
            ids = [f"{number + i:09d}" for i in range(len(batch))]
            writer.write_batch(pa.record_batch([pa.array(ids), pa.array(batch, pa.large_string())], schema=schema))
            number += len(batch)


def similar_pairs(texts: Sequence[str], threshold: float) -> list[Pair]:
    """All pairs with a Jaccard similarity of at least the threshold, exactly.

    The prefix filter (Chaudhuri et al. 2006; Bayardo et al. 2007): with shingles in order of rarity, two sets at the
    threshold share one among the first n - ceil(threshold n) + 1 of each. No hashing of sets is involved.
    """
    sets = [frozenset(map(_hash, shingles(text))) for text in texts]
    frequency = Counter(shingle for found in sets for shingle in found)
    holders: dict[int, list[int]] = {}
    pairs: list[Pair] = []
    for number, found in enumerate(sets):
        rare = sorted((frequency[shingle], shingle) for shingle in found)
        prefix = [shingle for _, shingle in rare[: len(rare) - int(np.ceil(threshold * len(rare))) + 1]]
        candidates = {other for shingle in prefix for other in holders.get(shingle, ())}
        for other in candidates:
            common = len(found & sets[other])
            union = len(found) + len(sets[other]) - common
            if common >= threshold * union:
                pairs.append(Pair(other, number, common / union))
        for shingle in prefix:
            if frequency[shingle] > 1:
                holders.setdefault(shingle, []).append(number)
    return pairs


def _hash(shingle: str) -> int:
    return xxhash.xxh3_64_intdigest(shingle.encode())
