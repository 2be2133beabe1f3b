"""The order of a mixture's shards at scale: CPU seconds, memory, and how evenly prefixes hold the sources.

Run as `python -m bench.order [--rows N]`. Sources of very different sizes and rates, made of hashes alone. Fails if a
prefix is outside the stated bound, if two windows give two orders, or if the order takes more memory than stated.
"""

import argparse
import sys
import time
import tracemalloc

import numpy as np

from polyculture.mixture.plan.order import WINDOW_ROWS, mixture_order, order_blocks
from polyculture.mixture.plan.selection import rank_documents
from polyculture.storage.hashing import inclusion_hash

SHARES = np.array([0.5, 0.25, 0.12, 0.06, 0.04, 0.02, 0.007, 0.003])  # of the documents
RATES = np.array([0.3, 1.0, 2.5, 4.0, 0.75, 1.6, 3.3, 8.0])
TARGET_BYTES_PER_ROW, TARGET_BYTES_PER_DOCUMENT = 16, 40  # beside the input, at 10 million rows or more
CHECKED_PREFIXES = 10_000
SEED = 20261122


def main() -> int:
    """Print the table; 0 if every target is met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    wanted = parser.parse_args().rows
    documents = int(wanted / float(SHARES @ RATES))
    generator = np.random.default_rng(SEED)
    source = generator.choice(len(SHARES), documents, p=SHARES / SHARES.sum()).astype(np.int64)
    hashes = inclusion_hash(np.arange(documents).astype(np.uint64), SEED)
    members = np.arange(documents)
    tracemalloc.start()
    started = time.process_time()
    streams = rank_documents(source, hashes, members, len(SHARES))
    ranked, per_document = time.process_time() - started, tracemalloc.get_traced_memory()[1] / documents
    rows = (streams.documents * RATES).astype(np.int64)
    first_rows = np.zeros(len(rows), np.int64)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    started = time.process_time()
    order = mixture_order(streams, first_rows, rows)
    ordered = time.process_time() - started
    per_row = (tracemalloc.get_traced_memory()[1] - before) / len(order)
    tracemalloc.stop()
    at = 0
    same = True
    for block in order_blocks(streams, first_rows, rows, WINDOW_ROWS // 3):
        same &= np.array_equal(order[at : at + len(block)], block)
        at += len(block)
    off = _worst(source, order, rows)
    print(f"{documents:,} documents of {len(rows)} sources, {len(order):,} rows")
    print(f"ranked in {ranked:.1f} s, {ranked / documents * 1e9:.0f} ns and {per_document:.0f} bytes a document")
    print(f"ordered in {ordered:.1f} s, {ordered / len(order) * 1e9:.0f} ns a row, {per_row:.1f} bytes a row")
    print(f"the same in windows of another size: {same}")
    print(f"farthest prefix from even, as a share of the stated bound: {off:.3f}")
    return (
        0 if same and off <= 1 and per_row <= TARGET_BYTES_PER_ROW and per_document <= TARGET_BYTES_PER_DOCUMENT else 1
    )


def _worst(source: np.ndarray, order: np.ndarray, rows: np.ndarray) -> float:
    """Largest distance of a prefix from even, beside the bound; over prefixes of all lengths up to the whole."""
    total, worst = len(order), 0.0
    ends = np.unique(np.linspace(1, total, CHECKED_PREFIXES).astype(np.int64))
    held = np.zeros(len(rows), np.int64)
    start = 0
    for end in ends.tolist():
        held += np.bincount(source[order[start:end]], minlength=len(rows))
        bound = 0.5 + (len(rows) - 2) * rows / (2 * total)
        worst = max(worst, float((np.abs(held - end * rows / total) / bound).max()))
        start = end
    return worst


if __name__ == "__main__":
    sys.exit(main())
