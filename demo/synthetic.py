"""The synthetic corpus: about 30,000 worked problems that are 2,000 problems in disguise.

Every document is a seed problem with exactly one word exchanged for another of its group (a mood, a place, a weekday);
the arithmetic stays right. It is what a careless expansion of a prompt set looks like. No language model wrote it, and
its columns say so. Any two documents of one seed are near-duplicates: a text has 150 words or more, and one exchanged
word touches at most 5 of its 5-word shingles. The seeds themselves are not near-duplicates of each other.
"""

import random
import re
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from demo.corpus import Corpus, package_versions
from demo.problems import seed_problems
from demo.problems.wording import PARTNERS
from schemas.documents import Kind

SEEDS = 2000
VARIANTS = 15
TEACHER = "polyculture-template-expansion-1"
SAMPLING = orjson.dumps({"method": "template expansion", "model": None, "exchanged_words": 1}).decode()
WORD = re.compile(r"[^\W\d_]+")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        ("teacher", pa.string()),
        ("prompt_id", pa.string()),
        ("sample_index", pa.int64()),
        ("generation_depth", pa.int64()),
        ("sampling", pa.string()),
    ]
)


def version() -> str:
    """Everything that the bytes of this corpus depend on."""
    return f"synthetic 1, {package_versions(('pyarrow',))}"


def exchanges(text: str) -> list[tuple[int, int, str]]:
    """All (start, end, replacement) that exchange a word which occurs once in the text for one that does not occur."""
    found = [(match.start(), match.end(), match.group()) for match in WORD.finditer(text)]
    count: dict[str, int] = {}
    for _, _, word in found:
        count[word.casefold()] = count.get(word.casefold(), 0) + 1
    return [
        (start, end, other)
        for start, end, word in found
        if count[word.casefold()] == 1
        for other in PARTNERS.get(word, ())
        if other.casefold() not in count
    ]


def variants(seed_id: str, text: str, count: int) -> list[str]:
    """`count` different texts, each with one word of the seed exchanged.

    Raises:
        ValueError: the text has too few words that may be exchanged.
    """
    generator = random.Random(seed_id)
    chosen = generator.sample(exchanges(text), count)
    return [text[:start] + other + text[end:] for start, end, other in chosen]


def table(seeds: int = SEEDS, count: int = VARIANTS) -> pa.Table:
    """The corpus, seed by seed."""
    rows = [
        (seed_id, index, text)
        for seed_id, seed_text in seed_problems(seeds)
        for index, text in enumerate(variants(seed_id, seed_text, count))
    ]
    return pa.table(
        {
            "id": [f"{seed_id}.{index:02d}" for seed_id, index, _ in rows],
            "text": [text for _, _, text in rows],
            "teacher": [TEACHER] * len(rows),
            "prompt_id": [seed_id for seed_id, _, _ in rows],
            "sample_index": [index for _, index, _ in rows],
            "generation_depth": [1] * len(rows),
            "sampling": [SAMPLING] * len(rows),
        },
        schema=SCHEMA,
    )


def build(out: Path, seeds: int = SEEDS, count: int = VARIANTS) -> Corpus:
    """Write `synthetic.parquet` into `out`."""
    path = out / "synthetic.parquet"
    documents = table(seeds, count)
    pq.write_table(documents, path, compression="zstd", row_group_size=5000)
    text_bytes = sum(len(text.encode()) for text in documents["text"].to_pylist())
    return Corpus("worked_problems", Kind.SYNTHETIC, path, documents.num_rows, text_bytes)
