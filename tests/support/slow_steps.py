"""Steps that never end over some texts, for tests that run them in worker processes."""

import itertools
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from unittest.mock import patch

from polyculture.corpus.ingest import Partition, ingest_partition
from schemas.accounts import FileAccount
from schemas.source_config import LimitsConfig

MARK = "\u2019\u2019\u2019"  # no letter: only of such a text the check of a record takes the canonical text


def loop() -> None:
    while True:
        pass


def backtrack() -> None:
    re.findall(r"(a+)+$", "a" * 40 + "b")


def hang() -> None:
    """Never leave a library, which knows nothing of signals."""
    deque(itertools.repeat(0), maxlen=0)


WAYS: dict[str, Callable[[], None]] = {"loop": loop, "pattern": backtrack, "library": hang}
STEPS = (
    "polyculture.corpus.ingest.canonical_text",
    "polyculture.corpus.ingest.language_of",
    "polyculture.corpus.ingest.TokenCounter.count",
    "polyculture.sources.documents.canonical_text",
    "polyculture.sources.capture.extract_page",
)


def ingest_slowly(
    slow_step: str, way: str, partition: Partition, limits: LimitsConfig, folder: Path
) -> tuple[list[FileAccount], list[Path]]:
    """Ingest with a step that takes for ever over texts that hold MARK: what a worker runs."""
    module, _, name = slow_step.rpartition(".")
    target = resolve_name(module)
    ready = getattr(target, name)

    def slow(*args: object) -> object:
        if any(MARK in str(argument) for argument in args):
            WAYS[way]()
        return ready(*args)

    with patch.object(target, name, slow):
        return ingest_partition(partition, limits, None, folder, 0)


def ingest_hanging(
    partition: Partition, limits: LimitsConfig, tokenizer: Path | None, folder: Path, seed: int
) -> tuple[list[FileAccount], list[Path]]:
    """As the step of a run calls it, with the language of a text that holds MARK never told."""
    del tokenizer, seed
    return ingest_slowly(STEPS[1], "library", partition, limits, folder)
