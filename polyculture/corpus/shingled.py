"""The shingle sets of a corpus, on disk: one for each group of equal texts, made block by block by the workers."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.compute.executor import Executor, run_worthwhile
from polyculture.corpus.corpus import Corpus, texts_at
from polyculture.storage.commit import writing
from polyculture.storage.files import write_bytes
from polyculture.text.shingles import shingle_sets

GROUPS_PER_BLOCK = 10_000


def write_shingles(
    corpus: Corpus,
    leaders: NDArray[np.int64],
    paths: tuple[Path, Path],
    executor: Executor,
    progress: Callable[[int, int], None],
) -> None:
    """Write the shingle sets of the groups of equal texts.

    Args:
        corpus: n documents.
        leaders: (groups,) a document of each group.
        paths: where the hashes (uint64) and the offsets (int64, one more than there are groups) go.
        executor: runs one call per 10,000 groups.
        progress: called with the groups that are done, and all.
    """
    hashes, offsets = paths
    partition, row = (corpus.column(name)[leaders].astype(np.int64) for name in ("partition", "row"))
    starts = range(0, len(leaders), GROUPS_PER_BLOCK)
    parts = [hashes.with_name(f"block-{number:06d}.u64") for number in range(len(starts))]
    spans = [slice(start, start + GROUPS_PER_BLOCK) for start in starts]
    calls = []
    for span, part in zip(spans, parts, strict=True):
        numbers, place = np.unique(partition[span], return_inverse=True)
        calls.append(([corpus.partitions[number] for number in numbers], place, row[span], part))
    sizes, done = [np.zeros(1, np.int64)], 0
    with writing(hashes) as stream:
        for part, found in zip(
            parts, run_worthwhile(executor, _write_block, calls, is_small=len(calls) < 2), strict=True
        ):
            with part.open("rb") as block:
                shutil.copyfileobj(block, stream, 2**22)
            part.unlink()
            sizes.append(found)
            done += len(found)
            progress(done, len(leaders))
    write_bytes(offsets, np.cumsum(np.concatenate(sizes)).tobytes())


def _write_block(
    partitions: Sequence[Path], partition: NDArray[np.int64], row: NDArray[np.int64], out: Path
) -> NDArray[np.int64]:
    """Write the hashes of some documents' shingle sets; returns the size of each."""
    block = shingle_sets(texts_at(partitions, partition, row))
    write_bytes(out, np.ascontiguousarray(block.hashes).data)
    return np.diff(block.offsets)
