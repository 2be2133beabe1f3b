"""Verification: the Jaccard similarity of linked documents, on their canonical texts."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.compute.threads import in_threads
from polyculture.text.shingles import (
    BENCH,
    POINTERS,
    Bench,
    count_signs,
    fold_document,
    make_bench,
    shingle_words,
    text_key,
    word_prints,
)
from polyculture.text.texts import PAGES_AT_ONCE_BYTES, MappedPages, Pointers, Texts
from polyculture.text.word_hashes import SIGN_BIT, hash_words
from polyculture.text.words import NOTATION_WORDS, OPERATORS_ALIKE

_BLOCK_LINKS = 4096  # what a thread takes at a time, about
BOOLEANS = types.boolean[::1]
_SIGN_SLOTS = 4096  # a power of two
NOT_SIMILAR = np.float64(-1)
_LOW = np.uint64(0xFFFFFFFF)
_FREE = np.uint64(0)
_BACKSLASH, _BACKTICK = np.uint8(ord("\\")), np.uint8(ord("`"))
_ASTERISK, _UNDERSCORE, _HASH = np.uint8(ord("*")), np.uint8(ord("_")), np.uint8(ord("#"))
Hashes = NDArray[np.uint64]


@compiled()
def _place(slots: Hashes, mask: Any, value: Any) -> Any:
    """The slot of a value, or the free one where it belongs; a free slot holds zero."""
    slot = value & mask
    while slots[slot] != _FREE and slots[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled()
def _clear(slots: Hashes, count: int) -> tuple[Hashes, Any]:
    """Room for `count` values, at most half full: the slots, larger ones if need be, and the mask of those in use."""
    room = 64
    while room < 2 * count:
        room *= 2
    if room > len(slots):
        slots = np.empty(room, np.uint64)
    slots[:room] = _FREE
    return slots, np.uint64(room - 1)


@compiled()
def _insert(slots: Hashes, mask: Any, shingles: Hashes, count: int) -> int:
    """Put shingles into cleared slots; how many are different."""
    different = 0
    for i in range(count):
        value = max(shingles[i], np.uint64(1))
        slot = _place(slots, mask, value)
        different += slots[slot] == _FREE
        slots[slot] = value
    return different


@compiled()
def _words(texts: Pointers, number: Any, bench: Bench) -> int:
    """Hash the words of a text to bench[1][2]; returns how many."""
    tables, (folded, marks, words, _) = bench
    size, _, has_foreign = fold_document(texts, number, bench)
    return hash_words((folded, marks), size, has_foreign, (tables[3], tables[4]), words)


@compiled()
def _shingle(texts: Pointers, number: Any, bench: Bench) -> tuple[int, tuple[Any, Any]]:
    """Hash the shingles of a text to bench[1][3]; returns how many, repeats included, and its `word_prints`."""
    count = _words(texts, number, bench)
    prints = word_prints(bench[1][2], count)
    return shingle_words(bench[1][2], count, bench[1][3]), prints


@compiled()
def _have_equal_keys(texts: Pointers, pair: tuple[Any, Any], bench: Bench) -> bool:
    """True if two canonical texts are equal, but for a chance of 2**-128."""
    size, _, _ = fold_document(texts, pair[0], bench)
    key = text_key(bench[1][0], size)
    other, _, _ = fold_document(texts, pair[1], bench)
    return size == other and key == text_key(bench[1][0], other)


@compiled()
def _have_like_signs(texts: Pointers, pair: tuple[Any, Any], bench: Bench, held: NDArray[np.int32]) -> bool:
    """True if two texts are prose, or at most one in OPERATORS_ALIKE of their signs differs, as multisets.

    Args:
        texts: of all documents.
        pair: the two.
        bench: what is worked with; overwritten.
        held: room for a count of each sign, by a few bits of its hash.
    """
    held[:] = 0
    difference = total = 0
    is_notation = False
    for number in pair:
        step = 1 if number == pair[0] else -1
        count = _words(texts, number, bench)
        signs = count_signs(bench[1][2], count)
        is_notation |= signs > 0 and NOTATION_WORDS * signs >= count - signs
        total += signs
        for i in range(count):
            word = bench[1][2][i]
            if word & SIGN_BIT != 0:
                slot = np.int64(word >> np.uint64(40)) & (len(held) - 1)
                difference += 1 if held[slot] * step >= 0 else -1
                held[slot] += step
    return not is_notation or (2 * OPERATORS_ALIKE - 1) * difference <= total


@compiled()
def _without_escapes(text: NDArray[np.uint8], marks: NDArray[np.uint8], size: int) -> int:
    """Take the backslash before `*`, `_` and `#` out of a folded text, not within backticks; returns its bytes."""
    to = at = 0
    is_code = False
    while at < size:
        is_code ^= text[at] == _BACKTICK
        if text[at] == _BACKSLASH and at + 1 < size and not is_code:
            at += text[at + 1] == _ASTERISK or text[at + 1] == _UNDERSCORE or text[at + 1] == _HASH
        text[to], marks[to] = text[at], marks[at]
        to += 1
        at += 1
    return to


@compiled()
def _differ_in_escapes_alone(texts: Pointers, pair: tuple[Any, Any], bench: Bench) -> bool:
    """True if two texts are prose, and have the same words once markup is not escaped."""
    tables, (folded, marks, words, _) = bench
    first = np.uint64(0)
    for number in pair:
        size, _, has_foreign = fold_document(texts, number, bench)
        rest = _without_escapes(folded, marks, size)
        count = hash_words((folded, marks), rest, has_foreign, (tables[3], tables[4]), words)
        signs = count_signs(words, count)
        if NOTATION_WORDS * (signs + size - rest) >= count - signs:
            return False
        every = word_prints(words, count)[1]
        if number == pair[1]:
            return bool(every == first)
        first = every
    return False


@compiled()
def _compare(
    leader: tuple[Hashes, Any, NDArray[np.uint32], Any], shingles: Hashes, count: int, most: int, others: Hashes
) -> tuple[int, int, Hashes]:
    """Different shingles in common with a leader, and different others; given up above `most` of those.

    Args:
        leader: its slots, their mask, the stamp of the document that each was last met in, and this document's stamp.
        shingles: the document's, with repeats.
        count: number of them.
        most: the number of others above which the two are not similar.
        others: slots for what the leader lacks; returned, larger if need be.
    """
    slots, mask, met, stamp = leader
    common = lacking = 0
    others, other_mask = _clear(others, min(count, most + 1))
    for i in range(count):
        value = max(shingles[i], np.uint64(1))
        slot = _place(slots, mask, value)
        if slots[slot] == value:
            common += met[slot] != stamp
            met[slot] = stamp
            continue
        slot = _place(others, other_mask, value)
        if others[slot] == _FREE:
            others[slot] = value
            lacking += 1
            if lacking > most:
                break
    return common, lacking, others


@compiled(
    types.void(
        tuple_of(read_only(types.uint64), types.float64[::1]),
        tuple_of(types.int64, types.int64),
        tuple_of(types.int64, types.int64),
        tuple_of(POINTERS, read_only(types.uint64)),
        BENCH,
    )
)
def _verify(
    job: tuple[NDArray[np.uint64], NDArray[np.float64]],
    span: tuple[int, int],
    threshold: tuple[int, int],
    documents: tuple[Pointers, NDArray[np.uint64]],
    bench: Bench,
) -> None:
    """Leaders are folded and hashed once for all their links; no shingle is ever sorted."""
    links, similarity = job
    texts, layout = documents
    numerator, denominator = threshold
    slots, met, others = np.empty(64, np.uint64), np.zeros(64, np.uint32), np.empty(64, np.uint64)
    mask = np.uint64(0)
    held = np.int64(-1)
    stamp = np.uint32(0)
    leader_count = 0
    leader_prints = np.uint64(0), np.uint64(0)
    held_signs = np.empty(_SIGN_SLOTS, np.int32)
    for at in range(span[0], span[1]):
        leader, document = np.int64(links[at] >> np.uint64(32)), np.int64(links[at] & _LOW)
        if leader != held:
            held = leader
            count, leader_prints = _shingle(texts, leader, bench)
            slots, mask = _clear(slots, count)
            if len(slots) > len(met):
                met = np.zeros(len(slots), np.uint32)
            leader_count = _insert(slots, mask, bench[1][3], count)
        count, prints = _shingle(texts, document, bench)
        stamp += np.uint32(1)
        most = leader_count * (denominator - numerator) // numerator
        common, lacking, others = _compare((slots, mask, met, stamp), bench[1][3], count, most, others)
        union = leader_count + lacking
        is_similar = union > 0 and common * denominator >= numerator * union
        if is_similar and prints[1] == leader_prints[1]:
            is_similar = layout[leader] == layout[document] or not _have_equal_keys(texts, (leader, document), bench)
        elif is_similar:
            if prints[0] == leader_prints[0]:
                is_similar = _differ_in_escapes_alone(texts, (leader, document), bench)
            else:
                is_similar = _have_like_signs(texts, (leader, document), bench, held_signs)
        similarity[at] = np.float64(common / union) if is_similar else NOT_SIMILAR


def verify_links(
    links: NDArray[np.uint64], documents: tuple[Texts, NDArray[np.uint64]], threshold: float, threads: int = 1
) -> NDArray[np.float64]:
    """Jaccard similarity of the shingle sets of linked documents, decided in exact arithmetic.

    Two texts that differ in signs alone are not similar, however long they are, and neither is notation of which more
    than one sign in OPERATORS_ALIKE differs. A backslash that escapes markup (`*`, `_`, `#`) in prose is typography.

    Args:
        links: (n,) leader << 32 | document, ascending, so that a leader's links stand together.
        documents: texts of all n documents, each of which the kernel can fold, and (n,) layouts: where canonical texts
            are equal and layouts are not, two documents are not similar.
        threshold: least similarity, 0..1.
        threads: number of threads that share the work; it does not change the result.

    Returns:
        (n,) similarity, NOT_SIMILAR below the threshold. About 4 microseconds per link of 1.5 KB.
    """
    texts, layout = documents
    similarity = np.empty(len(links), np.float64)
    exact = Fraction(str(threshold))
    bounds = (exact.numerator, exact.denominator)
    leaders = links >> np.uint64(32)
    cuts = np.arange(0, len(links), _BLOCK_LINKS)
    cuts = np.unique(np.searchsorted(leaders, leaders[cuts]))  # back to where the leader begins
    edges = [*cuts.tolist(), len(links)]
    spans = list(itertools.pairwise(edges))

    pages = MappedPages(texts)

    def work(mine: list[tuple[int, int]]) -> None:
        bench = make_bench(texts.longest_bytes)
        for span in mine:
            _verify((links, similarity), span, bounds, (texts.pointers, layout), bench)
            pages.touch((span[1] - span[0]) * PAGES_AT_ONCE_BYTES)  # leaders ascend, documents lie anywhere

    list(in_threads(work, [spans[i::threads] for i in range(threads)], threads))
    return similarity


@compiled(types.void(read_only(types.int64), read_only(types.int64), POINTERS, tuple_of(BENCH, BENCH), BOOLEANS))
def _equal(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    texts: Pointers,
    benches: tuple[Bench, Bench],
    out: NDArray[np.bool_],
) -> None:
    for i in range(len(left)):
        size, _, _ = fold_document(texts, left[i], benches[0])
        other, _, _ = fold_document(texts, right[i], benches[1])
        out[i] = size == other
        for at in range(size if out[i] else 0):
            if benches[0][1][0][at] != benches[1][1][0][at]:
                out[i] = False
                break


def have_equal_texts(left: NDArray[np.int64], right: NDArray[np.int64], texts: Texts) -> NDArray[np.bool_]:
    """Compare the canonical texts of documents left[i] and right[i]: True where equal, byte for byte. O(bytes)."""
    result = np.zeros(len(left), np.bool_)
    benches = (make_bench(texts.longest_bytes), make_bench(texts.longest_bytes))
    _equal(left, right, texts.pointers, benches, result)
    return result
