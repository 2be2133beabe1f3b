"""Real text: folders of JSON Lines that somebody names, and text that a machine has anyway.

Origins are split before the first look: bounds are chosen on a folder of corpora, and scored on text inside installed
packages, manual pages and their documentation, whose authors had nothing to do with the former.
"""

import io
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import orjson
import zstandard

MOST_RECORDS, MOST_BYTES = 20_000, 40_000_000  # of one corpus
LEAST_RECORDS = 100
LEAST_CHARACTERS = 80
_SHORT, _LONG = 400, 4_000  # characters of the median text
# Traits by the name of a corpus.
_NAMED = {
    "release": r"release|changelog|news|nodejs",
    "laws": r"laws|gesetze",
    "api": r"docstrings|api",
    "man": r"\bman_|tldr",
    "languages": r"languages|xquad|tldr|opensource_guide",
}
# Text that a program wrote, or that is copied by design: neither healthy nor made for a world. Reported apart.
_DOUBTFUL = re.compile(r"gcloud|transformers|licen[cs]e|copyright")
_COMMON = re.compile(r"\b(?:the|of|and|to|is|in|for|that|with)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """A text, and the prompt that it answers, if it says so."""

    text: str
    prompt: str = ""


@dataclass(frozen=True)
class RealCorpus:
    """The text of one origin.

    Attributes:
        name: short, without its kind.
        kind: web, expert or synthetic.
        records: in a random order that does not change.
    """

    name: str
    kind: str
    records: tuple[Record, ...]

    @property
    def is_healthy(self) -> bool:
        """True if people wrote it, each text for itself."""
        return self.kind != "synthetic" and not is_doubtful(self.name)

    @cached_property
    def traits(self) -> frozenset[str]:
        """Families of healthy worlds that it belongs to."""
        named = {trait for trait, pattern in _NAMED.items() if re.search(pattern, self.name)}
        lengths = sorted(len(record.text) for record in self.records)
        median = lengths[len(lengths) // 2]
        return frozenset(named | ({"short"} if median < _SHORT else {"long"} if median > _LONG else set()))

    @cached_property
    def is_english(self) -> bool:
        """True if its texts can be paraphrased by English synonyms."""
        text = " ".join(record.text[:2_000] for record in self.records[:50])
        return len(_COMMON.findall(text)) > len(text) / 80


def is_doubtful(name: str) -> bool:
    """True if a program wrote the text of an origin, or it is copied by design."""
    return bool(_DOUBTFUL.search(name))


def folder_corpora(folder: Path) -> list[RealCorpus]:
    """The corpora of a folder: KIND__NAME.jsonl or .jsonl.zst, records with a `text` and perhaps a `prompt_id`."""
    paths = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.zst")])
    found = []
    for path in paths:
        kind, _, name = path.name.split(".")[0].partition("__")
        corpus = made_corpus(name or kind, kind if name else "web", _records(path))
        found += [corpus] if corpus is not None else []
    return found


def made_corpus(name: str, kind: str, records: Iterator[Record]) -> RealCorpus | None:
    """A corpus of different texts, shuffled; None if there are too few of them."""
    seen: dict[str, Record] = {}
    size = 0
    for record in records:
        if len(record.text) >= LEAST_CHARACTERS and record.text not in seen:
            seen[record.text] = record
            size += len(record.text)
    kept = list(seen.values())
    random.Random(name).shuffle(kept)
    kept = kept[: min(MOST_RECORDS, int(len(kept) * min(1.0, MOST_BYTES / max(1, size))))]
    return RealCorpus(name, kind, tuple(kept)) if len(kept) >= LEAST_RECORDS else None


def keep_corpora(corpora: Sequence[RealCorpus], folder: Path) -> None:
    """Write corpora beside the worlds that are made of them, so that every worker reads the same."""
    folder.mkdir(parents=True, exist_ok=True)
    for corpus in corpora:
        lines = [orjson.dumps({"text": record.text, "prompt_id": record.prompt}) for record in corpus.records]
        packed = zstandard.ZstdCompressor(3).compress(b"\n".join(lines) + b"\n")
        (folder / f"{corpus.kind}__{corpus.name}.jsonl.zst").write_bytes(packed)


def _records(path: Path) -> Iterator[Record]:
    with path.open("rb") as raw:
        lines = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw)) if path.suffix == ".zst" else raw
        for line in lines:
            record = orjson.loads(line)
            yield Record(record["text"], str(record.get("prompt_id") or ""))
