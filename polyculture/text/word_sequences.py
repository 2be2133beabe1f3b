"""Hashes of the words of documents, in order, straight from Arrow buffers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import types

from polyculture.compute.compiled import compiled, tuple_of
from polyculture.text.fold import NOT_FOLDED
from polyculture.text.shingles import BENCH, POINTERS, Bench, Hashes, Offsets, fold_document, make_bench
from polyculture.text.texts import Pointers, Texts, as_texts, fold_by_hand
from polyculture.text.word_hashes import hash_words


@dataclass(frozen=True, slots=True)
class WordSequences:
    """Words of n documents in one array.

    Attributes:
        hashes: (total,) 64-bit hashes of the words of canonical text, look-alikes folded, as shingles are made of.
        offsets: (n + 1,) document i holds hashes[offsets[i]:offsets[i + 1]].
    """

    hashes: Hashes
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1


@compiled(tuple_of(types.int64[::1], types.int64)(POINTERS, types.int64, BENCH, types.int64, types.uint64[::1]))
def _sequences(texts: Pointers, first: int, bench: Bench, most_words: int, out: Hashes) -> tuple[Offsets, int]:
    """Words of the texts from `first` on, until one cannot be folded here or `out` is full; their ends in `out`."""
    tables, (folded, marks, words, _) = bench
    ends = np.empty(len(texts[0]) - first, np.int64)
    filled = 0
    for number in range(first, len(texts[0])):
        size, _, has_foreign = fold_document(texts, number, bench)
        if size == NOT_FOLDED:
            return ends[: number - first], NOT_FOLDED
        count = min(most_words, hash_words((folded, marks), size, has_foreign, (tables[3], tables[4]), words))
        if filled + count > len(out):
            return ends[: number - first], count
        out[filled : filled + count] = words[:count]
        filled += count
        ends[number - first] = filled
    return ends, 0


def _pieces(texts: Texts, most_words: int) -> Iterator[tuple[Hashes, Offsets]]:
    bench = make_bench(texts.longest_bytes)
    room = np.empty(2**16, np.uint64)
    first = 0
    while first < len(texts):
        ends, problem = _sequences(texts.pointers, first, bench, most_words, room)
        if len(ends):
            yield room[: ends[-1]].copy(), np.diff(ends, prepend=0)
            first += len(ends)
        elif problem == NOT_FOLDED:
            yield from _pieces(fold_by_hand(texts, np.array([first])), most_words)
            first += 1
        else:
            room = np.empty(2 * problem, np.uint64)


def word_sequences(texts: pa.Array | pa.ChunkedArray | Texts, most_words: int = 2**62) -> WordSequences:
    """Hashes of the words of texts, in order.

    Args:
        texts: a `string` or `large_string` array without nulls, canonical or not.
        most_words: number of words that are kept of each text, its first ones.

    Returns:
        The words; two different ones share a hash with probability 2**-64. About 6 nanoseconds a byte.

    Raises:
        ValueError: the array holds nulls.
    """
    pieces = list(_pieces(texts if isinstance(texts, Texts) else as_texts(texts), most_words))
    hashes = np.concatenate([piece[0] for piece in pieces]) if pieces else np.empty(0, np.uint64)
    sizes = np.concatenate([piece[1] for piece in pieces]) if pieces else np.empty(0, np.int64)
    return WordSequences(hashes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
