"""The order of shards: both bounds over random sources and rates, and against the formula itself, row by row."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from polyculture.mixture.plan.order import mixture_order, order_blocks
from polyculture.mixture.plan.selection import Streams, copies_of, rank_documents
from polyculture.storage.hashing import inclusion_hash

# documents of a source, where its stretch begins, and its rows
stretch = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 2 * n), st.integers(0, 4 * n)))
stretches = st.lists(stretch, min_size=1, max_size=6)


def made(found: list[tuple[int, int, int]]) -> tuple[Streams, NDArray[np.int64], NDArray[np.int64]]:
    sizes, first, rows = (np.array(column, np.int64) for column in zip(*found, strict=True))
    source = np.repeat(np.arange(len(found)), sizes)
    hashes = inclusion_hash(np.arange(len(source)).astype(np.uint64), 5)
    return rank_documents(source, hashes, np.arange(len(source)), len(found)), first, rows


def by_the_formula(streams: Streams, first: NDArray[np.int64], rows: NDArray[np.int64]) -> list[int]:
    """Copy e of the document of rank k at (e + k/n) / E, in exact fractions, half a row added."""
    placed = []
    for number, size in enumerate(streams.documents.tolist()):
        epochs = Fraction(int(rows[number]), size)
        for row in range(int(rows[number])):
            e, k = divmod(row, size)
            rank = (int(first[number]) + row) % size
            position = (e + Fraction(k, size) + Fraction(1, 2 * size)) / epochs
            placed.append((position, number, row, int(streams.of(number)[rank])))
    return [document for *_, document in sorted(placed)]


@settings(max_examples=60, deadline=None)
@given(stretches, st.integers(1, 50))
def test_the_order_is_that_of_the_formula_whatever_the_window(found: list[tuple[int, int, int]], window: int) -> None:
    streams, first, rows = made(found)
    order = mixture_order(streams, first, rows)
    assert order.tolist() == by_the_formula(streams, first, rows)
    assert order.tolist() == [d for block in order_blocks(streams, first, rows, window) for d in block.tolist()]
    assert np.array_equal(
        np.bincount(order, minlength=len(streams.ranked)), copies_of(streams, first, rows, len(streams.ranked))
    )


@settings(max_examples=60, deadline=None)
@given(stretches)
def test_every_prefix_holds_the_sources_within_the_stated_bound(found: list[tuple[int, int, int]]) -> None:
    streams, first, rows = made(found)
    order = mixture_order(streams, first, rows)
    source = np.repeat(np.arange(len(rows)), streams.documents)
    sources = int((rows > 0).sum())
    total = max(1, int(rows.sum()))
    for number, count in enumerate(rows.tolist()):
        held = np.cumsum(source[order] == number)
        length = np.arange(1, len(order) + 1)
        off = np.abs(held - length * count / total)
        bound = 0.5 + (sources - 2) * count / (2 * total) if sources > 1 else 0.0
        assert off.max(initial=0.0) <= bound + 1e-9
        assert (off / length <= sources / (2 * length) + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(stretches)
def test_copies_of_a_document_are_as_far_apart_as_stated(found: list[tuple[int, int, int]]) -> None:
    streams, first, rows = made(found)
    order = mixture_order(streams, first, rows)
    sources = int((rows > 0).sum())
    for number, size in enumerate(streams.documents.tolist()):
        documents = set(streams.of(number).tolist())
        own = [at for at, document in enumerate(order.tolist()) if document in documents]
        stream = order[own].tolist()
        apart = size * len(order) / max(1, int(rows[number]))
        for row in range(len(stream) - size):
            assert stream[row] == stream[row + size]
            assert set(stream[row : row + size]) == documents  # every other one stands between
            assert abs(own[row + size] - own[row] - apart) <= sources - 1 + 1e-9


def test_the_order_of_the_index_does_not_matter() -> None:
    generator = np.random.default_rng(3)
    source = generator.integers(0, 4, 5_000)
    ids = generator.integers(0, 2**63, 5_000).astype(np.uint64)
    first, rows = np.array([0, 10, 2_000, 5]), np.array([700, 2_500, 100, 3_000])
    orders = []
    for shuffle in (np.arange(5_000), generator.permutation(5_000)):
        streams = rank_documents(source[shuffle], inclusion_hash(ids[shuffle], 11), np.arange(5_000), 4)
        orders.append(ids[shuffle][mixture_order(streams, first, rows)])
    assert np.array_equal(*orders)
