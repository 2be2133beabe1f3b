"""Documents laid out in the order of a mixture first, for a corpus that is larger than memory.

The rows of a shard come from everywhere. While the corpus fits in memory that costs little; beyond, every document
would be a read from disk of its own. So each span of the corpus, which fits, is read once from end to end and written
again in the order that the mixture needs: what a shard takes from a span then lies in one piece. These are the sorted
runs of an external merge sort (Knuth, The Art of Computer Programming 3, 5.4), and a shard is a part of the merge.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.commit import writing
from polyculture.executor import Executor
from polyculture.files import write_bytes
from polyculture.shards.cut import cut
from polyculture.shards.write import Origin, open_documents, write_batches
from schemas.mixture_config import ShardConfig

SPAN_BYTES = 2**28
# Small batches: of each span, those at the front of the merge are in memory.
_FORM = ShardConfig(format="file", compression="none", max_batch_bytes=2**19)


def lay_out(
    origin: Origin,
    row_bytes: NDArray[np.int64],
    place: tuple[Path, Executor],
    progress: Callable[[int, int], None],
    span_bytes: int = SPAN_BYTES,
) -> Origin:
    """Write the documents of an order anew, span by span, each span in that order.

    Costs a read and a write of every document that is in the order. Shards that are made from the result are the same
    to the byte.

    Args:
        origin: the documents and their order.
        row_bytes: (documents,) bytes of each.
        place: folder for the spans, and what runs one call per span.
        progress: called with the documents that are laid out, and all.
        span_bytes: of one span, about; a worker has a span and its copy in the page cache.

    Returns:
        The same documents and order, elsewhere.

    Raises:
        OutputError: a span cannot be written.
    """
    folder, executor = place
    order = np.fromfile(origin.order, np.int64)
    first_row = np.full(len(row_bytes), -1, np.int64)
    first_row[order[::-1]] = np.arange(len(order))[::-1]  # of several, the first is written last
    members = np.flatnonzero(first_row >= 0)  # as they lie: by partition, then row
    spans = list(cut(row_bytes[members], span_bytes, max(1, len(members))))
    laid = [members[first:last][np.argsort(first_row[members[first:last]])] for first, last in spans]
    numbers = np.concatenate(laid) if laid else members
    places = np.full(len(row_bytes), -1, np.int64)
    places[numbers] = np.arange(len(numbers))
    write_bytes(folder / "numbers.i64", numbers.data)
    write_bytes(folder / "places.i64", places.data)
    targets = [folder / f"{number:06d}.arrow" for number in range(len(spans))]
    calls = [(origin, folder / "numbers.i64", span, target) for span, target in zip(spans, targets, strict=True)]
    for (_, last), _ in zip(spans, executor.run(lay_out_span, calls), strict=True):
        progress(last, len(numbers))
    return replace(origin, partitions=tuple(targets), places=folder / "places.i64")


def lay_out_span(origin: Origin, numbers: Path, span: tuple[int, int], target: Path) -> None:
    """Write one span: what a worker process runs.

    Args:
        origin: the documents as they lie.
        numbers: file of 64-bit document numbers, as spans hold them.
        span: first and last of them.
        target: Arrow file to write.
    """
    first, last = span
    mine = np.fromfile(numbers, np.int64, last - first, offset=8 * first)
    documents = open_documents(origin)
    documents.prefetch(mine)
    with writing(target) as stream:
        write_batches(stream, documents, documents.find(mine), _FORM)
    documents.release()
