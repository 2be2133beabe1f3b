"""The tools that `bench.dedupe` compares: each in a process of its own, which prints one JSON object.

Every tool is given the same texts and finds 5-word shingles at a Jaccard similarity of .8, in its documented way.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.corpora import shingles

PERMUTATIONS = 128
Removed = list[int]


def polyculture(path: Path, threads: int) -> Removed:
    """Ours: from the Arrow file to the decision, verified."""
    from polyculture.deduplication.engine import find_near_duplicates, sketch_documents
    from polyculture.deduplication.search import Workplace
    from polyculture.text.texts import map_texts
    from schemas.dedupe_config import NearConfig

    texts = map_texts([path])
    with tempfile.TemporaryDirectory() as folder:
        near, workplace = NearConfig(), Workplace(Path(folder), threads)
        sketched = sketch_documents(texts, near, 1, workplace)
        order = np.lexsort((np.arange(len(texts)), -sketched.characters.astype(np.int64)))
        found = find_near_duplicates(sketched, order, near.threshold, workplace)
    gone: Removed = np.flatnonzero(found.kept != np.arange(len(texts))).tolist()
    return gone


def datasketch(path: Path, threads: int) -> Removed:
    """Its bulk signatures and its LSH; the first of similar documents is kept."""
    del threads
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.8, num_perm=PERMUTATIONS)
    tokens = ([shingle.encode() for shingle in shingles(text)] for text in _texts(path))
    removed = []
    for number, signature in enumerate(MinHash.generator(tokens, num_perm=PERMUTATIONS)):
        if index.query(signature):
            removed.append(number)
        else:
            index.insert(number, signature)
    return removed


def rensa(path: Path, threads: int) -> Removed:
    """Its sketches of all documents at once and its one-shot query, which flags every member of a pair."""
    del threads
    from rensa import RMinHash, RMinHashLSH

    tokens = [list(shingles(text)) for text in _texts(path)]
    matrix = RMinHash.digest_matrix_from_token_sets(tokens, PERMUTATIONS, 1)
    index = RMinHashLSH(threshold=0.8, num_perm=PERMUTATIONS, num_bands=16)
    flags = index.query_duplicate_flags_matrix_one_shot(matrix)
    return [number for number, is_duplicate in enumerate(flags) if is_duplicate]


def gaoya(path: Path, threads: int) -> Removed:
    """Its index, which cuts the text itself and verifies.

    On one thread the first of similar documents is kept; on several, in its bulk calls, whatever has an earlier twin
    is removed.
    """
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=0.8,
        num_bands=16,
        band_size=8,
        analyzer="word",
        lowercase=True,
        ngram_range=(5, 5),
    )
    texts = _texts(path)
    if threads > 1:
        index.par_bulk_insert_docs(list(range(len(texts))), texts)
        return [n for n, twins in enumerate(index.par_bulk_query(texts)) if min(twins, default=n) < n]
    removed = []
    for number, text in enumerate(texts):
        if index.query(text):
            removed.append(number)
        else:
            index.insert_document(number, text)
    return removed


OURS = "polyculture"
THREADED = (OURS, "gaoya")  # the tools that can share the work among threads
TOOLS: dict[str, Callable[[Path, int], Removed]] = {
    "polyculture": polyculture,
    "gaoya": gaoya,
    "rensa": rensa,
    "datasketch": datasketch,
}


def _texts(path: Path) -> list[str]:
    with pa.OSFile(str(path)) as source:
        texts: list[str] = pa.ipc.open_file(source).read_all()["text"].to_pylist()
    return texts


def read_once(path: Path) -> None:
    """Bring the file into the page cache, so that no tool is measured on the disk."""
    with path.open("rb") as stream:
        while stream.read(2**24):
            pass


def warm_up(tool: str) -> None:
    """Import the tool and compile what it compiles, on five documents: not part of the time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.arrow"
        table = pa.table({"id": list("abcde"), "text": pa.array(["some text to warm up with"] * 5, pa.large_string())})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        TOOLS[tool](path, 1)


def anonymous_bytes() -> int:
    """Resident memory of this process that is not the page cache of a mapped file, which the system can take back."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


class Watch:
    """The largest `anonymous_bytes` while it is open, looked at a hundred times a second."""

    def __enter__(self) -> "Watch":
        self.peak_bytes = anonymous_bytes()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._is_over.wait(0.01):
            self.peak_bytes = max(self.peak_bytes, anonymous_bytes())

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


def main() -> None:
    """Run one tool once."""
    tool, path, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    read_once(path)
    warm_up(tool)
    base = anonymous_bytes()
    with Watch() as watch:
        started = time.perf_counter()
        removed = TOOLS[tool](path, threads)
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_bytes": watch.peak_bytes - base, "removed": removed}))


if __name__ == "__main__":
    main()
