"""Small corpora of known redundancy, written as real files."""

import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import yaml
import zstandard


def sentence(generator: random.Random, words: int) -> str:
    return " ".join(f"{generator.choice('bcdfgklmnprstv')}{generator.randrange(10**5)}" for _ in range(words))


def unique_texts(count: int, seed: int, words: int = 60) -> list[str]:
    generator = random.Random(seed)
    return [sentence(generator, words) for _ in range(count)]


def expanded_texts(seeds: int, copies: int, seed: int) -> list[str]:
    """Each seed text `copies` times with one word changed: near-duplicates within a seed, nothing between seeds."""
    generator = random.Random(seed)
    texts = []
    for text in unique_texts(seeds, seed, words=150):
        for _ in range(copies):
            words = text.split()
            words[generator.randrange(len(words))] = f"x{generator.randrange(10**6)}"
            texts.append(" ".join(words))
    return texts


def write_jsonl_gz(path: Path, texts: list[str], **fields: object) -> None:
    lines = [json.dumps({"id": f"{path.name}-{i}", "text": text, **fields}) for i, text in enumerate(texts)]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


def write_jsonl_zst(path: Path, texts: list[str], **fields: object) -> None:
    lines = [json.dumps({"id": i, "body": text, **fields}) for i, text in enumerate(texts)]
    path.write_bytes(zstandard.compress(("\n".join(lines) + "\n").encode()))


def write_parquet(path: Path, texts: list[str]) -> None:
    table = {
        "id": [f"p{i}" for i in range(len(texts))],
        "text": texts,
        "prompt": [f"q{i // 10}" for i in range(len(texts))],
    }
    pa.parquet.write_table(pa.table(table), path)


def three_kinds(folder: Path, synthetic: list[str] | None = None) -> dict[str, object]:
    """A configuration of three healthy sources, and its files; `synthetic` replaces the synthetic texts."""
    write_jsonl_gz(folder / "pages.jsonl.gz", unique_texts(300, 1), url="https://example.org/")
    write_jsonl_zst(folder / "solutions.jsonl.zst", unique_texts(200, 2), rationale="because", hours=1.5)
    write_parquet(folder / "samples.parquet", synthetic if synthetic is not None else unique_texts(400, 3))
    return {
        "name": "small",
        "measure": {"semantic": None},  # made-up words mean nothing; tests of embeddings turn it on
        "gate": {"judge": "words"},
        "sources": [
            {"name": "pages", "kind": "web", "paths": ["pages.jsonl.gz"], "license": "CC0-1.0"},
            {
                "name": "solutions",
                "kind": "expert",
                "paths": ["solutions.jsonl.zst"],
                "fields": {"text": "body", "explanation": "rationale"},
            },
            {"name": "samples", "kind": "synthetic", "paths": ["*.parquet"], "fields": {"seed": "prompt"}},
        ],
    }


def write_config(folder: Path, config: dict[str, object], name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def tree_digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file of a run that must be equal between equal runs."""
    import hashlib

    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] != "state"
    }


def subset_table(texts: list[str], source: str = "made") -> pa.Table:
    """DOCUMENT columns that a subset reads, of one synthetic source."""
    count = len(texts)
    return pa.table(
        {
            "document_id": [f"{source}:{number}" for number in range(count)],
            "text": pa.array(texts, pa.large_string()),
            "source": [source] * count,
            "kind": ["synthetic"] * count,
            "tokens": pa.array([len(text.split()) for text in texts], pa.int64()),
            "seed": pa.array([None] * count, pa.string()),
        }
    )
